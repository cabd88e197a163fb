"""Three ways to change what its stain tells of a picture. Imports no torch.

Optical densities add up where stains lie on each other (Beer-Lambert).
"""

from collections.abc import Callable

import numpy as np

from lymph.data.stain import optical_density, pixels_of_density

# Optical density of the mean picture that all are brought to: mean and deviation a channel.
TARGET_MEAN = np.array([0.55, 0.85, 0.45])
TARGET_STD = np.array([0.25, 0.30, 0.20])


def grey(pictures: np.ndarray) -> np.ndarray:
    """Return pictures, N x H x W x 3 uint8, without colour: three equal channels."""
    luma = pictures.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(np.rint(luma).astype(np.uint8)[..., None], 3, axis=-1)


def normalise(pictures: np.ndarray) -> np.ndarray:
    """Bring every picture, N x H x W x 3 uint8, to one mean and deviation of each channel.

    Reinhard's idea (2001, IEEE CG&A 21(5):34) in optical densities instead of his colour space.
    """
    density = optical_density(pictures)
    mean = density.mean(axis=(1, 2), keepdims=True)
    std = density.std(axis=(1, 2), keepdims=True) + 1e-6
    return pixels_of_density((density - mean) / std * TARGET_STD + TARGET_MEAN)


def jitter(pictures: np.ndarray, seed: int = 0) -> np.ndarray:
    """Stain every picture, N x H x W x 3 uint8, anew by chance, as training does and as strongly.

    Each of the three stains is multiplied by a factor and shifted, both drawn for every picture
    (Tellez et al. 2019, arXiv 1902.06543); the same seed draws the same.
    """
    # Loaded late: pages import this module and only a jittered picture needs torch.
    import torch

    from lymph.models.inputs import augment, draw

    draws = draw(len(pictures), torch.Generator().manual_seed(seed))
    floats = augment(pictures, ["stain"], draws)
    return floats.mul(255).round().byte().permute(0, 2, 3, 1).numpy()


VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": np.asarray,
    "grey": grey,
    "normalised": normalise,
    "jittered": jitter,
}


def mean_colours(pictures: np.ndarray) -> np.ndarray:
    """Return the mean colour of pictures, N x 3 between 0 and 1: not one cell is left to see."""
    return pictures.reshape(len(pictures), -1, 3).mean(axis=1) / 255.0
