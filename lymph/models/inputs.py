"""How pixels at working size become a network's input, and how training varies them."""

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lymph.data import stain
from lymph.models.specs import ModelSpec

# ImageNet's channel means and deviations, as torchvision's ResNet-50 values expect them.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
GREY_MEAN = (0.5,)
GREY_STD = (0.5,)

MAX_ROTATION = math.radians(15)
MIN_CROP = 0.8
MAX_STAIN = 0.2
MAX_DENSITY = 0.05

# Fixed, whatever the slide: jitter needs a basis of colours, not the slide's own stains.
RGB_FROM_HED = torch.tensor(stain.RGB_FROM_HED, dtype=torch.float32)
HED_FROM_RGB = torch.linalg.inv(RGB_FROM_HED)
# ITU-R 601, with which pictures become grey.
LUMA = torch.tensor([0.299, 0.587, 0.114])
DARKEST = 1 / 255


def to_floats(pixels: np.ndarray) -> Tensor:
    """Return pictures, uint8 N x H x W or N x H x W x 3, as values 0 to 1, N x C x H x W."""
    floats = torch.from_numpy(np.array(pixels)).float().div_(255)
    return (floats.unsqueeze(-1) if floats.ndim == 3 else floats).permute(0, 3, 1, 2)


def mean_and_std(spec: ModelSpec) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return what a model's input is shifted and scaled by, channel by channel, of 0 to 1."""
    if spec.frozen:
        return (0.0,) * 3, (1.0,) * 3
    return (GREY_MEAN, GREY_STD) if spec.grey else (IMAGENET_MEAN, IMAGENET_STD)


def normalise(floats: Tensor, spec: ModelSpec) -> Tensor:
    """Normalise pictures, N x C x H x W with values 0 to 1, as the model expects them.

    An encoder normalises them itself.
    """
    if spec.frozen:
        return floats
    mean, std = mean_and_std(spec)
    shape = (1, -1, 1, 1)
    return (floats - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


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
    return normalise(to_floats(pixels), spec)


class Draws(NamedTuple):
    """The random numbers of augmentation, one row a picture.

    All are drawn whichever are used, so that leaving one way out does not change the others.
    ``flips`` are left-right and top-bottom, ``turns`` quarter turns, ``resampled`` whether rotation
    and crop are done at all, ``angles`` radians, ``crops`` the share of the side and the place of
    the part, ``stains`` a factor for each of haematoxylin, eosin and DAB and what is added to each,
    in optical density.
    """

    flips: Tensor
    turns: Tensor
    resampled: Tensor
    angles: Tensor
    crops: Tensor
    stains: Tensor

    def of(self, rows: Tensor) -> "Draws":
        """Return the draws of some pictures."""
        return Draws(*(drawn[rows] for drawn in self))


def draw(count: int, generator: torch.Generator | None = None) -> Draws:
    """Draw the random numbers for ``count`` pictures."""
    uniform = torch.rand(count, 10, generator=generator)
    symmetric = 2 * uniform - 1
    return Draws(
        torch.randint(2, (count, 2), generator=generator).bool(),
        torch.randint(4, (count,), generator=generator),
        torch.randperm(count, generator=generator) % 2 == 0,
        symmetric[:, 0] * MAX_ROTATION,
        torch.cat([MIN_CROP + (1 - MIN_CROP) * uniform[:, 1:2], symmetric[:, 2:4]], 1),
        torch.cat([1 + MAX_STAIN * symmetric[:, 4:7], MAX_DENSITY * symmetric[:, 7:10]], 1),
    )


def augment(pixels: np.ndarray, names: Collection[str], draws: Draws) -> Tensor:
    """Vary each picture of a batch by the named ways of :data:`AUGMENTATIONS`.

    Tissue has no up or down, so flips and quarter turns are exact and equally likely. Rotation and
    crop share one resampling, which softens a picture: half of the pictures are spared it, since a
    model that never sees a sharp one in training fails on validation pictures, which all are. The
    stain comes last.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (N, H, W) or (N, H, W, 3)
    names : collection of str
    draws : Draws
        Of these pictures.

    Returns
    -------
    float32 tensor, shape (N, C, H, W), values 0 to 1
    """
    floats = to_floats(_symmetries(pixels, names, draws))
    if "rotation" in names or "crop" in names:
        rows = draws.resampled.nonzero().flatten()
        floats[rows] = _resample(floats[rows], names, draws.of(rows))
    return _restain(floats, draws.stains) if "stain" in names else floats


def _symmetries(pixels: np.ndarray, names: Collection[str], draws: Draws) -> np.ndarray:
    """Flip and turn by moving whole pixels; a picture that is not square only turns half-way."""
    flips = draws.flips.numpy() & ("flips" in names)
    turns = draws.turns.numpy() * ("quarter-turns" in names)
    if pixels.shape[1] != pixels.shape[2]:
        turns = turns // 2 * 2
    varied = np.empty_like(pixels)
    for i, picture in enumerate(pixels):
        turned = np.rot90(picture, turns[i])
        varied[i] = turned[:: -1 if flips[i, 1] else 1, :: -1 if flips[i, 0] else 1]
    return varied


def _resample(floats: Tensor, names: Collection[str], draws: Draws) -> Tensor:
    """Rotate and crop in one resampling; lengths are true on pictures that are not square."""
    count, _, height, width = floats.shape
    if not count:
        return floats
    angles = draws.angles * ("rotation" in names)
    sides = draws.crops[:, 0] if "crop" in names else torch.ones(count)
    shifts = draws.crops[:, 1:] * (1 - sides).unsqueeze(1)
    cos, sin = sides * torch.cos(angles), sides * torch.sin(angles)
    # The same as F.affine_grid, whose matrix products with three columns take four times as long.
    x, y = _centres(width), _centres(height).unsqueeze(1)
    across = _each(cos) * x - _each(sin * height / width) * y + _each(shifts[:, 0])
    down = _each(sin * width / height) * x + _each(cos) * y + _each(shifts[:, 1])
    grid = torch.stack([across, down], -1)
    return F.grid_sample(floats, grid, padding_mode="reflection", align_corners=False)


def _centres(count: int) -> Tensor:
    """Return where the middles of pixels lie on a line from -1 to 1."""
    return (2 * torch.arange(count) + 1) / count - 1


def _each(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1)


def _restain(floats: Tensor, stains: Tensor) -> Tensor:
    """Scale and shift the optical density of each stain (Tellez et al. 2019, arXiv 1902.06543).

    A grey picture is one whose three channels are alike; it goes the same way and becomes grey
    again by its luma.
    """
    count, channels, height, width = floats.shape
    density = -floats.clamp(min=DARKEST).log().flatten(2)
    factors, added = stains[:, :3], stains[:, 3:]
    # Rows of density times this matrix: into stains, each by its factor, and back.
    change = (HED_FROM_RGB * factors.unsqueeze(1)) @ RGB_FROM_HED
    if channels == 1:
        change = change.sum(1, keepdim=True)
    changed = change.transpose(1, 2) @ density + (added @ RGB_FROM_HED).unsqueeze(-1)
    rgb = changed.neg_().exp_().clamp_(max=1.0)
    if channels == 1:
        rgb = (LUMA @ rgb).unsqueeze(1)
    return rgb.view(count, channels, height, width)
