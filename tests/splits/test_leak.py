"""The leak report against counts made by hand."""

import pytest

from lymph.splits import Split, leak_report, make_folds, summary

from .conftest import even_table, table_of

TABLE = table_of({"A": {"a": 3, "b": 2}, "B": {"c": 4, "d": 1}})


def by_picture(train: list[str], val: list[str], test: list[str]) -> Split:
    """Return a split by picture from names without class and ending."""
    labels = {"a": "A", "b": "A", "c": "B", "d": "B"}
    groups = {"train": train, "val": val, "test": test}
    full = {k: [f"{labels[n[0]]}/{n}.png" for n in names] for k, names in groups.items()}
    return Split("picture", 0, full)


def test_a_known_leak() -> None:
    """Three of four test pictures come from patients a and c, who train; d tests only."""
    split = by_picture(["a_0", "b_0", "c_0"], ["b_1"], ["a_1", "a_2", "c_1", "d_0"])
    report = leak_report(TABLE, split)
    assert report == (["a", "c"], 3, 4)
    assert report.leaked_test_share == 0.75
    assert report.sentence == (
        "3 of 4 test pictures come from patients that the model trains on."
    )  # fmt: skip


def test_validation_does_not_count_as_training() -> None:
    """A patient in validation and test is not one that the model trains on."""
    report = leak_report(TABLE, by_picture(["b_0", "c_0"], ["a_0"], ["a_1", "d_0"]))
    assert report == ([], 0, 2)
    assert report.leaked_test_share == 0.0
    assert report.sentence.startswith("No test picture comes from a patient")


def test_no_test_pictures_is_no_division_by_zero() -> None:
    """Without test pictures the share is 0 and the sentence says why."""
    report = leak_report(TABLE, by_picture(["a_0", "c_0"], [], []))
    assert report == ([], 0, 0) and report.leaked_test_share == 0.0
    assert report.sentence == "This split has no test pictures."


def test_folds_are_each_held_against_the_rest() -> None:
    """Patient a is in both folds: each of its pictures leaks once; b and d lie in one fold."""
    folds = [["A/a_0.png", "A/b_0.png", "A/b_1.png"], ["A/a_1.png", "A/a_2.png", "B/d_0.png"]]
    assert leak_report(TABLE, Split("picture", 0, folds=folds)) == (["a"], 3, 6)


def test_folds_by_patient_never_leak() -> None:
    """Folds by patient have nothing to report and test every picture once."""
    table = even_table(3, 7, 4)
    assert leak_report(table, make_folds(table, 4)) == ([], 0, 84)


def test_the_summary_is_that_of_the_contract() -> None:
    """Pictures, patients and classes of every set, absent classes as 0, and the leak."""
    split = Split("patient", 0, {"train": ["a", "c"], "val": [], "test": ["b"]})
    assert summary(TABLE, split) == {
        "sets": {
            "train": {"pictures": 7, "patients": 2, "classes": {"A": 3, "B": 4}},
            "val": {"pictures": 0, "patients": 0, "classes": {"A": 0, "B": 0}},
            "test": {"pictures": 2, "patients": 1, "classes": {"A": 2, "B": 0}},
        },
        "leaked_patients": [],
        "leaked_test_share": 0.0,
    }
    leaky = summary(TABLE, by_picture(["a_0"], [], ["a_1", "d_0"]))
    assert leaky["leaked_patients"] == ["a"]
    assert leaky["leaked_test_share"] == pytest.approx(0.5)
    folds = Split("patient", 0, folds=[["a", "d"], ["b", "c"]])
    assert list(summary(TABLE, folds)["sets"]) == ["fold 1", "fold 2"]


def test_pictures_outside_every_fold_train_nobody() -> None:
    """A picture in no fold leaks nothing, although its patient is tested."""
    folds = [["A/a_0.png", "B/d_0.png"], ["A/b_0.png", "B/c_0.png"]]
    assert leak_report(TABLE, Split("picture", 0, folds=folds)) == ([], 0, 4)
