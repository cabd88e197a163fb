"""Grad-CAM: which parts of a picture speak for a class (Selvaraju et al. 2017, arXiv 1610.02391).

Captum does the work: it hooks the layer, releases the hook, and asks the input for a gradient, so
that a frozen backbone has one too.
"""

import numpy as np
import torch
from PIL import Image
from torch import nn

from lymph.models.grid import Box, tissue_boxes
from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead
from lymph.models.specs import ModelSpec
from lymph.models.tiles import TOGETHER
from lymph.models.view import in_colours_of, pack, view

# The heat of a picture in tiles is put together at this fraction of the size that the model sees.
HEAT_STEP = 8
BILINEAR = Image.Resampling.BILINEAR


def target_layer(model: BackboneHead) -> nn.Module:
    """Return the module whose output is the last that still knows where in the picture it is.

    An encoder that sees tiles names it: of a transformer the tokens before its last block. Else it
    is the last part of the backbone with a convolution, or the normalisation and ReLU right after
    it: ``layer4`` of ResNet-50, ``layer3`` of an encoder made of it, the third ReLU of the small
    CNN.
    """
    if isinstance(places := getattr(model.backbone, "places", None), nn.Module):
        return places
    parts = list(model.backbone.children())
    holds = [any(isinstance(m, nn.Conv2d) for m in part.modules()) for part in parts]
    place = len(parts) - 1 - holds[::-1].index(True)
    while isinstance(parts[place + 1], nn.BatchNorm2d | nn.ReLU):
        place += 1
    return parts[place]


def grad_cam(
    model: BackboneHead, spec: ModelSpec, pixels: np.ndarray, class_index: int, largest: int = 0
) -> np.ndarray:
    """Return how much each place of a picture speaks for a class.

    Parameters
    ----------
    model : BackboneHead
        Put into evaluation mode; nothing else of it changes.
    spec : ModelSpec
    pixels : ndarray of uint8, shape (H, W, 3)
        A whole picture, of any shape.
    class_index : int
        Any class, not only the predicted one.
    largest : int
        Pixels of the largest training picture; see :func:`lymph.models.view.view`.

    Returns
    -------
    ndarray of float32, shape (h, w)
        0 to 1 on the layer's coarse grid, stretched over the whole picture like the input; all
        zero where nothing speaks for the class. Of a model that sees tiles it is put together from
        theirs.
    """
    model.eval()
    seen = view(pixels, spec, largest)
    boxes = tissue_boxes(seen, spec.tiles)[0] if spec.tiles else []
    if boxes:
        heat = _heat_of_tiles(model, spec, seen, boxes, class_index)
    else:
        heat = _maps(model, pack(seen, spec), spec, class_index)[0]
    top = float(heat.max())
    return (heat / top if top > 0 else np.zeros_like(heat)).astype(np.float32)


def _maps(model: BackboneHead, seen: np.ndarray, spec: ModelSpec, class_index: int) -> np.ndarray:
    """Return what speaks for a class in pictures at working size, N x h x w."""
    # Loaded late: it takes a second, and only this function needs it.
    from captum.attr import LayerGradCam

    # The state of the model: ReLU works in place, which only a float32 pass without autocast suits.
    with torch.enable_grad():
        maps = LayerGradCam(model, target_layer(model)).attribute(
            to_input(seen, spec), target=class_index, relu_attributions=True
        )
    assert isinstance(maps, torch.Tensor)  # it is a tuple for layers with several outputs only
    return maps[:, 0].detach().numpy()


def _heat_of_tiles(
    model: BackboneHead, spec: ModelSpec, seen: np.ndarray, boxes: list[Box], class_index: int
) -> np.ndarray:
    """Lay the heat of each tile where it is; where tiles meet their mean, on blank ones nothing."""
    height, width = (max(1, round(side / HEAT_STEP)) for side in seen.shape[:2])
    total, count = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for start in range(0, len(boxes), TOGETHER):
        own = boxes[start : start + TOGETHER]
        tiles = in_colours_of(spec, np.stack([seen[box] for box in own]))
        maps = _maps(model, tiles, spec, class_index)
        for box, heat in zip(own, maps, strict=True):
            rows, columns = (
                slice(round(side.start / HEAT_STEP), round(side.stop / HEAT_STEP)) for side in box
            )
            place = total[rows, columns]
            place += np.asarray(Image.fromarray(heat).resize(place.shape[::-1], BILINEAR))
            count[rows, columns] += 1
    return total / np.maximum(count, 1)
