"""What lies next to an image, beside the leak meter's accuracy."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.waiting import PATIENCE

FOUND = {
    "pictures": 12,
    "patients": 6,
    "same_patient": 0.5,
    "same_class": 0.25,
    "other_class": 0.25,
    "index": 1 / 3,
    "index_interval": [0.1, 0.7],
    "index_by_chance": 0.6,
    "mixed": 0.75,
    "apart": 0.4,
    "apart_interval": [0.2, 0.7],
    "apart_by_chance": 0.4,
}


def shown(found: dict | None) -> AppTest:
    """Draw the part for a result."""

    def script(found: dict | None) -> None:
        from pages.shared.split.neighbours_view import show_neighbours

        show_neighbours({"neighbours": found}, "colours alone")

    return AppTest.from_function(script, args=(found,)).run(timeout=PATIENCE)


@pytest.mark.parametrize("interval", [[0.1, 0.7], None])
def test_the_index_comes_with_chance_and_interval(interval: list[float] | None) -> None:
    """And without one where it would rest on one patient."""
    app = shown({**FOUND, "index_interval": interval})
    assert not app.exception
    text = " ".join(each.value for each in [*app.markdown, *app.caption]).replace("\\", "")
    assert "Robustness index 0.33 (by chance: 0.60)" in text
    assert ("0.10 to 0.70" in text) == bool(interval)
    assert "2501.18055" in text


def test_of_an_older_measurement_or_the_small_cnn_nothing_is_drawn() -> None:
    """Neither counted neighbours."""
    app = shown(None)
    assert not app.exception and not app.markdown
