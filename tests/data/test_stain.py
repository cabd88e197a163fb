"""Stains apart: a picture dyed with known amounts gives these amounts back."""

import numpy as np
import pytest

from lymph.data.measure import measure
from lymph.data.stain import STAINS, separate_stains, stain_picture


def dyed(haematoxylin: float, eosin: float) -> np.ndarray:
    """Return one colour: light through so much of each stain (Beer-Lambert)."""
    colours = STAINS / np.linalg.norm(STAINS, axis=1, keepdims=True)
    density = haematoxylin * colours[0] + eosin * colours[1]
    return np.full((8, 8, 3), np.rint(256 * np.exp(-density) - 1), np.uint8)


@pytest.mark.parametrize(("haematoxylin", "eosin"), [(1.0, 0.0), (0.0, 0.8), (0.7, 0.4)])
def test_amounts_come_back(haematoxylin: float, eosin: float) -> None:
    """Within what 8 bits can hold."""
    stains = separate_stains(dyed(haematoxylin, eosin)).mean(axis=(0, 1))
    assert stains == pytest.approx([haematoxylin, eosin, 0.0], abs=0.03)
    measured = measure(dyed(haematoxylin, eosin))
    assert measured["haematoxylin"] == pytest.approx(haematoxylin, abs=0.03)
    assert measured["eosin"] == pytest.approx(eosin, abs=0.03)


def test_one_stain_alone_looks_like_itself() -> None:
    """Of a picture with both, each stain's picture is the one dyed with it alone."""
    both = dyed(0.7, 0.4)
    for stain, alone in enumerate((dyed(0.7, 0.0), dyed(0.0, 0.4))):
        assert np.abs(stain_picture(both, stain).astype(int) - alone).max() <= 4


def test_glass_stays_white() -> None:
    """Bare glass has none of either stain."""
    glass = np.full((4, 4, 3), 255, np.uint8)
    assert np.abs(separate_stains(glass)).max() < 1e-6
    assert (stain_picture(glass, 0) == 255).all()
