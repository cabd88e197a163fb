"""Values of any depth become 8-bit RGB: the end of their range becomes 255.

Cameras write 10, 12 or 14 bits into files of 16. The value that becomes white is the end of the
narrowest of these ranges that holds the largest value of the whole set (``lymph.data.depth``), or
of one picture where no set is known.
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

# The depths, in bits, of cameras; 8 bits in a file of 16 come from programs.
DEPTHS = (8, 10, 12, 14, 16)


class Decoded(NamedTuple):
    """RGB, the factor it was shrunk by, and as in ``Reading``."""

    pixels: np.ndarray
    shrunk: int
    top: int = 0
    white: int = 0
    transparent: bool = False


def factor_for(size: tuple[int, int], max_pixels: int | None) -> int:
    """Return the whole factor that shrinks a picture to about ``max_pixels``."""
    if not max_pixels:
        return 1
    return max(1, math.ceil(math.sqrt(size[0] * size[1] / max_pixels)))


def white_for(top: int, white: int = 0) -> int:
    """Return the value that becomes 255 in a picture of 16-bit integers.

    Parameters
    ----------
    top : int
        The picture's own largest value.
    white : int
        That of its set; 0 where it is not known. A brighter picture is judged by itself.
    """
    if white and top <= white:
        return white
    return next(2**bits - 1 for bits in DEPTHS if top < 2**bits)


def finite(values: np.ndarray) -> np.ndarray:
    """Return values with NaN and infinity as 0.

    Floats of 16 bits, which end at 65,504, become floats of 32.
    """
    if values.dtype.kind == "f" and values.dtype.itemsize == 2:
        values = values.astype(np.float32)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return np.nan_to_num(values, posinf=0.0, neginf=0.0)
    return values


def is_16_bit(values: np.ndarray) -> bool:
    """Tell whether values are unsigned integers of 16 bits, in either byte order."""
    return values.dtype.kind == "u" and values.dtype.itemsize == 2


def to_uint8(values: np.ndarray, scale: float) -> np.ndarray:
    """Scale 16-bit, 32-bit and float values to 0..255, so that ``scale`` becomes 255.

    A plain conversion clips at 255 and turns a 16-bit picture white.
    """
    if values.dtype == np.uint8:
        return values
    if is_16_bit(values):  # v // 257 where 65,535 is white
        return np.minimum(values.astype(np.uint32) * 255 // int(scale), 255).astype(np.uint8)
    return np.clip(np.rint(values / scale * 255.0), 0, 255).astype(np.uint8)


def range_of(top: float) -> float:
    """Return the end of the range that values up to ``top`` seem to use."""
    return next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)


def from_values(
    values: np.ndarray,
    max_pixels: int | None,
    white: int,
    premultiplied: bool,
    strip_pixels: int,
) -> Decoded:
    """Turn values of any type into RGB.

    Parameters
    ----------
    values : ndarray, shape (H, W) or (H, W, 1 to 4)
        Grey or colours; the last of 2 or 4 is opacity, which has a range of its own.
    max_pixels : int or None
        A larger picture is shrunk by a whole factor to about this many pixels.
    white : int
        As for :func:`white_for`.
    premultiplied : bool
        Whether the colours were multiplied by their opacity.
    strip_pixels : int
        What is made in between takes the memory of this many values.
    """
    values = values if values.ndim == 3 else values[..., None]
    height, width, samples = values.shape
    factor = factor_for((width, height), max_pixels)
    colours = samples - (samples in (2, 4))
    rows = max(1, strip_pixels // (width * samples * factor)) * factor
    strips = [slice(top, top + rows) for top in range(0, height, rows)]

    def largest(part: slice) -> float:
        return max(float(finite(values[s, :, part]).max(initial=0)) for s in strips)

    top, deep = largest(slice(0, colours)), is_16_bit(values)
    scale = white_for(int(top), white) if deep else range_of(top)
    alpha = largest(slice(colours, samples)) if colours < samples else 0.0
    alpha_scale = white_for(int(alpha)) if deep else range_of(alpha)
    pixels = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    for strip in strips:
        part = to_uint8(finite(values[strip, :, :colours]), scale)
        if colours < samples:
            share = to_uint8(finite(values[strip, :, colours:]), alpha_scale)
            part = _on_white(part, share, premultiplied)
        small = _shrunk(part, factor)
        pixels[strip.start // factor :][: len(small)] = small
    told = (int(top), int(scale)) if deep and top > 0 else (0, 0)
    return Decoded(pixels, factor, *told, colours < samples)


def _shrunk(part: np.ndarray, factor: int) -> np.ndarray:
    """Return grey or colours, uint8, as RGB shrunk by a whole factor."""
    part = np.ascontiguousarray(np.broadcast_to(part, (*part.shape[:2], 3)))
    return np.asarray(Image.fromarray(part).reduce(factor)) if factor > 1 else part


def _on_white(colours: np.ndarray, share: np.ndarray, premultiplied: bool) -> np.ndarray:
    """Lay transparent colours, uint8, on white; premultiplied ones hold their share already."""
    clear = 255 - share.astype(np.uint16)
    if not premultiplied:
        colours = (colours.astype(np.uint16) * share + 127) // 255
    return np.minimum(colours + clear, 255).astype(np.uint8)
