"""What a model sees of a picture: its pixels at working size."""

import math

import numpy as np
from PIL import Image

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
    if not spec.scale:
        return spec.size
    least = MIN_SIDE
    if spec.tiles:
        most = math.sqrt(MOST_TILED_PIXELS / (height * width))
        enough = math.sqrt(TILED_PIXELS / (height * width))
        factor = min(spec.scale, max(min(1.0, most), enough))
        if not spec.frozen:
            # Its tiles are all squares: a small picture is enlarged until it has one.
            least = spec.tiles
            room = MOST_TILED_PIXELS / (least * max(height, width))
            factor = max(factor, min(least / min(height, width), room))
    else:
        factor = min(spec.scale, math.sqrt(math.prod(spec.size) / (height * width)))
    return max(least, round(height * factor)), max(least, round(width * factor))


def count_tiles(height: int, width: int, spec: ModelSpec) -> int:
    """Return how many tiles a picture is cut into, blank ones too; 1 where it is seen whole."""
    return math.prod(grid_of(*size_of_view(height, width, spec), spec.tiles)) if spec.tiles else 1


def work_of(height: int, width: int, spec: ModelSpec) -> int:
    """Return how many pixels of a picture go through a model."""
    seen = size_of_view(height, width, spec)
    if not spec.tiles:
        return math.prod(seen)
    sides = [min(spec.tiles, length) for length in seen]
    return count_tiles(height, width, spec) * math.prod(sides)


def scale_words(spec: ModelSpec) -> str:
    """Name the scale at which a network sees the pictures from which it or its head learns."""
    if spec.tiles:
        return (
            f"in tiles of {spec.tiles} x {spec.tiles} pixels (at most {MOST_PIXELS:,} together),"
            f" enlarged {spec.scale:g} times, at most to {TILED_PIXELS:,} pixels, never shrunk"
        )
    height, width = spec.size
    if not spec.scale:
        return f"brought to {width} x {height} pixels"
    return f"enlarged {spec.scale:g} times, at most to {height * width:,} pixels"


def view(pixels: np.ndarray, spec: ModelSpec, largest: int = 0) -> np.ndarray:
    """Bring an RGB picture to a model's working size; training and answering share this function.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    spec : ModelSpec
    largest : int
        Pixels of the largest training picture; 0 where that makes no difference. What is seen at a
        scale of its own shows how sharp a picture is, so a larger one is brought to that size
        first: the same slide photographed at three times the size would be a stranger.

    Returns
    -------
    ndarray of uint8, shape (height, width) for grey or (height, width, 3)
        One that is to be cut is in colour, which tells glass from tissue; :func:`pack` takes it.
    """
    pixels = _no_larger(pixels, spec, largest)
    grey = spec.grey and not spec.tiles
    return shrink(pixels, size_of_view(pixels.shape[0], pixels.shape[1], spec), grey)


def pack(seen: np.ndarray, spec: ModelSpec) -> np.ndarray:
    """Return what goes through a model for one picture, uint8 n x h x w (x 3), of its view.

    Its tiles that show tissue, or the whole picture where none does or it is not cut: then n is 1.
    An encoder takes the whole picture as it is; for a network it is squeezed to a tile's size.
    """
    if not spec.tiles:
        return seen[None]
    tiles = cut(seen, spec.tiles)
    if len(tiles):
        return in_colours_of(spec, tiles)
    return view(seen, spec._replace(tiles=0, scale=float(spec.frozen)))[None]


def in_colours_of(spec: ModelSpec, tiles: np.ndarray) -> np.ndarray:
    """Return tiles, uint8 n x h x w x 3, in the colours that a model sees: grey ones n x h x w."""
    if not spec.grey:
        return tiles
    count, height, width, _ = tiles.shape
    below = Image.fromarray(tiles.reshape(count * height, width, 3)).convert("L")
    return np.asarray(below).reshape(count, height, width)


def cut_from(pixels: np.ndarray, spec: ModelSpec, largest: int = 0) -> np.ndarray:
    """Return the picture to cut tiles from, so that a tile is seen as large as in the whole.

    Parameters
    ----------
    pixels, spec, largest
        As of :func:`view`. A model that squeezes whole pictures has no scale of its own: its tiles
        are cut from the picture as it is.
    """
    if not spec.scale:
        return pixels
    pixels = _no_larger(pixels, spec, largest)
    height, width = size_of_view(pixels.shape[0], pixels.shape[1], spec)
    size = max(1, round(height / spec.scale)), max(1, round(width / spec.scale))
    return pixels if size == pixels.shape[:2] else shrink(pixels, size, grey=False)


def _no_larger(pixels: np.ndarray, spec: ModelSpec, largest: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    if not (spec.scale and 0 < largest < height * width):
        return pixels
    factor = math.sqrt(largest / (height * width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return shrink(pixels, size, grey=False)
