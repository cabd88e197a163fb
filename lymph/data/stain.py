"""Haematoxylin and eosin, told apart in optical density, where stains add up (Beer-Lambert).

The colours of the two stains differ from slide to slide, so they are estimated in each picture
(Macenko et al. 2009, ISBI, 1107); each pixel then gets the two amounts, neither below zero, that
explain its colour best.
"""

from typing import NamedTuple

import numpy as np

# Optical density of haematoxylin, eosin and DAB in red, green and blue (Ruifrok and Johnston 2001,
# Anal Quant Cytol Histol 23:291), the values of scikit-image's rgb_from_hed.
RGB_FROM_HED = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
TEXTBOOK = (RGB_FROM_HED[:2] / np.linalg.norm(RGB_FROM_HED[:2], axis=1, keepdims=True)).astype(
    np.float32
)

# The published bounds: paler pixels say little of a stain, and a percent at either end is noise.
PALE = 0.15
OUTER = (1.0, 99.0)
# Colours that leave one line by less than this show one stain and the camera's noise: at most 0.020
# where only one was drawn, at least 0.029 where there are two (drawn and real lymphoma sets).
ONE_LINE = 0.024
FEWEST = 50
SAMPLE_SIDE = 64
STRIP_PIXELS = 1_000_000


class StainVectors(NamedTuple):
    """Optical density of haematoxylin and eosin in red, green and blue.

    Attributes
    ----------
    vectors : ndarray of float32, shape (2, 3)
        Haematoxylin, then eosin, each of length 1.
    estimated : bool
        From the picture itself; otherwise these are the textbook's.
    """

    vectors: np.ndarray
    estimated: bool


def optical_density(pixels: np.ndarray) -> np.ndarray:
    """Return -ln(light let through) of pixels, 0 to 255: stains add up there (Beer-Lambert).

    It is float32 of 8-bit pixels, and float64 of float64.
    """
    return -np.log((pixels.astype(np.result_type(pixels, np.float32)) + 1.0) / 256.0)


def pixels_of_density(density: np.ndarray) -> np.ndarray:
    """Return 8-bit pixels, uint8, of optical densities."""
    return np.clip(np.rint(256.0 * np.exp(-density) - 1.0), 0, 255).astype(np.uint8)


def channel_moments(density: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.floating]]:
    """Return mean, deviation and the three correlations of the channels of densities, N x 3."""
    mean, deviations = density.mean(axis=0), density.std(axis=0)
    normal = (density - mean) / (deviations + 1e-3)
    pairs = [(normal[:, i] * normal[:, j]).mean() for i, j in ((0, 1), (0, 2), (1, 2))]
    return mean, deviations, pairs


def estimate_stains(pixels: np.ndarray) -> StainVectors:
    """Estimate the stain vectors of a picture as Macenko et al. (2009) do.

    The optical densities of a picture with two stains lie in a plane, between the two stains:
    these are the outermost directions found there. A picture with one stain, without colour or
    with hardly any tissue has no such plane and gets the textbook's vectors.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    """
    density = optical_density(_sample(pixels)).reshape(-1, 3)
    density = density[density.min(axis=1) > PALE]
    if len(density) < FEWEST:
        return StainVectors(TEXTBOOK, False)
    spread, axes = np.linalg.eigh(np.cov(density, rowvar=False))
    if spread[1] < ONE_LINE**2:
        return StainVectors(TEXTBOOK, False)
    # The two main directions, the first turned towards the pixels: angles are then around zero.
    plane = axes[:, [2, 1]] * np.where((density @ axes[:, [2, 1]]).mean(axis=0) < 0, -1.0, 1.0)
    along, across = (density @ plane).T
    ends = np.percentile(np.arctan2(across, along), OUTER)
    vectors = np.stack([np.cos(ends), np.sin(ends)], axis=1) @ plane.T
    vectors = np.maximum(vectors, 0.0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Haematoxylin takes more of the red light.
    by_red = vectors[np.argsort(-vectors[:, 0])]
    return StainVectors(by_red.astype(np.float32), True)


def _sample(pixels: np.ndarray) -> np.ndarray:
    """Return single pixels on a grid: means of neighbours would mix the stains."""
    height, width = pixels.shape[:2]
    rows = np.linspace(0, height - 1, min(height, SAMPLE_SIDE)).round().astype(int)
    columns = np.linspace(0, width - 1, min(width, SAMPLE_SIDE)).round().astype(int)
    return pixels[rows[:, None], columns]


def stain_amounts(density: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return how much of each stain explains an optical density best, none of them below zero.

    Parameters
    ----------
    density : ndarray of float32, shape (..., 3)
    vectors : ndarray of float32, shape (2, 3)
        Each of length 1.

    Returns
    -------
    ndarray of float32, shape (..., 2)
        Haematoxylin and eosin; 0 is bare glass.
    """
    alone = np.maximum(density @ vectors.T, 0.0)
    both = density @ np.linalg.pinv(vectors)
    # Where one stain would have to be negative, the other explains the colour alone.
    without = both < 0
    return np.where(without, 0.0, np.where(without[..., ::-1], alone, both))


def stain_picture(pixels: np.ndarray, stain: int, vectors: np.ndarray) -> np.ndarray:
    """Show one stain alone, as the slide would look dyed with nothing else.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    stain : int
        0 for haematoxylin, 1 for eosin.
    vectors : ndarray of float32, shape (2, 3)
        From :func:`estimate_stains`.
    """
    shown = np.empty_like(pixels)
    rows = max(1, STRIP_PIXELS // max(1, pixels.shape[1]))
    for top in range(0, len(pixels), rows):
        amounts = stain_amounts(optical_density(pixels[top : top + rows]), vectors)
        shown[top : top + rows] = pixels_of_density(amounts[..., stain, None] * vectors[stain])
    return shown
