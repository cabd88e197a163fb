"""Two tests are the same or not; where they are not, the page says what each was and why."""

from collections.abc import Callable

import pandas as pd
import pytest

from lymph.evaluation.beside import (
    gap_sentence,
    key_of_test,
    letters_of,
    side_of,
    why_not_subtracted,
)

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


@pytest.fixture
def table(from_rows: Maker) -> pd.DataFrame:
    """Return the pictures of nine patients, three a class; two each are tested."""
    rows = [(f"{name}{who}", name, name) for name in CLASSES for who in range(3)] * 4
    made = from_rows(rows)
    return made.assign(set=made["patient"].str.endswith("2").map({True: "train", False: "test"}))


@pytest.fixture
def leaky(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same pictures, every second one tested, so that all patients are on both sides."""
    half = ["train" if place // 9 % 2 else "test" for place in range(len(table))]
    return table.assign(set=half)


def test_the_same_test_has_the_same_key_in_any_order(table: pd.DataFrame) -> None:
    again = table.sample(frac=1, random_state=1).reset_index(drop=True)
    assert key_of_test(again) == key_of_test(table)
    assert key_of_test(table, "train") != key_of_test(table)
    assert key_of_test(table.iloc[:-1].drop(index=0)) != key_of_test(table)
    moved = table.assign(patient=table["patient"].replace("CLL0", "CLL1"))
    assert key_of_test(moved) != key_of_test(table)


def test_letters_come_in_order_and_go_past_z() -> None:
    assert letters_of(["x", "y", "", "x"]) == ["A", "B", "", "A"]
    assert letters_of([str(number) for number in range(28)])[-2:] == ["AA", "AB"]


def test_honest_beside_leaky(table: pd.DataFrame, leaky: pd.DataFrame) -> None:
    honest = side_of(table, "test", "by patient", name="run A")
    flattered = side_of(leaky, "test", "by picture", name="run B")
    assert (honest.patients, honest.known_pictures, honest.known_patients) == (6, 0, 0)
    assert (flattered.patients, flattered.known_pictures, flattered.known_patients) == (9, 18, 9)
    assert flattered.leaks and flattered.stated == "cannot be stated"
    told = " ".join(why_not_subtracted(honest, flattered))
    assert "run A on 24 pictures of 6 patients, run B on 18 pictures of 9 patients, 12" in told
    assert "Run A had met none of its test patients." in told
    assert "Run B had trained on other pictures of all 9 of its test patients." in told
    assert "why run B may score higher without being better" in told
    assert told.endswith("To compare the models, train both on the same split, made by patient.")


def test_the_gap_is_said_with_the_share_that_leaks(
    table: pd.DataFrame, leaky: pd.DataFrame
) -> None:
    honest, flattered = side_of(table, "test", "by patient"), side_of(leaky, "test", "by picture")
    assert gap_sentence(honest, flattered) == (
        "100 % where all of the test pictures are of patients that the model had trained on; 100 %"
        " (48 to 100 %) where none is. Only the second says anything about a new patient."
    )


def test_two_honest_tests_and_unknown_patients(table: pd.DataFrame) -> None:
    other = table.assign(set=table["set"].map({"train": "test", "test": "train"}))
    two = [side_of(one, "test", "by patient", name=n) for one, n in ((table, "A"), (other, "B"))]
    told = " ".join(why_not_subtracted(*two))
    assert "none in common" in told and "Some patients are easier than others" in told
    assert "without being better" not in told
    unknown = side_of(table.assign(patient=table["picture"]), "test", "by picture", name="B")
    assert (unknown.patients, unknown.known_pictures, unknown.leaks) == (None, None, False)
    assert "Nobody can say" in " ".join(why_not_subtracted(two[0], unknown))


def test_a_table_that_cannot_tell_says_nothing_of_leaks(table: pd.DataFrame) -> None:
    alone = side_of(table[table["set"] == "test"], "test", "by patient", name="A")
    assert alone.known_pictures is None and not alone.leaks
    assert "met" not in " ".join(why_not_subtracted(alone, alone))
