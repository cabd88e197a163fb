"""How pixels at working size become a network's input, and how training varies them."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lymph.models.specs import ModelSpec

# ImageNet's channel means and deviations, as torchvision's ResNet-50 values expect them.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
GREY_MEAN = (0.5,)
GREY_STD = (0.5,)

MAX_ROTATION = math.radians(15)


def to_input(pixels: np.ndarray, spec: ModelSpec) -> Tensor:
    """Turn pixels at working size into the model's normalised input.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (N, H, W) for grey or (N, H, W, 3)
    spec : ModelSpec

    Returns
    -------
    float32 tensor, shape (N, C, H, W), channels last in memory for RGB
    """
    floats = torch.from_numpy(np.array(pixels)).float().div_(255)
    mean, std = (GREY_MEAN, GREY_STD) if spec.grey else (IMAGENET_MEAN, IMAGENET_STD)
    if spec.grey:
        floats = floats.unsqueeze(-1)
    floats = (floats - torch.tensor(mean)) / torch.tensor(std)
    return floats.permute(0, 3, 1, 2)


def augment(pictures: Tensor) -> Tensor:
    """Flip, turn and slightly rotate each picture of a batch, all in one resampling.

    Tissue has no up or down: both flips and the four quarter turns are equally likely, and a
    rotation of up to 15 degrees follows. Corners are filled by reflection. The random numbers come
    from torch's global generator, whose state a checkpoint keeps.

    Parameters
    ----------
    pictures : float tensor, shape (N, C, H, W)
    """
    count = len(pictures)
    angles = torch.randint(4, (count,)) * (math.pi / 2)
    angles = angles + (2 * torch.rand(count) - 1) * MAX_ROTATION
    flips = torch.randint(2, (count,)) * 2.0 - 1.0
    cos, sin = torch.cos(angles), torch.sin(angles)
    zeros = torch.zeros(count)
    # A quarter turn and one flip together reach all eight symmetries of the square.
    rows = [torch.stack([flips * cos, -sin, zeros], 1), torch.stack([flips * sin, cos, zeros], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
