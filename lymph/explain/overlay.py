"""Explanations drawn over the picture, as RGB."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lymph.explain.tiles import TileView

# Dark blue over green to yellow (viridis): far from the violet and pink of the stain.
RAMP = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]])


def _stretch(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Stretch a map, h x w, smoothly to a picture's size."""
    picture = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)


def _blend(pixels: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weight = alpha[..., None].astype(np.float32)
    mixed = pixels * (1 - weight) + colour.astype(np.float32) * weight
    return np.rint(mixed).astype(np.uint8)


def heat_overlay(pixels: np.ndarray, heat: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lay a heat map over a picture; where nothing speaks for the class the picture stays clear.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    heat : ndarray, shape (h, w)
        0 to 1; stretched over the whole picture.
    opacity : float
        0 (the picture alone) to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    values = _stretch(heat, *pixels.shape[:2])
    steps = np.linspace(0, 1, len(RAMP))
    colour = np.stack([np.interp(values, steps, RAMP[:, c]) for c in range(3)], axis=-1)
    return _blend(pixels, colour, opacity * values)


def tile_overlay(
    pixels: np.ndarray, view: TileView, colours: Sequence[str], opacity: float = 0.6
) -> np.ndarray:
    """Colour each place by the class that its tiles say, the surer the stronger.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    view : TileView
    colours : sequence of str
        One hex colour a class, in class order.
    opacity : float
        0 (the picture alone) to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3); blank places stay clear
    """
    classes = len(colours)
    known = np.nan_to_num(view.probabilities, nan=1 / classes)
    maps = np.stack([_stretch(known[..., k], *pixels.shape[:2]) for k in range(classes)], axis=-1)
    palette = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours])
    sure = (maps.max(axis=-1) * classes - 1) / max(1, classes - 1)
    return _blend(pixels, palette[maps.argmax(axis=-1)], opacity * sure.clip(0, 1))
