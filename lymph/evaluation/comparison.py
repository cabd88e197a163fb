"""Whether two models differ: a t test on the differences of the same patients."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lymph.errors import EvaluationError
from lymph.evaluation.intervals import (
    LEVEL,
    Interval,
    fold_overlap,
    one_row_each,
    patient_confusions,
    patients_of,
    student_t,
    variance_leaving_out,
)
from lymph.evaluation.metrics import METRICS
from lymph.evaluation.patients import by_patient
from lymph.predictions import choose_set, classes_of_predictions, validate_predictions

# Of right or wrong alone, five unanimous patients stay above 5 % (2 / 2**5), six do not.
DIFFERING_PATIENTS = 6
DIFFERENCE_METHOD = (
    "each patient is left out in turn, for both models at once, and Student's t over the patients"
)


@dataclass(frozen=True)
class Difference:
    """What separates two models on the same pictures: second minus first, 95 % interval."""

    metric: str
    first: float
    second: float
    difference: float
    interval: Interval
    patients: int
    told_apart: bool
    sentence: str
    interval_method: str = DIFFERENCE_METHOD


def paired_difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str = "accuracy",
    set_name: str = "test",
    names: tuple[str, str] = ("the first model", "the second model"),
    patients: bool = False,
) -> Difference:
    """Compare two models on the same pictures by a t test on the differences of the patients.

    Parameters
    ----------
    first, second
        Prediction tables that hold the same pictures, labels and patients in the set ``set_name``.
    metric
        accuracy, balanced_accuracy, macro_f1 or kappa.
    set_name
        The set to compare on, see `choose_set`.
    names
        What the sentence calls the two.
    patients
        Score patients (mean probability) in place of pictures.

    Returns
    -------
    Difference
        ``told_apart`` is true when the interval excludes zero. Two equally good models are told
        apart in at most 5 of 100 tests, from two patients a class on.

    Raises
    ------
    EvaluationError
        When the tables do not hold the same pictures, or the metric is unknown or undefined.
    """
    if metric not in METRICS:
        raise EvaluationError(f'There is no metric "{metric}": choose one of {", ".join(METRICS)}.')
    classes, (a, b) = _same_pictures(choose_set(first, set_name), choose_set(second, set_name))
    if patients:
        a, b = by_patient(a), by_patient(b)
    unit, score = patients_of(a), METRICS[metric]
    counts = [patient_confusions(table, unit, classes) for table in (a, b)]
    before, after = (float(score(part.sum(axis=0))) for part in counts)
    if np.isnan(after - before):
        raise EvaluationError(f"{metric} is undefined on these pictures: compare by accuracy.")
    ends = difference_interval(metric, *counts, overlap=fold_overlap(a))
    interval = tuple(float(end) for end in ends)
    return _difference(metric, before, after, interval, len(counts[0]), names)


def difference_interval(
    metric: str, first: np.ndarray, second: np.ndarray, overlap: float = 1.0
) -> np.ndarray:
    """Interval of second minus first, ... x 2, from patients' confusions, ... x G x K x K each.

    Where all patients differ alike the variance is zero and says nothing. Then the interval allows
    for as many patients that are unlike them as G could have missed in 2.5 of 100 cases (Clopper
    and Pearson 1934), each with whatever difference, -1 to 1. Where each patient counts once, the
    interval holds zero unless at least six patients are answered differently. ``overlap`` tells how
    many times the variance counts, see `fold_overlap`.
    """
    score, patients = METRICS[metric], first.shape[-3]
    totals = [part.sum(axis=-3) for part in (first, second)]
    gap = score(totals[1]) - score(totals[0])
    left = [
        score(total[..., None, :, :] - part)
        for total, part in zip(totals, (first, second), strict=True)
    ]
    variance = variance_leaving_out(left[1] - left[0]).value * overlap
    half = student_t(patients) * np.sqrt(variance)
    missed = 1 - ((1 - LEVEL) / 2) ** (1 / patients)
    # Rounding leaves a little of a variance that is zero.
    blind = np.isnan(variance) | (variance < 1e-20)
    low = np.where(blind, gap - missed * (gap + 1), gap - half)
    high = np.where(blind, gap + missed * (1 - gap), gap + half)
    few = _few_differ(first, second)
    low, high = np.where(few, np.minimum(low, 0), low), np.where(few, np.maximum(high, 0), high)
    return np.clip(np.stack([low, high], axis=-1), -1, 1)


def _few_differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Tell where each patient has one row and too few of them are answered differently."""
    if not one_row_each(first):
        return np.zeros(first.shape[:-3], dtype=bool)
    return np.sum((first != second).any(axis=(-2, -1)), axis=-1) < DIFFERING_PATIENTS


def _difference(
    metric: str,
    before: float,
    after: float,
    interval: Interval,
    count: int,
    names: tuple[str, str],
) -> Difference:
    told_apart = interval[0] > 0 or interval[1] < 0
    gap = after - before
    unit, scale, digits = ("", 1, 2) if metric == "kappa" else (" points", 100, 1)
    # Plus zero, so that a bound that rounds to nothing is not written as -0.0.
    low, high, wide = (
        f"{round(scale * value, digits) + 0.0:.{digits}f}" for value in (*interval, abs(gap))
    )
    lead = f"{names[1]} and {names[0]} score the same {metric.replace('_', ' ')}"
    if gap:
        word = "above" if gap > 0 else "below"
        lead = f"{names[1]} scores {wide}{unit} {word} {names[0]} in {metric.replace('_', ' ')}"
    verdict = "can tell them apart" if told_apart else "cannot tell them apart"
    sentence = (
        f"{lead[0].upper()}{lead[1:]} (95 % interval of the difference {low} to {high}{unit}): "
        f"{count} {'patient' if count == 1 else 'patients'} {verdict}."
    )
    return Difference(metric, before, after, gap, interval, count, told_apart, sentence)


def _same_pictures(
    first: pd.DataFrame, second: pd.DataFrame
) -> tuple[list[str], tuple[pd.DataFrame, pd.DataFrame]]:
    first, second = validate_predictions(first), validate_predictions(second)
    classes = classes_of_predictions(first)
    if set(classes) != set(classes_of_predictions(second)):
        raise EvaluationError(
            "The two models know different classes: compare models of the same classes."
        )
    # Same column order too, so that a tie falls to the same class in both.
    second = second[[name for name in first.columns if name in second.columns]]
    tables = tuple(
        table.sort_values("picture", kind="stable").reset_index(drop=True)
        for table in (first, second)
    )
    keys = ["picture", "label", "patient"]
    if len(first) != len(second) or not (tables[0][keys] == tables[1][keys]).all(axis=None):
        raise EvaluationError(
            "The two prediction tables are not of the same pictures, labels and patients: "
            "compare runs that share data and split."
        )
    return classes, tables
