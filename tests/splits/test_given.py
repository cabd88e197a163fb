"""The ready split that data bring: from folders or a table, by patient where it is one."""

from collections.abc import Sequence

import pandas as pd
import pytest

from lymph.errors import SplitError
from lymph.splits import given_split, leak_report


def table_of(patients: Sequence[str]) -> pd.DataFrame:
    """Return a picture table with one picture for each patient named."""
    pictures = [f"A/{place}.png" for place in range(len(patients))]
    return pd.DataFrame({"picture": pictures, "label": "A", "patient": list(patients)})


def given(table: pd.DataFrame, sets: Sequence[str]) -> pd.Series:
    """Return the part of each picture, in another order than the table's."""
    return pd.Series(list(sets), index=table["picture"].to_numpy())[::-1]


def test_a_split_of_whole_patients_is_by_patient() -> None:
    """Pictures without a set are in none."""
    table = table_of(["p", "p", "q", "r", "s"])
    split = given_split(table, given(table, ["train", "train", "val", "test", ""]))
    assert split.by == "patient"
    assert split.sets == {"train": ["p"], "val": ["q"], "test": ["r"]}


def test_a_split_through_patients_is_by_picture_so_that_its_leak_shows() -> None:
    """Most ready splits on the net are such: half of the test is of a patient in training."""
    table = table_of(["p", "p", "q", "r"])
    split = given_split(table, given(table, ["train", "test", "test", "train"]))
    assert split.by == "picture"
    leak = leak_report(table, split)
    assert (leak.leaked_patients, leak.leaked_test_share) == (["p"], 0.5)


def test_without_a_test_set_the_validation_is_the_test() -> None:
    """Train and val only, as many challenges hand out."""
    table = table_of(["p", "q"])
    split = given_split(table, given(table, ["train", "val"]))
    assert split.sets == {"train": ["p"], "val": [], "test": ["q"]}


def test_folds_come_in_their_order() -> None:
    """Fold 10 comes after fold 2."""
    table = table_of(["p", "q", "r"])
    split = given_split(table, given(table, ["fold 10", "fold 2", "fold 1"]))
    assert split.folds == [["r"], ["q"], ["p"]]


@pytest.mark.parametrize("sets", [["", ""], ["train", "train"], ["fold 1", "fold 1"], ["A", "B"]])
def test_what_is_no_split_is_refused(sets: list[str]) -> None:
    """The error says what the data bring and what it takes."""
    table = table_of(["p", "q"])
    with pytest.raises(SplitError, match=r"no ready split.*split by patient instead"):
        given_split(table, given(table, sets))
