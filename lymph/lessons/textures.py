"""Drawn textures that stand in for ImageNet: enough to teach a small network edges and grains.

ImageNet's own values are a download of 98 MB and a network that takes minutes; a lesson has one.
"""

import numpy as np

from lymph.models.specs import ModelSpec
from lymph.training.dataset import Batches

KINDS = 8


def _texture(kind: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one grey texture between -1 and 1: stripes of four ways, checks, dots, clouds, noise."""
    y, x = np.mgrid[:side, :side] + rng.uniform(0, side, (2, 1, 1))
    period = rng.uniform(4, 10)
    if kind < 4:
        angle = kind * np.pi / 4 + rng.normal(0, 0.1)
        return np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    waves = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period)
    if kind == 4:
        return np.sign(waves)
    if kind == 5:
        return np.where(waves > 0.6, 1.0, -0.6)
    if kind == 6:
        coarse = rng.normal(size=(side // 8, side // 8))
        return np.clip(np.kron(coarse, np.ones((8, 8)))[:side, :side] / 2, -1, 1)
    return np.clip(rng.normal(0, 0.6, (side, side)), -1, 1)


def draw_textures(count: int, side: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return textures, count x side x side uint8, and their kinds, count int64.

    ``side`` is a multiple of 8.
    """
    rng = np.random.default_rng(seed)
    kinds = np.arange(count) % KINDS
    drawn = [_texture(int(kind), side, rng) for kind in kinds]
    bright = rng.uniform(90, 165, (count, 1, 1))
    noisy = bright + rng.uniform(30, 80, (count, 1, 1)) * np.stack(drawn)
    noisy = noisy + rng.normal(0, 8, noisy.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), kinds.astype(np.int64)


def texture_batches(count: int, spec: ModelSpec, batch_size: int) -> Batches:
    """Return batches of textures to train on."""
    pixels, kinds = draw_textures(count, spec.size[0])
    return Batches(pixels, np.arange(count), kinds, spec, batch_size, training=True)
