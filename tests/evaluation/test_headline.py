"""The sentence that is read first is true of every kind of test, not of the usual one alone."""

from collections.abc import Callable

import pandas as pd
import pytest

from lymph.evaluation import choose_set, headline, patient_results
from lymph.predictions import read_predictions
from lymph.runs.ready import HONEST, LEAKY, READY

Maker = Callable[..., pd.DataFrame]
FINE = [("f", "FL", "FL")] * 4


def test_the_run_that_comes_along_says_whose_the_mistakes_are() -> None:
    words = headline(read_predictions(READY / HONEST / "predictions.csv"))
    assert words == (
        "3 of 6 patients are classified correctly; the most frequent mistake is MCL called FL, in"
        " 14 pictures of both patients with MCL."
    )


def test_a_leak_is_told_in_the_same_breath() -> None:
    """A figure of 96 % that stood alone would be quoted alone."""
    words = headline(read_predictions(READY / LEAKY / "predictions.csv"))
    assert "But the model had trained on other pictures of" in words
    assert words.endswith("so this says nothing about new patients.")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Its only patient makes every mistake of a class, and is no odd one out.
        (
            [("a", "CLL", "MCL")] * 3 + FINE,
            "1 of 2 patients is classified correctly; all 3 pictures of CLL called MCL come from a,"
            " the only patient with CLL here.",
        ),
        (
            [("a", "CLL", "MCL")] * 3 + [("b", "CLL", "CLL")] + FINE,
            "2 of 3 patients are classified correctly; all 3 pictures of CLL called MCL come from"
            " one patient, a.",
        ),
        (
            [("a", "CLL", "MCL")] * 3 + [("b", "CLL", "MCL"), ("c", "CLL", "CLL")] + FINE,
            "2 of 4 patients are classified correctly; the most frequent mistake is CLL called MCL,"
            " in 4 pictures of 2 of 3 patients with CLL.",
        ),
        # Two mistakes as frequent as one another: neither is the most frequent.
        (
            [("a", "CLL", "MCL"), ("b", "CLL", "MCL"), ("f", "FL", "CLL"), ("f", "FL", "CLL")],
            "None of the 3 patients is classified correctly; no mistake is more frequent than CLL"
            " called MCL, in 2 pictures of both patients with CLL.",
        ),
        (
            [("a", "CLL", "MCL"), ("a", "CLL", "FL"), *FINE],
            "1 of 2 patients is classified correctly; no class is taken for another more than"
            " once.",
        ),
        (
            [("a", "CLL", "MCL"), ("a", "CLL", "CLL"), ("a", "CLL", "CLL"), *FINE],
            "Both patients are classified correctly; the only mistake is a picture of CLL called"
            " MCL, from patient a.",
        ),
        (
            [*FINE, ("a", "CLL", "CLL")],
            "Both patients are classified correctly, in all 5 pictures.",
        ),
        (FINE, "The only patient is classified correctly, in all 4 pictures."),
        (
            [("a", "CLL", "FL"), *FINE],
            "1 of 2 patients is classified correctly; the model calls every picture FL.",
        ),
        (
            [("a", "CLL", "CLL"), ("a", "FL", "FL")],
            "Both patients are classified correctly (counted once per class), in both pictures.",
        ),
    ],
)
def test_every_kind_of_test_has_its_sentence(
    from_rows: Maker, rows: list[tuple[str, str, str]], expected: str
) -> None:
    assert headline(from_rows(rows)) == expected


def test_unknown_patients_are_never_counted(from_rows: Maker) -> None:
    """Each picture as its own patient made "7 of 9 patients" of pictures of perhaps one."""
    table = from_rows([("a", "CLL", "MCL")] * 2 + FINE)
    words = headline(table.assign(patient=table["picture"]))
    assert words == (
        "4 of 6 pictures are classified correctly, of patients nobody knows; the most frequent"
        " mistake is CLL called MCL, in 2 pictures."
    )


def test_folds_are_told_as_such_and_leak_where_a_patient_is_in_two(from_rows: Maker) -> None:
    table = from_rows([("a", "CLL", "MCL")] * 2 + FINE)
    apart = table.assign(fold=table["patient"].map({"a": "0", "f": "1"}))
    assert headline(apart, "out-of-fold").startswith("Out of fold, 1 of 2 patients is classified")
    mixed = table.assign(fold=["0", "1", "0", "1", "0", "1"])
    assert "other pictures of both patients" in headline(mixed, "out-of-fold")


def test_the_training_set_says_so(from_rows: Maker) -> None:
    assert headline(from_rows(FINE, set_name="train"), "train").endswith(
        "It has learned from these very pictures."
    )


def test_patients_stand_the_worst_first_and_add_up(random_table: Maker) -> None:
    table = choose_set(random_table(pictures=300, patients=30, seed=5), "test")
    found = patient_results(table)
    assert found["share"].is_monotonic_increasing
    assert found["pictures"].sum() == len(table)
    assert found["right"].sum() == (table["label"] == table["predicted"]).sum()
    for row in found.itertuples():
        own = table[table["patient"] == row.patient]
        assert row.right == (own["label"] == own["predicted"]).sum()
        assert row.probability == pytest.approx(own[f"p_{row.label}"].mean())


def test_a_patient_of_two_classes_has_a_row_for_each(from_rows: Maker) -> None:
    found = patient_results(from_rows([("a", "CLL", "CLL"), ("a", "FL", "CLL"), ("b", "FL", "FL")]))
    assert found[["patient", "label", "right"]].to_numpy().tolist() == [
        ["a", "FL", 0],
        ["a", "CLL", 1],
        ["b", "FL", 1],
    ]
