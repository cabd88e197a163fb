"""Stains apart: what a picture was dyed with is found in it, and no amount is below zero."""

import numpy as np
import pytest
from scipy.optimize import nnls

from lymph.data.measure import measure
from lymph.data.stain import (
    TEXTBOOK,
    estimate_stains,
    optical_density,
    stain_amounts,
    stain_picture,
)

# As estimated on real lymphoma slides: the textbook's vectors find no eosin there.
SLIDE = np.array([[0.63, 0.67, 0.39], [0.34, 0.77, 0.53]])
SLIDE = (SLIDE / np.linalg.norm(SLIDE, axis=1, keepdims=True)).astype(np.float32)


def dyed(amounts: np.ndarray, vectors: np.ndarray = TEXTBOOK) -> np.ndarray:
    """Return light through so much of each stain (Beer-Lambert), H x W x 2 to H x W x 3."""
    return np.clip(np.rint(256 * np.exp(-amounts @ vectors) - 1), 0, 255).astype(np.uint8)


def even(haematoxylin: float, eosin: float) -> np.ndarray:
    return np.full((8, 8, 2), (haematoxylin, eosin))


def field(haematoxylin: float, eosin: float) -> np.ndarray:
    """Return amounts of 80 x 90 pixels: nuclei of one stain, ground of the other, and between."""
    rng = np.random.default_rng(0)
    mixed = rng.beta(0.4, 0.4, (80, 90, 1))
    strength = rng.uniform(0.6, 1.4, (80, 90, 1))
    return strength * np.concatenate([haematoxylin * mixed, eosin * (1 - mixed)], axis=-1)


@pytest.mark.parametrize(("haematoxylin", "eosin"), [(1.0, 0.0), (0.0, 0.8), (0.7, 0.4)])
def test_amounts_come_back(haematoxylin: float, eosin: float) -> None:
    """Within what 8 bits can hold."""
    pixels = dyed(even(haematoxylin, eosin))
    stains = stain_amounts(optical_density(pixels), TEXTBOOK).mean(axis=(0, 1))
    assert stains == pytest.approx([haematoxylin, eosin], abs=0.03)
    measured = measure(pixels)
    assert measured["haematoxylin"] == pytest.approx(haematoxylin, abs=0.03)
    assert measured["eosin"] == pytest.approx(eosin, abs=0.03)


def test_amounts_are_the_best_that_are_not_negative() -> None:
    """The closed form beside a solver of non-negative least squares, for colours of any kind."""
    densities = np.random.default_rng(0).uniform(-0.1, 2.0, (200, 3)).astype(np.float32)
    expected = [nnls(SLIDE.T, density)[0] for density in densities]
    found = stain_amounts(densities, SLIDE)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.min() == 0 and (found == 0).any(axis=1).mean() > 0.2


def test_a_slides_own_stains_are_found() -> None:
    """Regression: with fixed vectors 62 % of the real pictures had no eosin, or less than none."""
    pixels = dyed(field(1.2, 0.8), SLIDE)
    found = estimate_stains(pixels)
    assert found.estimated
    angles = np.degrees(np.arccos((found.vectors * SLIDE).sum(axis=1)))
    assert angles.max() < 2
    true = field(1.2, 0.8).mean(axis=(0, 1))
    measured = measure(pixels)
    assert measured["two_stains"]
    assert [measured["haematoxylin"], measured["eosin"]] == pytest.approx(true, abs=0.08)
    fixed = optical_density(pixels) @ np.linalg.pinv(TEXTBOOK)
    assert fixed[..., 1].mean() < 0.5 * true[1]


@pytest.mark.parametrize("kind", ["haematoxylin", "eosin", "grey", "glass", "tiny"])
def test_without_two_stains_the_vectors_are_the_textbooks(kind: str) -> None:
    """One stain under camera noise, no colour, no tissue: no plane to find stains in."""
    amounts = {"haematoxylin": field(1.4, 0), "eosin": field(0, 1.4)}.get(kind, field(1, 1))
    pixels = dyed(amounts)
    noise = np.random.default_rng(1).normal(0, 2, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if kind == "grey":
        pixels[...] = pixels[..., 1:2]
    if kind == "glass":
        pixels[...] = 245
    if kind == "tiny":
        pixels = pixels[:5, :5]
    found = estimate_stains(pixels)
    assert not found.estimated and found.vectors is TEXTBOOK
    if kind in ("haematoxylin", "eosin"):
        measured = measure(pixels)
        other = "eosin" if kind == "haematoxylin" else "haematoxylin"
        assert measured[other] < 0.1 * measured[kind]


def test_one_stain_alone_looks_like_itself() -> None:
    """Of a picture with both, each stain's picture is the one dyed with it alone."""
    for stain, alone in enumerate((even(0.7, 0.0), even(0.0, 0.4))):
        shown = stain_picture(dyed(even(0.7, 0.4), SLIDE), stain, SLIDE)
        assert np.abs(shown.astype(int) - dyed(alone, SLIDE)).max() <= 4


def test_glass_stays_white() -> None:
    """Bare glass has none of either stain."""
    glass = np.full((4, 4, 3), 255, np.uint8)
    assert (stain_picture(glass, 0, TEXTBOOK) == 255).all()
