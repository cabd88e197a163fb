"""Advice: what cannot be trained is told apart from what is merely doubtful, for folds as well."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lymph.splits import (
    Split,
    advice,
    fold_sets,
    make_folds,
    split_by_patient,
    split_by_picture,
    untrainable,
)

from .conftest import even_table, table_of, tables


def one_of(label: str, others: int = 4) -> pd.DataFrame:
    """Return a table whose class ``label`` has one patient, and two classes with several."""
    several = {c: {f"{c}{i}": 3 for i in range(others)} for c in ("B", "C")}
    return table_of({label: {f"{label}0": 3}, **several})


def learns_every_class(table: pd.DataFrame, folds: Split, fold: int) -> bool:
    """Make the fold's sets as training does, and look."""
    sets = fold_sets(table, folds, fold).assign(table)
    return set(table["label"][sets == "train"]) == set(table["label"])


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(), k=st.integers(2, 8), seed=st.integers(0, 10**6), by_patient=st.booleans())
def test_folds_are_refused_exactly_where_training_would_fail(
    table: pd.DataFrame, k: int, seed: int, by_patient: bool
) -> None:
    """For any table, patients of several classes too: no false alarm, and none is missed."""
    by = "patient" if by_patient else "picture"
    folds = make_folds(table, min(k, table[by].nunique()), by, seed)
    numbers = range(len(folds.folds or []))
    assert bool(untrainable(table, folds)) == (
        not all(learns_every_class(table, folds, fold) for fold in numbers)
    )
    assert all(isinstance(sentence, str) for sentence in advice(table, folds))


@pytest.mark.parametrize("k", [2, 5, 9])
def test_folds_that_test_a_classes_only_patient_are_named(k: int) -> None:
    """Regression: one patient out, and folds, were green and failed in training."""
    table = one_of("A")
    folds = make_folds(table, k)
    (number,) = [i for i, fold in enumerate(folds.folds or [], start=1) if "A0" in fold]
    (sentence,) = untrainable(table, folds)
    assert sentence == (
        f"A has no training pictures in fold {number}, so it cannot be learnt there: its only"
        " patient is the one being tested. Add patients of A, or exclude the class."
    )


def test_many_classes_of_one_patient_are_counted() -> None:
    """Three are told of in full, those beyond in one sentence."""
    table = table_of({f"class {i}": {f"p{i}": 2} for i in range(8)})
    told = untrainable(table, make_folds(table, 8))
    assert [sentence.split(" has")[0] for sentence in told[:3]] == ["class 0", "class 1", "class 2"]
    assert told[3] == "The same is true of class 3, class 4, class 5 and 2 more."


@pytest.mark.parametrize("k", [2, 6])
def test_two_patients_of_each_class_are_enough_for_folds(k: int) -> None:
    """The one that is not tested trains; nobody is missing for a validation."""
    table = even_table(3, 2, 3)
    folds = make_folds(table, k)
    assert untrainable(table, folds) == [] == advice(table, folds)


def test_a_fold_without_test_pictures_of_a_class_is_normal() -> None:
    """One patient out tests one class a fold, and is nothing to warn of."""
    table = even_table(3, 4, 3)
    assert advice(table, make_folds(table, 12)) == []
    assert untrainable(table, make_folds(table, 12)) == []


def test_folds_from_a_file_that_test_a_whole_class_at_once() -> None:
    """Made by hand: all patients of one class in one fold, and a class in none of the folds."""
    table = even_table(3, 2, 3)
    together = Split("patient", 0, folds=[["0-000", "0-001", "1-000"], ["1-001", "2-000", "2-001"]])
    told = untrainable(table, together)
    assert [sentence.split(" in fold")[0] for sentence in told] == [
        "class 0 has no training pictures",
        "class 2 has no training pictures",
    ]
    assert "all 2 of its patients are tested at once. Make the folds again" in told[0]
    outside = Split("patient", 0, folds=[["0-000", "1-000"], ["0-001", "1-001"]])
    (sentence,) = untrainable(table, outside)
    assert sentence.startswith("class 2 has no training pictures in fold 1 and fold 2")
    assert "none of its patients is in a fold" in sentence
    assert all(word in untrainable(table, Split("patient", 0, folds=[["0-000"]]))[0] for word in (
        "class 0", "fold 1",
    ))  # fmt: skip


def test_who_is_in_no_fold_is_not_used() -> None:
    """Regression: those who came later trained in every fold, while the page said otherwise."""
    table = even_table(2, 4, 2)
    folds = make_folds(table[table["patient"] != "1-003"], 3)
    for fold in range(3):
        assert "1-003" not in [
            name for group in fold_sets(table, folds, fold).groups() for name in group
        ]


def test_sets_without_training_pictures_of_a_class() -> None:
    """An error with its remedy, and no longer a piece of advice; a split that serves has none."""
    table = even_table(2, 3, 2)
    split = Split("patient", 0, {"train": ["0-000"], "val": ["1-000"], "test": ["1-001"]})
    (sentence,) = untrainable(table, split)
    assert sentence.startswith("class 1 has no training pictures, so it cannot be learnt. Move one")
    assert not any("training" in told for told in advice(table, split))
    for make in (split_by_patient, split_by_picture):
        assert untrainable(table, make(table)) == []


def test_sets_without_validation_or_test_are_told() -> None:
    """Both can be trained, and both make the figures worth less."""
    table = even_table(2, 3, 2)
    people = sorted(table["patient"].unique())
    told = advice(table, Split("patient", 0, {"train": people, "val": [], "test": []}))
    assert [sentence.split(":")[0] for sentence in told] == [
        "There are no validation pictures",
        "There are no test pictures",
    ]
