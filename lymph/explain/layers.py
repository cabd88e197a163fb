"""What a network sees: its first filters, and the activations layer by layer."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn

from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead
from lymph.models.specs import ModelSpec
from lymph.models.view import pack, view


class Activations(NamedTuple):
    """The feature maps of a layer after its pooling and ReLU: float32, maps x height x width."""

    name: str
    maps: np.ndarray


def _convolutions(model: BackboneHead) -> list[nn.Conv2d]:
    return [module for module in model.backbone.modules() if isinstance(module, nn.Conv2d)]


def first_filters(model: BackboneHead) -> np.ndarray:
    """Return the filters of the first convolution, float32, filters x channels x k x k.

    Each is scaled by its own largest absolute weight, so that 0 stays 0 and values lie in -1 to 1.
    """
    weights = _convolutions(model)[0].weight.detach().numpy().copy()
    top = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    return weights / np.maximum(top, 1e-12)


@torch.no_grad()
def activations(model: BackboneHead, spec: ModelSpec, pixels: np.ndarray) -> list[Activations]:
    """Return what each layer of a backbone makes of a picture, uint8 H x W x 3.

    Of a model that sees tiles it is what they make of the picture's middle tile.
    A layer of a plain sequence ends with its ReLU; of ResNet-50 they are the first convolution and
    the stages that there are, cut off or not.
    """
    model.eval()
    found: list[Activations] = []

    def keeper(name: str) -> Callable[[nn.Module, tuple, torch.Tensor], None]:
        def keep(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
            # A copy: the next module may work in place.
            found.append(Activations(name, output[0].clone().numpy()))

        return keep

    hooks = [part.register_forward_hook(keeper(name)) for name, part in _ends(model.backbone)]
    try:
        seen = pack(view(pixels, spec), spec)
        middle = len(seen) // 2
        model(to_input(seen[middle : middle + 1], spec))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _ends(backbone: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return each layer's name and the module whose output is the layer's.

    Of a stage that is its last block: where only that block learns, the stage is never called as a
    whole.
    """
    parts = [(n, p) for n, p in backbone.named_children() if isinstance(p, nn.ReLU | nn.Sequential)]
    if isinstance(backbone, nn.Sequential):
        return [(f"Layer {place}", part) for place, (_, part) in enumerate(parts, start=1)]
    return [
        (name, part[-1]) if isinstance(part, nn.Sequential) else ("First convolution", part)
        for name, part in parts
    ]


def mosaic(maps: np.ndarray, columns: int = 8, side: int = 96) -> np.ndarray:
    """Lay maps out in rows of grey pictures, each stretched from its lowest to its highest value.

    Parameters
    ----------
    maps : ndarray, shape (N, h, w)
    columns, side : int
        Pictures a row, and pixels a side of each.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    gap = 4
    rows = -(-len(maps) // columns)
    canvas = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), 255, np.uint8)
    for place, values in enumerate(maps):
        low, high = float(values.min()), float(values.max())
        grey = np.rint((values - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
        tile = np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.NEAREST))
        top, left = (side + gap) * (place // columns), (side + gap) * (place % columns)
        canvas[top : top + side, left : left + side] = tile
    return canvas
