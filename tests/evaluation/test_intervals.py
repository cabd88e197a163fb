"""Intervals hold the truth with few patients too, are never without width, and are quick."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest

from bench import coverage
from lymph.errors import EvaluationError
from lymph.evaluation import (
    METRICS,
    areas,
    by_patient,
    calibrate,
    class_intervals,
    clopper_pearson,
    confusion,
    metric_intervals,
)
from lymph.evaluation.intervals import (
    Variance,
    effective_exact,
    effective_size,
    share_interval,
    variance_of_share,
    wilson,
)

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]
SIZES = (1, 2, 3, 5, 10)


@pytest.mark.parametrize(
    ("right", "low", "high"), [(15, 33, 71), (20, 49, 85), (23, 60, 92), (26, 73, 98)]
)
def test_clopper_pearson_of_29_patients(right: int, low: int, high: int) -> None:
    assert [round(100 * end) for end in clopper_pearson(right, 29)] == [low, high]
    exact = effective_exact(np.array(right / 29), np.array(29.0))
    assert exact == pytest.approx(clopper_pearson(right, 29))


def test_clopper_pearson_at_the_ends() -> None:
    assert clopper_pearson(0, 6) == (0.0, pytest.approx(1 - 0.025 ** (1 / 6)))
    assert clopper_pearson(6, 6) == (pytest.approx(0.025 ** (1 / 6)), 1.0)
    assert clopper_pearson(1, 1) == (pytest.approx(0.025), 1.0)


@pytest.mark.parametrize(("right", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_a_plain_error(right: int, n: int) -> None:
    with pytest.raises(EvaluationError, match="successes"):
        clopper_pearson(right, n)


def test_wilson_is_the_textbook_one_with_many_patients() -> None:
    """Of 10 in 100, Wilson's interval is 0.0552 to 0.1744."""
    ends = wilson(np.array(0.1), np.array(100.0), patients=1_000_000)
    assert ends == pytest.approx([0.0552, 0.1744], abs=1e-4)


def test_accuracy_is_the_formula_written_out(from_rows: Maker) -> None:
    """Patients of 4, 2 and 2 pictures with 4, 1 and 0 right."""
    rows = [("a", "CLL", "CLL")] * 4 + [("b", "FL", "FL"), ("b", "FL", "CLL")]
    table = from_rows([*rows, *[("c", "MCL", "FL")] * 2])
    share = 5 / 8
    variance = 3 / 2 * ((4 - 4 * share) ** 2 + (1 - 2 * share) ** 2 + (2 * share) ** 2) / 8**2
    size = min(8, share * (1 - share) / variance)
    deviations = np.array([4 - 4 * share, 1 - 2 * share, -2 * share])
    rests = np.sum(deviations**2) ** 2 / np.sum(deviations**4)
    doubt = 0.25 / (0.25 + rests)
    size = 1 / (doubt / min(3, size) + (1 - doubt) / size)
    expected = wilson(np.array(share), np.array(size), 3)
    assert metric_intervals(table)["accuracy"] == pytest.approx(expected)


def test_where_nothing_varies_the_patients_count() -> None:
    one = np.array(1.0)
    zero, unknown = (Variance(np.array(value), np.array(6.0)) for value in (0.0, np.nan))
    assert effective_size(one, zero, np.array(40), 6) == 6
    assert effective_size(one / 2, unknown, np.array(40), 6) == 6
    assert 30 < effective_size(one / 2, zero, np.array(40), 6) <= 40


def test_a_variance_that_rests_on_one_patient_is_doubted() -> None:
    """All mistakes of a good model fall on one patient: its own variance promises too much."""
    trials = np.full(15, 12.0)
    one_bad, all_alike = trials.copy(), trials.copy()
    one_bad[0] -= 5
    all_alike[:5] -= 1
    rests = [float(variance_of_share(hits, trials).patients) for hits in (one_bad, all_alike)]
    assert rests[0] == pytest.approx(1.15, abs=0.2)
    assert rests[1] > 5
    widths = [np.diff(share_interval(hits, trials))[0] for hits in (one_bad, all_alike)]
    assert widths[0] > 1.5 * widths[1]


def test_out_of_fold_the_variance_counts_one_and_a_half_times(random_table: Maker) -> None:
    """The folds' models share training patients: every interval is wider, of all that is shown."""
    table = random_table(pictures=240, patients=30)
    folds = table.assign(fold=table["patient"].str[-1])
    for one, other in ((table, folds), (by_patient(table), by_patient(folds))):
        plain = [*metric_intervals(one).values(), *_of_classes(one), *_of_scores(one)]
        wider = [*metric_intervals(other).values(), *_of_classes(other), *_of_scores(other)]
        for (low, high), (lower, higher) in zip(plain, wider, strict=True):
            assert lower <= low and high <= higher
            assert higher - lower > 1.02 * (high - low)


def _of_classes(table: pd.DataFrame) -> list[tuple[float, float]]:
    found = class_intervals(table, ("CLL", "FL", "MCL"))
    return [pair for pairs in found.values() for pair in pairs.values()]


def _of_scores(table: pd.DataFrame) -> list[tuple[float, float]]:
    kinds = [kind for of_class in areas(table).values() for kind in of_class.values()]
    pairs = [area.interval for area in kinds]
    return pairs + [interval for _, interval in calibrate(table).scores.values()]


def test_the_same_table_gives_the_same_interval(random_table: Maker) -> None:
    table = random_table()
    assert metric_intervals(table) == metric_intervals(table.sample(frac=1, random_state=1))


def test_intervals_hold_the_figure(random_table: Maker) -> None:
    table = random_table(pictures=374, patients=29)
    for level in (table, by_patient(table)):
        matrix = confusion(level, CLASSES)
        for name, (low, high) in metric_intervals(level).items():
            assert -1 <= low < METRICS[name](matrix) <= high <= 1


@pytest.mark.parametrize("answer", ["right", "wrong", "one class"])
@pytest.mark.parametrize("per_class", [1, 2, 6])
def test_no_interval_is_without_width(from_rows: Maker, answer: str, per_class: int) -> None:
    wrong = {"CLL": "FL", "FL": "MCL", "MCL": "CLL"}
    told = {"right": dict(zip(CLASSES, CLASSES, strict=True)), "wrong": wrong}
    predicted = told.get(answer, dict.fromkeys(CLASSES, "FL"))
    rows = [(f"{name}{who}", name, predicted[name]) for name in CLASSES for who in range(per_class)]
    for table in (from_rows(rows * 5), by_patient(from_rows(rows * 5))):
        pairs = list(metric_intervals(table).values())
        for of_class in class_intervals(table, CLASSES).values():
            pairs += of_class.values()
        assert all(high - low > 0.1 for low, high in pairs)


def test_a_single_patient_says_next_to_nothing(from_rows: Maker) -> None:
    intervals = metric_intervals(from_rows([("a", "CLL", "CLL")] * 4))
    low, high = intervals["accuracy"]
    assert low < 0.05 and high == 1
    assert intervals["kappa"] is None


def few_settings(rng: np.random.Generator, tables: int, per_class: int) -> Iterator:
    return coverage.of_answers(rng, tables, per_class, (0.4, 0.7, 0.95), (0.05, 0.5))


def test_intervals_of_answers_cover_at_few_patients() -> None:
    """At 1 to 10 patients per class: 93 % on average, 88 % in the worst setting."""
    for per_class, found in coverage.coverage(few_settings, 600, SIZES).items():
        assert len(found) == 14
        for name, settings in found.items():
            held = [one.held for one in settings]
            assert np.mean(held) >= 0.93, (name, per_class, held)
            assert min(held) >= 0.88, (name, per_class, held)
            assert all(one.tables == 600 for one in settings)


def test_intervals_of_scores_cover_at_few_patients() -> None:
    """The same of areas and calibration, on fewer simulated tables."""
    settings = [(0.7, 1.0, 2.5), (3.0, 0.3, 1)]
    truths = coverage.true_figures(np.random.default_rng(1), settings)

    def measure(rng: np.random.Generator, tables: int, per_class: int) -> Iterator:
        return coverage.of_scores(rng, tables, per_class, truths)

    for per_class, found in coverage.coverage(measure, 50, SIZES).items():
        assert len(found) == 14
        for name, seen in found.items():
            held = [one.held for one in seen]
            assert np.mean(held) >= 0.93, (name, per_class, held)
            assert min(held) >= 0.88, (name, per_class, held)


def test_intervals_out_of_fold_cover_at_few_patients() -> None:
    """Folds share training patients: at 3 and 5 patients per class, of a model that learns."""
    for per_class, found in coverage.coverage(coverage.of_folds, 60, (3, 5)).items():
        for name, seen in found.items():
            held = [one.held for one in seen]
            assert np.mean(held) >= 0.93, (name, per_class, held)
            assert min(held) >= 0.85, (name, per_class, held)


def test_intervals_over_pictures_alone_would_promise_too_much() -> None:
    """Why patients count: with each picture as a patient of its own the truth is often missed."""
    rng = np.random.default_rng(0)
    counts = coverage.draw_answers(rng, coverage.draw_pictures(rng, 300, 5), 0.7, 0.5)
    right, all_of = counts.trace(axis1=-2, axis2=-1).sum(axis=1), counts.sum(axis=(1, 2, 3))
    naive = wilson(right / all_of, all_of, 10_000)
    assert np.mean((naive[:, 0] <= 0.7) & (naive[:, 1] >= 0.7)) < 0.7


@pytest.mark.parametrize("patients", [29, 2000, 20000])
def test_20_000_pictures_take_less_than_a_second(random_table: Maker, patients: int) -> None:
    table = random_table(pictures=20_000, patients=patients)
    seconds = []
    for _ in range(3):
        start = time.thread_time()  # what others do beside it does not count
        metric_intervals(table)
        class_intervals(table, CLASSES)
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 1
