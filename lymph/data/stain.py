"""Haematoxylin and eosin, told apart in optical density (Ruifrok & Johnston 2001, AQCH 23:291)."""

import numpy as np

# Optical density of each stain in red, green and blue, after Ruifrok and Johnston.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
UNMIX = np.linalg.inv(STAINS / np.linalg.norm(STAINS, axis=1, keepdims=True)).astype(np.float32)


def optical_density(pixels: np.ndarray) -> np.ndarray:
    """Return -ln(light let through), float32, of 8-bit RGB: stains add up there (Beer-Lambert)."""
    return -np.log((pixels.astype(np.float32) + 1.0) / 256.0)


def separate_stains(pixels: np.ndarray) -> np.ndarray:
    """Return the density of haematoxylin, eosin and the rest.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of float32, shape (H, W, 3)
        0 is bare glass; slightly negative values occur where a colour is none of the stains'.
    """
    return optical_density(pixels) @ UNMIX


def stain_picture(pixels: np.ndarray, stain: int) -> np.ndarray:
    """Show one stain alone, as the slide would look dyed with nothing else.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    stain : int
        0 for haematoxylin, 1 for eosin.
    """
    density = np.maximum(separate_stains(pixels)[..., stain, None], 0.0)
    colour = STAINS[stain] / np.linalg.norm(STAINS[stain])
    light = np.exp(-density * colour.astype(np.float32)) * 256.0 - 1.0
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)
