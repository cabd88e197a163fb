"""Every metric agrees with scikit-learn, absent classes included."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lymph.errors import EvaluationError
from lymph.evaluation import METRICS, confusion, largest_class_baseline, per_class

Maker = Callable[..., pd.DataFrame]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], pd.DataFrame]:
    """Draw 2 to 8 classes and 1 to 60 rows; few rows leave classes absent."""
    classes = [str(place) for place in range(1, draw(st.integers(2, 8)) + 1)]
    name = st.sampled_from(classes)
    rows = draw(st.lists(st.tuples(name, name), min_size=1, max_size=60))
    return classes, pd.DataFrame(rows, columns=["label", "predicted"], dtype=str)


@settings(deadline=None)
@given(tables())
def test_metrics_are_those_of_scikit_learn(case: tuple[list[str], pd.DataFrame]) -> None:
    classes, table = case
    truth, predicted = table["label"].to_numpy(object), table["predicted"].to_numpy(object)
    matrix = confusion(table, classes)
    np.testing.assert_array_equal(
        matrix, reference.confusion_matrix(truth, predicted, labels=classes)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": reference.accuracy_score(truth, predicted),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
            "macro_f1": reference.f1_score(truth, predicted, average="macro"),
            "kappa": reference.cohen_kappa_score(truth, predicted),
        }
    for name, metric in METRICS.items():
        assert metric(matrix) == pytest.approx(expected[name], abs=1e-12, nan_ok=True), name


@settings(deadline=None)
@given(tables())
def test_classes_are_those_of_scikit_learn(case: tuple[list[str], pd.DataFrame]) -> None:
    classes, table = case
    truth, predicted = table["label"].to_numpy(object), table["predicted"].to_numpy(object)
    expected = reference.precision_recall_fscore_support(
        truth, predicted, labels=classes, zero_division=0
    )
    ours = per_class(confusion(table, classes), classes)
    for place, name in enumerate(classes):
        values = [ours[name][key] for key in ("precision", "recall", "f1", "support")]
        np.testing.assert_allclose(values, [column[place] for column in expected], atol=1e-12)


@settings(deadline=None)
@given(tables())
def test_shares_stay_between_zero_and_one(case: tuple[list[str], pd.DataFrame]) -> None:
    """The notebook reported an accuracy of 152.94 %."""
    classes, table = case
    matrix = confusion(table, classes)
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert 0 <= METRICS[name](matrix) <= 1
    assert not METRICS["kappa"](matrix) > 1
    assert METRICS["accuracy"](matrix) <= 1 == METRICS["accuracy"](np.diag(matrix.sum(axis=1)))


def test_leading_axes_are_kept() -> None:
    matrices = np.random.default_rng(0).integers(0, 9, size=(5, 4, 3, 3))
    for metric in METRICS.values():
        whole = metric(matrices)
        assert whole.shape == (5, 4)
        assert whole[2, 1] == metric(matrices[2, 1])


def test_the_notebooks_figures(from_rows: Maker) -> None:
    """Always MCL: 23 of the 65 test pictures, which the notebook called 35.38 %."""
    labels = ["CLL"] * 21 + ["FL"] * 21 + ["MCL"] * 23
    matrix = confusion(from_rows([("a", name, "MCL") for name in labels]), ["CLL", "FL", "MCL"])
    assert METRICS["accuracy"](matrix) == 23 / 65 == largest_class_baseline(matrix)
    assert METRICS["balanced_accuracy"](matrix) == pytest.approx(1 / 3)
    assert METRICS["kappa"](matrix) == 0


def test_baseline_of_the_whole_set() -> None:
    assert largest_class_baseline(np.diag([113, 139, 122])) == pytest.approx(139 / 374)
    assert largest_class_baseline(np.diag([10, 9, 10])) == pytest.approx(10 / 29)


def test_an_unknown_class_is_a_plain_error(from_rows: Maker) -> None:
    with pytest.raises(EvaluationError, match="FL"):
        confusion(from_rows([("a", "CLL", "FL")]), ["CLL", "MCL"])


def test_nothing_has_no_accuracy() -> None:
    assert all(np.isnan(metric(np.zeros((3, 3)))) for metric in METRICS.values())
