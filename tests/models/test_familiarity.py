"""The check for strange pictures: tissue passes, photographs and blank glass do not."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from lymph.data.read import read_picture
from lymph.data.scan import scan, usable
from lymph.models.familiarity import Familiarity, colour_statistics, fit_familiarity


def fitted_on(root: Path) -> Familiarity:
    """Fit on every sound picture of a folder."""
    table = usable(scan(root))
    statistics = np.stack([colour_statistics(read_picture(root / p)) for p in table["picture"]])
    return fit_familiarity(statistics, table["patient"].to_numpy(str))


def test_photographs_and_blanks_are_strange(make_tiny) -> None:  # noqa: ANN001
    """A fit on stripes: its own pictures are familiar, anything else is not."""
    root = make_tiny(pictures=6)
    check = fitted_on(root)
    own = [check.is_familiar(read_picture(file)) for file in root.glob("*/*.png")]
    assert np.mean(own) >= 0.9
    strange = [*load_sample_images().images, np.full((50, 50, 3), 255, np.uint8)]
    assert not any(check.is_familiar(picture) for picture in strange)


def test_it_survives_its_file(make_tiny) -> None:  # noqa: ANN001
    """Written as JSON and read back, it gives the same distances."""
    check = fitted_on(make_tiny())
    picture = load_sample_images().images[0]
    again = Familiarity.from_json(check.to_json())
    assert again.distance(picture) == pytest.approx(check.distance(picture), rel=1e-12)


def test_a_picture_of_one_pixel_has_statistics() -> None:
    """Nothing is divided by zero."""
    assert np.isfinite(colour_statistics(np.zeros((1, 1, 3), np.uint8))).all()
