"""What a model sees of a picture: its pixels at working size."""

import math

import numpy as np

from lymph.data.pixels import shrink
from lymph.models.grid import MOST_PIXELS, cut, grid_of
from lymph.models.specs import ModelSpec

# A side shorter than this leaves an encoder's last layer nothing to look at.
MIN_SIDE = 32

# A picture that is cut into tiles is enlarged to at most the size of the published slides, and made
# smaller only beyond what any answer is read at.
TILED_PIXELS = 1388 * 1040
MOST_TILED_PIXELS = 16_000_000


def size_of_view(height: int, width: int, spec: ModelSpec) -> tuple[int, int]:
    """Return the height and the width in pixels at which a model sees a picture."""
    if not spec.frozen:
        return spec.size
    if spec.tiles:
        least = min(1.0, math.sqrt(MOST_TILED_PIXELS / (height * width)))
        factor = min(spec.scale, max(least, math.sqrt(TILED_PIXELS / (height * width))))
    else:
        factor = min(spec.scale, math.sqrt(math.prod(spec.size) / (height * width)))
    return max(MIN_SIDE, round(height * factor)), max(MIN_SIDE, round(width * factor))


def work_of(height: int, width: int, spec: ModelSpec) -> int:
    """Return how many pixels of a picture go through a model."""
    seen = size_of_view(height, width, spec)
    if not spec.tiles:
        return math.prod(seen)
    sides = [min(spec.tiles, length) for length in seen]
    return math.prod(grid_of(*seen, spec.tiles)) * math.prod(sides)


def scale_words(spec: ModelSpec) -> str:
    """Name the scale at which a network sees the pictures from which a linear probe learns."""
    if spec.tiles:
        return (
            f"in tiles of {spec.tiles} x {spec.tiles} pixels (at most {MOST_PIXELS:,} together),"
            f" enlarged {spec.scale:g} times, at most to {TILED_PIXELS:,} pixels, never shrunk"
        )
    height, width = spec.size
    if not spec.frozen:
        return f"brought to {width} x {height} pixels"
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


def pack(seen: np.ndarray, spec: ModelSpec) -> np.ndarray:
    """Return what goes through a model for one picture, uint8 n x h x w (x 3), of its view.

    Its tiles that show tissue, or the whole picture where none does or it is not cut: then n is 1.
    """
    if not spec.tiles:
        return seen[None]
    tiles = cut(seen, spec.tiles)
    return tiles if len(tiles) else view(seen, spec._replace(tiles=0, scale=1.0))[None]


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
