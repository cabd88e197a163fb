"""Grey, normalised and jittered pictures do what the lesson says of them."""

import numpy as np
import pytest

from lymph.data.stain import optical_density, pixels_of_density
from lymph.lessons.colour_views import grey, jitter, mean_colours, normalise
from lymph.models.inputs import HED_FROM_RGB, MAX_DENSITY, MAX_STAIN


@pytest.fixture
def pictures() -> np.ndarray:
    """Return two pictures of one texture in different stains, 2 x 24 x 24 x 3 uint8."""
    rng = np.random.default_rng(3)
    density = rng.uniform(0.3, 1.2, (24, 24, 1)) * np.array([0.6, 0.9, 0.4])
    stained = np.stack([density * 0.8 + 0.1, density * np.array([1.2, 0.9, 1.4])])
    return pixels_of_density(stained)


def test_density_and_back_is_the_same_picture(pictures: np.ndarray) -> None:
    assert np.abs(pixels_of_density(optical_density(pictures)).astype(int) - pictures).max() <= 1


def test_grey_has_no_colour_left(pictures: np.ndarray) -> None:
    drained = grey(pictures)
    assert drained.shape == pictures.shape and drained.dtype == np.uint8
    assert (drained[..., :1] == drained).all()


def test_normalising_makes_two_stains_alike(pictures: np.ndarray) -> None:
    before = np.ptp(mean_colours(pictures), axis=0).max()
    after = np.ptp(mean_colours(normalise(pictures)), axis=0).max()
    assert after < 0.02 < before


def test_a_single_colour_can_be_normalised() -> None:
    flat = np.full((1, 8, 8, 3), 200, np.uint8)
    assert np.isfinite(mean_colours(normalise(flat))).all()


def test_jitter_changes_the_colour_and_not_the_drawing(pictures: np.ndarray) -> None:
    jittered = jitter(pictures, seed=1)
    assert np.abs(mean_colours(jittered) - mean_colours(pictures)).max() > 0.01
    for before, after in zip(pictures, jittered, strict=True):
        channels = (before[..., 1].ravel(), after[..., 1].ravel())
        assert np.corrcoef(*channels)[0, 1] > 0.95
    assert (jittered == jitter(pictures, seed=1)).all()
    assert (jittered != jitter(pictures, seed=2)).any()


def test_jitter_is_as_strong_as_in_training_and_no_stronger(pictures: np.ndarray) -> None:
    """Regression: the lesson shifted every stain four times as far as training does."""
    many = np.repeat(pictures, 100, axis=0)
    before, after = (
        (-np.log(stack / 255.0) @ HED_FROM_RGB.numpy()).mean(axis=(1, 2))
        for stack in (many, jitter(many))
    )
    moved = np.abs(after - before)
    most = MAX_STAIN * np.abs(before) + MAX_DENSITY
    # Whole grey levels and white that cannot get whiter leave a little.
    assert (moved < most + 0.02).all()
    assert moved.max() > 0.6 * most.max()
