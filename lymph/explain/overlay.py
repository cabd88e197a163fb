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


def laid_over(pixels: np.ndarray, layer: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lay a layer over a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    layer : ndarray of uint8, shape (h, w, 4)
        RGBA, as `heat_layer` and `tile_layer` make it; stretched over the whole picture.
    opacity : float
        0 (the picture alone) to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    size = pixels.shape[1], pixels.shape[0]
    stretched = np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.BILINEAR))
    weight = opacity * stretched[..., 3:].astype(np.float32) / 255
    mixed = pixels * (1 - weight) + stretched[..., :3].astype(np.float32) * weight
    return np.rint(mixed).astype(np.uint8)


def heat_layer(heat: np.ndarray, height: int, width: int) -> np.ndarray:
    """Colour a heat map; where nothing speaks for the class it is clear.

    Parameters
    ----------
    heat : ndarray, shape (h, w)
        0 to 1; stretched over the whole picture.
    height, width : int
        Of the layer, in pixels.

    Returns
    -------
    ndarray of uint8, shape (height, width, 4)
        RGBA; the alpha is the heat.
    """
    values = _stretch(heat, height, width)
    steps = np.linspace(0, 1, len(RAMP))
    colour = np.stack([np.interp(values, steps, RAMP[:, c]) for c in range(3)], axis=-1)
    return _rgba(colour, values)


def tile_layer(view: TileView, colours: Sequence[str], height: int, width: int) -> np.ndarray:
    """Colour each place by the class that its tiles say, the surer the stronger.

    Parameters
    ----------
    view : TileView
    colours : sequence of str
        One hex colour a class, in class order.
    height, width : int
        Of the layer, in pixels.

    Returns
    -------
    ndarray of uint8, shape (height, width, 4)
        RGBA; blank places stay clear.
    """
    classes = len(colours)
    known = np.nan_to_num(view.probabilities, nan=1 / classes)
    maps = np.stack([_stretch(known[..., k], height, width) for k in range(classes)], axis=-1)
    palette = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours])
    sure = (maps.max(axis=-1) * classes - 1) / max(1, classes - 1)
    return _rgba(palette[maps.argmax(axis=-1)], sure.clip(0, 1))


def _rgba(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    layer = np.concatenate([colour, 255 * alpha[..., None]], axis=-1)
    return np.rint(layer).astype(np.uint8)


def heat_overlay(pixels: np.ndarray, heat: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lay a heat map over a picture; see `heat_layer` and `laid_over`."""
    return laid_over(pixels, heat_layer(heat, *pixels.shape[:2]), opacity)


def tile_overlay(
    pixels: np.ndarray, view: TileView, colours: Sequence[str], opacity: float = 0.6
) -> np.ndarray:
    """Lay the classes that tiles say over a picture; see `tile_layer` and `laid_over`."""
    return laid_over(pixels, tile_layer(view, colours, *pixels.shape[:2]), opacity)
