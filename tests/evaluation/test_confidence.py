"""What a model's confidence is worth: never more than its validation pictures have shown."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lymph.evaluation import apply_temperature, confidence_of, probabilities_of

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


def validation(from_rows: Maker, right: int, sure: float = 0.97, patients: int = 5) -> pd.DataFrame:
    """Return 100 validation pictures, so many of them right, all answered with one confidence."""
    rows = [
        (f"p{place % patients}", CLASSES[place % 3], CLASSES[(place + (place >= right)) % 3])
        for place in range(100)
    ]
    return from_rows(rows, sure=sure, set_name="val")


def shown(table: pd.DataFrame) -> float:
    """Return the confidence that an answer like those of the table shows: even where none may."""
    found = confidence_of(table)
    if not found.stated:
        return 1 / 3
    return float(probabilities_of(apply_temperature(table, found.temperature)).max())


@pytest.mark.parametrize("sure", [0.7, 0.97, 0.999999])
def test_the_worse_on_validation_the_less_sure(from_rows: Maker, sure: float) -> None:
    """Regression: at the bound the temperature became 1, and the worst models answered .97."""
    seen = [shown(validation(from_rows, right, sure)) for right in range(100, -1, -10)]
    assert np.all(np.diff(seen) <= 1e-9)
    assert seen[0] == pytest.approx(sure, abs=1e-6) and seen[-1] == 1 / 3
    # What is shown is what was found: no more than the share that was right.
    middle = shown(validation(from_rows, 60, sure))
    assert middle == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("right", [36, 39])
def test_a_confidence_without_information_is_said_to_be_so(from_rows: Maker, right: int) -> None:
    """Regression: validation 36 % right at .97 was used as it was, 39 % at a temperature of 17."""
    table = validation(from_rows, right)
    found = confidence_of(table)
    assert not found.stated
    assert "carries no information" in found.words
    assert f"97 % sure on average and right in {right} %" in found.words
    assert "100 validation pictures of 5 patients" in found.words
    assert probabilities_of(apply_temperature(table, found.temperature)).max() < 0.4


def test_an_unchecked_confidence_is_not_stated(from_rows: Maker) -> None:
    """No validation set, as after a cross-validation, or fewer than three patients in it."""
    table = validation(from_rows, 90)
    assert "never checked" in confidence_of(table.assign(set="test")).words
    few = confidence_of(validation(from_rows, 90, patients=2))
    assert not few.stated and "100 validation pictures of 2 patients are too few" in few.words
    assert confidence_of(validation(from_rows, 90, patients=3)).stated


def test_it_says_what_it_rests_on(from_rows: Maker) -> None:
    """The temperature, the pictures, a leak, and that nobody knows the patients."""
    assert "temperature of" in confidence_of(validation(from_rows, 60)).words
    table = validation(from_rows, 100)
    assert confidence_of(table).words == (
        "Its confidence was checked on 100 validation pictures of 5 patients."
    )
    trained = table.assign(set="train", picture="t" + table["picture"])
    assert "has trained on some of them" in confidence_of(pd.concat([table, trained])).words
    alone = confidence_of(table.assign(patient=table["picture"]))
    assert alone.stated and "unknown patients" in alone.words
