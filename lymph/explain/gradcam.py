"""Grad-CAM: which parts of a picture speak for a class (Selvaraju et al. 2017, arXiv 1610.02391).

Captum does the work: it hooks the layer, releases the hook, and asks the input for a gradient, so
that a frozen backbone has one too.
"""

import numpy as np
import torch
from torch import nn

from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead
from lymph.models.specs import ModelSpec
from lymph.models.view import view


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
        zero where nothing speaks for the class.
    """
    # Loaded late: it takes a second, and only this function needs it.
    from captum.attr import LayerGradCam

    model.eval()
    # The state of the model: ReLU works in place, which only a float32 pass without autocast suits.
    pictures = to_input(view(pixels, spec, largest)[None], spec)
    with torch.enable_grad():
        maps = LayerGradCam(model, target_layer(model)).attribute(
            pictures, target=class_index, relu_attributions=True
        )
    assert isinstance(maps, torch.Tensor)  # it is a tuple for layers with several outputs only
    heat = maps[0, 0].detach().numpy()
    top = float(heat.max())
    return (heat / top if top > 0 else np.zeros_like(heat)).astype(np.float32)
