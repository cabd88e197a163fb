"""The published figures carry their protocol, and the notebook's are what its counts say."""

import pytest

from lymph.facts import NOTEBOOK_FIGURES, PUBLISHED


@pytest.mark.parametrize("figure", [*PUBLISHED, *NOTEBOOK_FIGURES], ids=lambda f: f.source)
def test_every_figure_is_a_share_with_its_split(figure) -> None:  # noqa: ANN001
    assert 0 < figure.value < 1
    assert figure.split and figure.method and "%" in figure.accuracy
    assert figure.leaks == ("by patient" not in figure.split)


def test_the_notebooks_figures_are_its_counts() -> None:
    shares = [round(100 * figure.value, 2) for figure in NOTEBOOK_FIGURES]
    assert shares == [50.77, 35.38, 29.41]
    # Twice the pictures called CLL plus those called FL, over the 34 of its validation set.
    assert f"{100 * (2 * 18 + 16) / 34:.2f} %" in NOTEBOOK_FIGURES[2].accuracy


def test_every_high_figure_leaks() -> None:
    assert all(figure.leaks for figure in PUBLISHED if figure.value > 0.85)
