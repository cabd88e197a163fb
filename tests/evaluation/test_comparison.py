"""Two models on the same patients: equal ones are rarely told apart, better ones are."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bench import coverage
from lymph.errors import EvaluationError
from lymph.evaluation import METRICS, metric_intervals, paired_difference
from lymph.evaluation.comparison import (
    difference_interval,
    enough_to_tell,
    gap_and_variance,
    needed_to_tell,
)

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


@pytest.mark.parametrize("level", coverage.LEVELS)
@pytest.mark.parametrize(("accuracies", "clustering"), [((0.55, 0.75), 0.5), ((0.6, 0.7), 0.2)])
def test_as_many_patients_as_are_needed_find_the_difference_in_4_of_5_tests(
    accuracies: tuple[float, float], clustering: float, level: str
) -> None:
    """Planned from 9,000 patients; three in five of that number find it clearly less often."""
    rng = np.random.default_rng(3)

    def pair(tests: int, patients: int) -> list[np.ndarray]:
        pictures = np.full((tests, patients), 12)
        drawn = [coverage.draw_answers(rng, pictures, one, clustering) for one in accuracies]
        if level == "patients":
            drawn = [coverage.judge_patients(rng, counts) for counts in drawn]
        return drawn

    def found(patients: float) -> float:
        ends = difference_interval("accuracy", *pair(800, 3 * round(patients / 3)))
        return float(np.mean((ends[:, 0] > 0) | (ends[:, 1] < 0)))

    first, second = pair(1, 9000)
    needed = needed_to_tell("accuracy", first[0], second[0]).patients
    assert needed is not None
    assert 0.74 <= found(needed) <= 0.89
    assert found(0.6 * needed) < 0.7


def test_the_limits_of_six_patients_hold_what_many_would_say() -> None:
    """Two a class: in 9 of 10 tests or more, for the difference that the test itself saw."""
    rng = np.random.default_rng(5)
    first, second = (
        coverage.draw_answers(rng, np.full((120, 6), 12), accuracy, 0.2) for accuracy in (0.6, 0.7)
    )
    many = [
        coverage.draw_answers(rng, np.full((1, 3000), 12), accuracy, 0.2)[0]
        for accuracy in (0.6, 0.7)
    ]
    spread = 3000 * gap_and_variance("accuracy", *many)[1]
    held = []
    for one, other in zip(first, second, strict=True):
        limits = needed_to_tell("accuracy", one, other).limits
        if limits is not None:
            gap = float(gap_and_variance("accuracy", one, other)[0])
            held.append(limits[0] <= enough_to_tell(gap, spread, None) <= limits[1])
    assert np.mean(held) >= 0.9 and len(held) > 100


def test_how_many_patients_it_takes_is_said_or_why_not(from_rows: Maker) -> None:
    def of_patients(right: list[int]) -> pd.DataFrame:
        return from_rows(
            [
                (f"{name}{who}", name, name if place < right[2 * code + who] else CLASSES[code - 1])
                for code, name in enumerate(CLASSES)
                for who in range(2)
                for place in range(10)
            ]
        )

    worse, better = of_patients([5, 3, 6, 4, 5, 4]), of_patients([6, 6, 4, 6, 7, 4])
    found = paired_difference(worse, better)
    assert not found.told_apart and found.difference == pytest.approx(0.1)
    low, high = found.needed.limits or (0, 0)
    assert low < (found.needed.patients or 0) < high
    assert found.needed.sentence.startswith("If the true difference is 10.0 points, it takes about")
    assert paired_difference(worse, worse).needed.patients is None
    assert "No difference was seen" in paired_difference(worse, worse).needed.sentence
    told = paired_difference(worse, of_patients([9, 8, 10, 9, 9, 8]))
    assert told.told_apart and told.needed.sentence == ""
    few = ["CLL0", "CLL1", "FL0", "FL1"]
    parts = [table[table["patient"].isin(few)] for table in (worse, better)]
    assert "4 patients cannot say" in paired_difference(*parts).needed.sentence
    same = paired_difference(of_patients([5] * 6), of_patients([6] * 6)).needed
    assert same.patients is None and "All patients differ alike" in same.sentence


def test_a_small_difference_needs_more_than_can_be_counted() -> None:
    assert enough_to_tell(1e-4, 0.1, None) == 10_000
    assert enough_to_tell(0.5, 0.01, None) == 3
    # Where each patient counts once, six must be answered differently.
    assert enough_to_tell(0.5, 0.01, 0.5) == 15
