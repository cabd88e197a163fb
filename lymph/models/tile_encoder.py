"""Encoders of the library timm: the picture cut into tiles, and the mean over them.

A Vision Transformer knows one size of picture. Squeezed to it, a slide shows no nucleus, so it sees
the picture in tiles of that size, without gaps, and the picture's features are their mean.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lymph.errors import WeightsError
from lymph.models.architecture import Architecture
from lymph.models.encoder_files import MISSING
from lymph.models.encoders import Encoder

# A picture is cut into two tiles a side at least: an exported model tells one tile from several.
LEAST_TILES = 2
# More than any encoder of pictures has; a stranger's description must not fill the memory.
MOST_PARAMETERS = 3_000_000_000


class TileEncoder(Encoder):
    """A network of timm that sees tiles: a Vision Transformer, or one of convolutions.

    Grad-CAM looks at ``places``, through which everything passes that still knows where in the
    picture it is: of a transformer the tokens before its last block, of convolutions the last maps.

    Parameters
    ----------
    architecture : Architecture

    Raises
    ------
    WeightsError
        When timm is not installed, or has no such network.
    """

    # timm's networks share no type that says what they have.
    network: Any
    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.network = network_of(architecture)
        self.places = nn.Identity()
        self.side = architecture.tile
        self.tokens = _is_transformer(self.network)
        self.pool = architecture.pool
        self.width = self.network.num_features
        self.told = (
            f"{architecture.name}, mean over tiles of {self.side} x {self.side} pixels,"
            " its own normalisation"
        )
        for name in ("mean", "std"):
            values = torch.tensor(getattr(architecture, name)).view(3, 1, 1)
            self.register_buffer(name, values)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features, N x width, of pictures, N x 3 x H x W, values 0 to 1."""
        count = pictures.shape[0]
        rows, columns = (_tiles(length, self.side) for length in pictures.shape[2:])
        size = rows * self.side, columns * self.side
        fitted = functional.interpolate(
            pictures, size, mode="bilinear", antialias=True, align_corners=False
        )
        tiles = _cut((fitted - self.mean) / self.std, rows, columns)
        made = self._of_tokens if self.tokens else self._of_maps
        features = made(tiles, count, rows, columns)
        return features.reshape(count, rows * columns, self.width).mean(1)

    def _of_maps(self, tiles: Tensor, count: int, rows: int, columns: int) -> Tensor:
        maps = self.network.forward_features(tiles)
        whole = self.places(_join(maps, count, rows, columns))
        return self.network.forward_head(_cut(whole, rows, columns), pre_logits=True)

    def _of_tokens(self, tiles: Tensor, count: int, rows: int, columns: int) -> Tensor:
        net = self.network
        tokens = net.norm_pre(net._pos_embed(net.patch_embed(tiles)))
        tokens = net.blocks[:-1](tokens)
        first, places = tokens[:, : net.num_prefix_tokens], tokens[:, net.num_prefix_tokens :]
        grid = net.patch_embed.grid_size
        maps = places.transpose(1, 2).reshape(tiles.shape[0], self.width, *grid)
        whole = self.places(_join(maps, count, rows, columns))
        places = _cut(whole, rows, columns).flatten(2).transpose(1, 2)
        tokens = net.norm(net.blocks[-1](torch.cat([first, places], dim=1)))
        return net.forward_head(tokens, pre_logits=True)


def network_of(architecture: Architecture) -> Any:
    """Build a network of timm without a head, with random values.

    Raises
    ------
    WeightsError
        When timm is not installed, has no such network, or it is of a kind that is not taken.
    """
    try:
        import timm
    except ImportError as error:
        raise WeightsError(MISSING) from error
    if not timm.is_model(architecture.name):
        raise WeightsError(
            f"timm {timm.__version__} has no network {architecture.name}; install a newer one with"
            " `pip install -U timm`, or choose another encoder."
        )
    try:
        with torch.device("meta"):  # which has shapes and no numbers
            size = sum(parameter.numel() for parameter in _create(architecture).parameters())
        if size > MOST_PARAMETERS:
            raise ValueError(f"it would have {size / 1e9:,.0f} billion parameters")
        network = _create(architecture)
    except Exception as error:  # each of its thousand networks refuses arguments in its own way
        raise WeightsError(
            f"timm cannot build the encoder {architecture.name} as it is described"
            f" ({str(error)[:120]}); take the config.json that came with the weights."
        ) from error
    if _is_transformer(network) or _makes_maps(network, architecture):
        return network
    raise WeightsError(
        f"{architecture.name} is neither a Vision Transformer nor a network of convolutions of"
        " timm; lymph takes these two kinds."
    )


def _create(architecture: Architecture) -> Any:
    import timm

    arguments = {name: _resolved(value) for name, value in architecture.arguments.items()}
    if architecture.name.startswith(("vit_", "deit")):
        arguments["img_size"] = architecture.tile
    pool = architecture.pool
    return timm.create_model(architecture.name, num_classes=0, global_pool=pool, **arguments)


def _is_transformer(network: object) -> bool:
    from timm.models.vision_transformer import VisionTransformer

    return isinstance(network, VisionTransformer)


def _makes_maps(network: Any, architecture: Architecture) -> bool:
    """Tell whether a network ends in maps, N x C x h x w, as convolutions do."""
    side = architecture.tile
    with torch.no_grad():
        maps = network.eval().forward_features(torch.zeros(1, 3, side, side))
    return maps.ndim == 4 and maps.shape[1] == network.num_features


def _resolved(value: object) -> Any:
    """Return what an argument stands for: a layer, where it names one that transformers use."""
    from timm import layers

    known = {"SwiGLUPacked": layers.SwiGLUPacked, "SwiGLU": layers.SwiGLU, "SiLU": nn.SiLU}
    return known.get(value, value) if isinstance(value, str) else value


def _tiles(length: int, side: int) -> int:
    """Return how many tiles fit best along a length; of a symbolic one while it is exported."""
    best = (length + side // 2) // side
    if isinstance(best, int):
        return max(LEAST_TILES, best)
    symbolic: Any = torch.sym_max(LEAST_TILES, best)
    return symbolic


def _cut(pictures: Tensor, rows: int, columns: int) -> Tensor:
    """Cut pictures, N x C x H x W, into tiles, N * rows * columns x C x h x w, row by row."""
    count, channels, height, width = pictures.shape
    tiles = pictures.reshape(count, channels, rows, height // rows, columns, width // columns)
    tiles = tiles.permute(0, 2, 4, 1, 3, 5)
    return tiles.reshape(count * rows * columns, channels, height // rows, width // columns)


def _join(tiles: Tensor, count: int, rows: int, columns: int) -> Tensor:
    """Lay tiles, N * rows * columns x C x h x w, side by side again, N x C x H x W."""
    channels, height, width = tiles.shape[1:]
    whole = tiles.reshape(count, rows, columns, channels, height, width)
    whole = whole.permute(0, 3, 1, 4, 2, 5)
    return whole.reshape(count, channels, rows * height, columns * width)
