"""Intervals cover what they promise, draw patients within their class, and are quick."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lymph.errors import EvaluationError
from lymph.evaluation import (
    METRICS,
    by_patient,
    clopper_pearson,
    confusion,
    paired_difference,
    resampled_confusions,
    resampled_intervals,
)

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


@pytest.mark.parametrize(
    ("right", "low", "high"), [(15, 33, 71), (20, 49, 85), (23, 60, 92), (26, 73, 98)]
)
def test_clopper_pearson_of_29_patients(right: int, low: int, high: int) -> None:
    assert [round(100 * end) for end in clopper_pearson(right, 29)] == [low, high]


def test_clopper_pearson_at_the_ends() -> None:
    assert clopper_pearson(0, 6) == (0.0, pytest.approx(1 - 0.025 ** (1 / 6)))
    assert clopper_pearson(6, 6) == (pytest.approx(0.025 ** (1 / 6)), 1.0)
    assert clopper_pearson(1, 1) == (pytest.approx(0.025), 1.0)


@pytest.mark.parametrize(("right", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_a_plain_error(right: int, n: int) -> None:
    with pytest.raises(EvaluationError, match="successes"):
        clopper_pearson(right, n)


def test_resampling_stays_within_the_class(random_table: Maker) -> None:
    patients = by_patient(random_table(pictures=300, patients=29))
    drawn = resampled_confusions(patients, CLASSES, resamples=500)
    expected = np.broadcast_to(confusion(patients, CLASSES).sum(axis=1), (500, 3))
    np.testing.assert_array_equal(drawn.sum(axis=2), expected)


def test_whole_patients_are_drawn(from_rows: Maker) -> None:
    """Two patients of 3 and 5 pictures: a draw has 6, 8 or 10 pictures, at odds of 1, 2, 1."""
    table = from_rows([("a", "CLL", "CLL")] * 3 + [("b", "CLL", "FL")] * 5 + [("c", "FL", "FL")])
    drawn = resampled_confusions(table, CLASSES, resamples=8000)
    kinds, counts = np.unique(drawn[:, 0], axis=0, return_counts=True)
    assert kinds.tolist() == [[0, 10, 0], [3, 5, 0], [6, 0, 0]]
    np.testing.assert_allclose(counts / 8000, [0.25, 0.5, 0.25], atol=0.02)
    assert (drawn[:, 1] == [0, 1, 0]).all()


def test_agrees_with_drawing_one_patient_after_another(random_table: Maker) -> None:
    table = random_table(pictures=240, patients=24, seed=4)
    rng, scores = np.random.default_rng(1), []
    groups = dict(list(table.groupby("patient")))
    in_class = [rows["patient"].unique() for _, rows in table.groupby("label")]
    for _ in range(600):
        names = np.concatenate([rng.choice(own, len(own)) for own in in_class])
        drawn = pd.concat([groups[name] for name in names])
        scores.append((drawn["label"] == drawn["predicted"]).mean())
    ours = METRICS["accuracy"](resampled_confusions(table, CLASSES))
    assert np.mean(scores) == pytest.approx(ours.mean(), abs=0.006)
    assert np.std(scores) == pytest.approx(ours.std(), rel=0.12)


def test_the_same_table_gives_the_same_interval(random_table: Maker) -> None:
    table = random_table()
    shuffled = table.sample(frac=1, random_state=1)
    assert resampled_intervals(table) == resampled_intervals(shuffled)
    assert resampled_intervals(table) != resampled_intervals(table, seed=1)


def test_intervals_hold_the_figure(random_table: Maker) -> None:
    table = random_table(pictures=374, patients=29)
    matrix = confusion(table, CLASSES)
    for name, (low, high) in resampled_intervals(table).items():
        assert -1 <= low < METRICS[name](matrix) < high <= 1


def test_intervals_cover_in_a_simulation() -> None:
    """40 patients a class whose own accuracies differ: about 95 % of intervals hold the truth."""
    rng, hits, naive_hits, runs = np.random.default_rng(0), 0, 0, 200
    for _ in range(runs):
        chance = np.repeat(rng.beta(2, 1, size=80), 10)
        right = rng.random(800) < chance
        label = np.repeat(["a", "b"], 400)
        table = pd.DataFrame(
            {
                "patient": np.repeat(np.arange(80), 10).astype(str),
                "label": label,
                "predicted": np.where(right, label, np.where(label == "a", "b", "a")),
            }
        )
        low, high = resampled_intervals(table, ["a", "b"], resamples=400)["accuracy"]
        hits += low <= 2 / 3 <= high
        pictures = table.assign(patient=np.arange(800).astype(str))
        low, high = resampled_intervals(pictures, ["a", "b"], resamples=400)["accuracy"]
        naive_hits += low <= 2 / 3 <= high
    assert 0.90 <= hits / runs <= 0.99
    # Why patients are drawn: intervals over pictures promise far too much.
    assert naive_hits / runs < 0.80


def test_a_single_patient_and_a_single_class(from_rows: Maker) -> None:
    intervals = resampled_intervals(from_rows([("a", "CLL", "CLL")] * 4))
    assert intervals["accuracy"] == (1.0, 1.0)
    assert intervals["kappa"] is None


@pytest.mark.parametrize("patients", [29, 2000, 20000])
def test_20_000_pictures_take_less_than_a_second(random_table: Maker, patients: int) -> None:
    table = random_table(pictures=20_000, patients=patients)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        resampled_intervals(table)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


def test_a_model_differs_from_itself_by_nothing(random_table: Maker) -> None:
    table = random_table()
    found = paired_difference(table, table.sample(frac=1, random_state=0))
    assert (found.difference, found.interval, found.told_apart) == (0, (0, 0), False)
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
    low, high = resampled_intervals(first)["accuracy"]
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
