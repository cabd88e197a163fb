"""What a model sees of a picture: its pixels at working size."""

import math

import numpy as np

from lymph.data.pixels import shrink
from lymph.models.specs import ModelSpec

# A side shorter than this leaves an encoder's last layer nothing to look at.
MIN_SIDE = 32


def size_of_view(height: int, width: int, spec: ModelSpec) -> tuple[int, int]:
    """Return the height and the width in pixels at which a model sees a picture."""
    if not spec.frozen:
        return spec.size
    factor = min(spec.scale, math.sqrt(math.prod(spec.size) / (height * width)))
    return max(MIN_SIDE, round(height * factor)), max(MIN_SIDE, round(width * factor))


def scale_words(spec: ModelSpec) -> str:
    """Name the scale at which a frozen encoder sees pictures."""
    height, width = spec.size
    return f"enlarged {spec.scale:g} times, at most to {height * width:,} pixels"


def view(pixels: np.ndarray, spec: ModelSpec, largest: int = 0) -> np.ndarray:
    """Bring an RGB picture to a model's working size; training and answering share this function.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    spec : ModelSpec
    largest : int
        Pixels of the largest training picture; 0 where that makes no difference. A frozen encoder
        sees how sharp a picture is, so a larger one is brought to that size first: the same slide
        photographed at three times the size would be a stranger.

    Returns
    -------
    ndarray of uint8, shape (height, width) for grey or (height, width, 3)
    """
    pixels = _no_larger(pixels, spec, largest)
    return shrink(pixels, size_of_view(pixels.shape[0], pixels.shape[1], spec), spec.grey)


def cut_from(pixels: np.ndarray, spec: ModelSpec, largest: int = 0) -> np.ndarray:
    """Return the picture to cut tiles from, so that a tile is seen as large as in the whole.

    Parameters
    ----------
    pixels, spec, largest
        As of :func:`view`. A model that squeezes whole pictures has no scale of its own: its tiles
        are cut from the picture as it is.
    """
    if not spec.frozen:
        return pixels
    pixels = _no_larger(pixels, spec, largest)
    height, width = size_of_view(pixels.shape[0], pixels.shape[1], spec)
    size = max(1, round(height / spec.scale)), max(1, round(width / spec.scale))
    return pixels if size == pixels.shape[:2] else shrink(pixels, size, grey=False)


def _no_larger(pixels: np.ndarray, spec: ModelSpec, largest: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    if not (spec.frozen and 0 < largest < height * width):
        return pixels
    factor = math.sqrt(largest / (height * width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return shrink(pixels, size, grey=False)
