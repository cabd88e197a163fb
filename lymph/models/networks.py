"""The networks, each as a backbone that makes features and a head that judges."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lymph.errors import ConfigError
from lymph.models.architecture import Architecture
from lymph.models.encoder_table import DEFAULT
from lymph.models.encoders import ENCODERS, Encoder
from lymph.models.specs import STAGES
from lymph.models.tiles import Tiled, TiledFeatures, encode_tiles


class BackboneHead(nn.Module):
    """A backbone (pictures to N x D features) and a head (features to N x K logits).

    Freezing is a state of the model: a frozen backbone needs no gradients *and* stays in
    evaluation mode through every later ``train()``, since ``requires_grad=False`` alone lets the
    running statistics of batch normalisation drift.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.frozen = False

    def forward(self, pictures: Tensor | TiledFeatures) -> Tensor:
        """Return the logits, N x K, of normalised pictures, N x C x H x W, or of their tiles."""
        return self.head(self.encode(pictures))

    def encode(self, pictures: Tensor | TiledFeatures) -> Tensor | TiledFeatures:
        """Return the features, N x D, of normalised pictures; of their tiles T x D."""
        if isinstance(pictures, Tiled):
            return encode_tiles(self.backbone, pictures)
        return self.backbone(pictures)

    def freeze_backbone(self, frozen: bool = True) -> None:
        """Freeze the backbone's parameters and statistics, or let them learn again."""
        self.frozen = frozen
        self.backbone.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "BackboneHead":
        """Set the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


class AnswersTiles(nn.Module):
    """A head that also answers pictures in tiles, by the mean over them; mixed into a module."""

    def forward(self, input: Tensor | TiledFeatures) -> Tensor:
        """Return the logits, N x K, of features, N x D, or of the tiles of N pictures.

        Of tiles they are the logarithms of their mean probabilities: softmax gives these back.
        """
        if isinstance(input, Tiled):
            return input.mean_logits(super().forward(input.values))
        return super().forward(input)


class LinearHead(AnswersTiles, nn.Linear):
    """A linear head, for features of pictures and of tiles."""


class SequentialHead(AnswersTiles, nn.Sequential):
    """A head of several layers, for features of pictures and of tiles."""


class GridAverage(nn.AdaptiveAvgPool2d):
    """The mean of each field of a grid, with a gradient laid out in memory as the input is.

    Flattening hands back a gradient in the plain layout, and from there on the pass back through
    channels-last maps would take six times as long here.
    """

    def __init__(self, side: int) -> None:
        super().__init__(side)
        self.side = side

    def forward(self, input: Tensor) -> Tensor:
        """Return the means, N x C x side x side, of maps, N x C x H x W."""
        means = self._means(input)
        if means.requires_grad and input.is_contiguous(memory_format=torch.channels_last):
            means.register_hook(lambda g: g.contiguous(memory_format=torch.channels_last))
        return means

    def _means(self, maps: Tensor) -> Tensor:
        """Take the means; on a graphics card in the way whose gradient is the same each time."""
        side = self.side
        height, width = maps.shape[2:]
        if maps.is_cuda and height % side == 0 and width % side == 0:
            return functional.avg_pool2d(maps, (height // side, width // side))
        return super().forward(maps)


def _block(convolution: nn.Conv2d) -> list[nn.Module]:
    """Return a convolution with its normalisation, pooling and ReLU.

    The largest of four is the same before and after a ReLU, which so has a quarter of the work.
    """
    return [
        convolution,
        nn.BatchNorm2d(convolution.out_channels),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
    ]


class SmallCNN(BackboneHead):
    """The notebook's small CNN: three convolutions, each with batch normalisation and ReLU.

    Parameters
    ----------
    classes : int
    dropout : float
        Share of the hidden units dropped in training.

    Notes
    -----
    Input N x 1 x 128 x 128, normalised; any other size of at least 16 pixels works.
    """

    def __init__(self, classes: int, dropout: float = 0.5) -> None:
        backbone = nn.Sequential(
            *_block(nn.Conv2d(1, 16, 3, padding=1, bias=False)),
            *_block(nn.Conv2d(16, 32, 3, padding=1, bias=False)),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            GridAverage(4),
            nn.Flatten(),
        )
        head = SequentialHead(
            nn.Linear(64 * 4 * 4, 64),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(64, classes),
        )
        super().__init__(backbone, head)


class ResNet50(BackboneHead):
    """torchvision's ResNet-50 with a linear head of our own for the classes.

    Input N x 3 x 224 x 224 with ImageNet's normalisation. The values are random until
    :mod:`lymph.models.weights` loads some.

    Parameters
    ----------
    classes : int
    stages : int
        How many of the four stages, ``layer1`` to ``layer4``, the network has: it is cut off after
        the last one that there are values for, and pooled there.
    """

    def __init__(self, classes: int, stages: int = STAGES) -> None:
        # Loaded late: torch's compiler comes along, a second and 160 MB that the small CNN spares.
        from torchvision.models import resnet50

        backbone = resnet50(weights=None)
        # Each stage has twice the maps of the one before.
        features = backbone.fc.in_features >> (STAGES - stages)
        for part in ("fc", *(f"layer{stage}" for stage in range(stages + 1, STAGES + 1))):
            setattr(backbone, part, nn.Identity())
        super().__init__(backbone, LinearHead(features, classes))
        self.stages = stages


# The main directions that a linear probe's head may use.
DIRECTIONS = 128


class Standardise(nn.Module):
    """Features on the standard scales of the pictures that a head learned from."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """Return features, N x D, with mean 0 and spread 1 over the pictures learned from."""
        return (features - self.mean) / self.spread


class WhitenedLinear(nn.Module):
    """A linear layer on the main directions of its features, as a rule each on the same scale.

    In directions of equal spread the regularisation holds all of them back alike; else the few that
    vary most, which tell stain and patient, decide. ``axes`` are the directions, k x D, each
    divided by its spread, or all by one number where that served left-out patients better; rows of
    zeros stand for directions that there are not.
    """

    axes: Tensor

    def __init__(self, width: int, classes: int, directions: int) -> None:
        super().__init__()
        self.register_buffer("axes", torch.zeros(directions, width))
        self.linear = nn.Linear(directions, classes)
        # The best values do not depend on the first ones, so that these need no seed.
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def whiten(self, features: Tensor) -> Tensor:
        """Return features, N x D, along the directions, N x k."""
        return features @ self.axes.T

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits, N x K, of features, N x D."""
        return self.linear(self.whiten(features))


class ProbeHead(SequentialHead):
    """The head of a linear probe: standard scales, main directions, and a linear layer."""


class LinearProbe(BackboneHead):
    """An encoder that never learns, and a linear head on its standardised features.

    Parameters
    ----------
    classes : int
    encoder : str
        A name of :data:`lymph.models.encoders.ENCODERS`, or any where an architecture is given.
    architecture : mapping, optional
        What a network of timm looks like; see :class:`lymph.models.architecture.Architecture`.
    """

    def __init__(
        self, classes: int, encoder: str = DEFAULT, architecture: Mapping[str, Any] | None = None
    ) -> None:
        backbone = build_encoder(encoder, architecture)
        last = WhitenedLinear(backbone.width, classes, DIRECTIONS)
        super().__init__(backbone, ProbeHead(Standardise(backbone.width), last))
        self.freeze_backbone()


def build_encoder(name: str, architecture: Mapping[str, Any] | None = None) -> Encoder:
    """Build an encoder with random values; see :class:`LinearProbe`.

    Raises
    ------
    ConfigError, WeightsError
        When the architecture describes none, or timm is not there to build it.
    """
    if not architecture:
        return ENCODERS[name]()
    # Loaded late: with timm come two seconds.
    from lymph.models.tile_encoder import TileEncoder

    return TileEncoder(Architecture.from_json(architecture))


def build_model(
    name: str,
    classes: int,
    encoder: str = DEFAULT,
    architecture: Mapping[str, Any] | None = None,
    stages: int = STAGES,
) -> BackboneHead:
    """Build a model by its name, with random values drawn from torch's global generator.

    ``encoder`` and ``architecture`` say what a linear probe is built on, ``stages`` how many of its
    four stages ResNet-50 has.

    Raises
    ------
    ConfigError
        When there is no model of that name.
    WeightsError
        When the encoder needs timm, which is not there.
    """
    if name == "linear-probe":
        return LinearProbe(classes, encoder, architecture)
    if name == "resnet50":
        return ResNet50(classes, stages)
    if name == "cnn":
        return SmallCNN(classes)
    raise ConfigError(f"There is no model {name!r}; choose one of cnn, resnet50, linear-probe.")


def count_parameters(module: nn.Module) -> int:
    """Count the numbers that a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Return class indices, N, as one-hot rows, N x K, float32."""
    return torch.eye(classes)[labels]
