"""Two models on the same patients: equal ones are rarely told apart, better ones are."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bench import coverage
from lymph.errors import EvaluationError
from lymph.evaluation import METRICS, metric_intervals, paired_difference

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


def test_a_model_differs_from_itself_by_nothing(random_table: Maker) -> None:
    table = random_table()
    found = paired_difference(table, table.sample(frac=1, random_state=0))
    assert (found.difference, found.told_apart) == (0, False)
    assert found.interval[0] == -found.interval[1] < 0
    assert "cannot tell them apart" in found.sentence


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("patients", [False, True])
def test_a_much_better_model_is_told_apart(
    random_table: Maker, metric: str, patients: bool
) -> None:
    worse = random_table(pictures=300, patients=30)
    worse[["p_CLL", "p_FL", "p_MCL"]] = [0.6, 0.2, 0.2]
    worse["predicted"] = "CLL"
    better = worse.copy()
    for name in CLASSES:
        better[f"p_{name}"] = np.where(better["label"] == name, 0.8, 0.1)
    better["predicted"] = better["label"]
    found = paired_difference(worse, better, metric, patients=patients, names=("A", "B"))
    back = paired_difference(better, worse, metric, patients=patients)
    assert found.second == 1 and found.told_apart and found.patients == 30
    assert found.interval[0] > 0 > back.interval[1]
    assert found.difference == -back.difference
    assert found.sentence.startswith("B scores ") and "above A" in found.sentence


def test_a_paired_interval_is_narrower_than_two_separate_ones(random_table: Maker) -> None:
    first = random_table(pictures=400, patients=40)
    second = first.copy()
    place = first.index[first["predicted"] != first["label"]][:10]
    for name in CLASSES:
        second.loc[place, f"p_{name}"] = np.where(second.loc[place, "label"] == name, 0.8, 0.1)
    second.loc[place, "predicted"] = second.loc[place, "label"]
    found = paired_difference(first, second)
    low, high = metric_intervals(first)["accuracy"]
    assert found.difference == pytest.approx(10 / 400)
    assert found.interval[1] - found.interval[0] < (high - low) / 2


def test_three_patients_tell_nothing_apart(from_rows: Maker) -> None:
    names = ["a", "b", "c"]
    worse = from_rows([(name, "CLL", "FL") for name in names])
    better = from_rows([(name, "CLL", "CLL") for name in names])
    found = paired_difference(worse, better)
    assert found.difference == 1 and not found.told_apart
    assert found.sentence.endswith("3 patients cannot tell them apart.")


def test_order_of_columns_does_not_matter(random_table: Maker) -> None:
    first, second = random_table(), random_table()
    swapped = second[[*second.columns[:7], "p_MCL", "p_CLL", "p_FL"]]
    assert paired_difference(first, swapped) == paired_difference(first, second)


def test_other_pictures_or_metrics_are_a_plain_error(random_table: Maker) -> None:
    table = random_table()
    with pytest.raises(EvaluationError, match="same pictures"):
        paired_difference(table, table.iloc[1:])
    with pytest.raises(EvaluationError, match="same pictures"):
        paired_difference(table, table.assign(patient="x"))
    with pytest.raises(EvaluationError, match="metric"):
        paired_difference(table, table, metric="auc")
    with pytest.raises(EvaluationError, match="classes"):
        paired_difference(table, random_table(classes=["1", "2"]))


@pytest.mark.parametrize("level", coverage.LEVELS)
@pytest.mark.parametrize("per_class", [2, 3, 5, 10, 20])
def test_equally_good_models_are_told_apart_in_5_of_100(per_class: int, level: str) -> None:
    """On average over the settings at most 5 %; in the worst of 30, of 300 tests, chance adds."""
    found = coverage.false_tellings(np.random.default_rng(per_class), 300, per_class, level)
    for metric, shares in found.items():
        assert np.mean(shares) <= 0.055, (metric, shares)
        assert max(shares) <= 0.1, (metric, shares)


def test_six_patients_can_tell_a_large_difference(from_rows: Maker) -> None:
    """Two a class: one model has 2 or 3 of 10 right, the other 8 to 10."""
    people = [(f"{name}{who}", name) for name in CLASSES for who in range(2)]

    def answered(right: int, every: int) -> pd.DataFrame:
        rows = []
        for place, (who, name) in enumerate(people):
            wrong = "FL" if name != "FL" else "CLL"
            hits = right + place % every
            rows += [(who, name, name)] * hits + [(who, name, wrong)] * (10 - hits)
        return from_rows(rows)

    found = paired_difference(answered(2, 2), answered(8, 3))
    assert found.told_apart and found.patients == 6
