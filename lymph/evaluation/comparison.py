"""Whether two models differ: a t test on the differences of the same patients."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

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
from lymph.evaluation.words import with_minus
from lymph.predictions import choose_set, classes_of_predictions, validate_predictions
from lymph.text import counted

# Of right or wrong alone, five unanimous patients stay above 5 % (2 / 2**5), six do not.
DIFFERING_PATIENTS = 6
DIFFERENCE_METHOD = (
    "each patient is left out in turn, for both models at once, and Student's t over the patients"
)
POWER = 0.8
# Of fewer patients the spread is not known within a factor of four either way.
LEAST_TO_PLAN = 6
MOST_PLANNED = 10_000


@dataclass(frozen=True)
class Needed:
    """How many patients it would take to tell two models apart, in 4 of 5 tests.

    ``patients`` holds if the models truly differ as much as they did here; ``limits`` are what the
    spread between so few patients allows for. Both are None where it cannot be said, and the
    sentence says why; they are at most `MOST_PLANNED`. The sentence is empty where the patients at
    hand tell the models apart.
    """

    patients: int | None = None
    limits: tuple[int, int] | None = None
    sentence: str = ""


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
    needed: Needed = Needed()


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
    of_a, of_b = (patient_confusions(table, unit, classes) for table in (a, b))
    before, after = (float(score(part.sum(axis=0))) for part in (of_a, of_b))
    if np.isnan(after - before):
        raise EvaluationError(f"{metric} is undefined on these pictures: compare by accuracy.")
    overlap = fold_overlap(a)
    low, high = difference_interval(metric, of_a, of_b, overlap)
    found = _difference(metric, before, after, (float(low), float(high)), len(of_a), names)
    if found.told_apart:
        return found
    return replace(found, needed=needed_to_tell(metric, of_a, of_b, overlap))


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
    patients = first.shape[-3]
    gap, variance = gap_and_variance(metric, first, second, overlap)
    half = student_t(patients) * np.sqrt(variance)
    missed = 1 - ((1 - LEVEL) / 2) ** (1 / patients)
    # Rounding leaves a little of a variance that is zero.
    blind = np.isnan(variance) | (variance < 1e-20)
    low = np.where(blind, gap - missed * (gap + 1), gap - half)
    high = np.where(blind, gap + missed * (1 - gap), gap + half)
    few = _few_differ(first, second)
    low, high = np.where(few, np.minimum(low, 0), low), np.where(few, np.maximum(high, 0), high)
    return np.clip(np.stack([low, high], axis=-1), -1, 1)


def gap_and_variance(
    metric: str, first: np.ndarray, second: np.ndarray, overlap: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return second minus first and its variance over the patients, from patients' confusions.

    ``overlap`` tells how many times the variance counts, see `fold_overlap`.
    """
    score = METRICS[metric]
    totals = [part.sum(axis=-3) for part in (first, second)]
    left = [
        score(total[..., None, :, :] - part)
        for total, part in zip(totals, (first, second), strict=True)
    ]
    variance = variance_leaving_out(left[1] - left[0]).value
    return score(totals[1]) - score(totals[0]), overlap * variance


def needed_to_tell(
    metric: str, first: np.ndarray, second: np.ndarray, overlap: float = 1.0
) -> Needed:
    """Count the patients that it would take to tell two models apart by `difference_interval`.

    Parameters
    ----------
    metric
        One of `METRICS`.
    first, second
        Patients' confusions, G x K x K each.
    overlap
        How many times the variance counts, see `fold_overlap`.

    Returns
    -------
    Needed
        The smallest number with which a two-sided t test of 5 % on the patients' differences finds
        the difference seen here, at the spread seen here, in 80 of 100 tests. The limits take the
        spread at the ends of its 95 % interval (chi-squared, G - 1 degrees of freedom).

    Notes
    -----
    By the noncentral t distribution (Cohen 1988, *Statistical Power Analysis*, chapter 2).
    """
    patients = len(first)
    gap, variance = (float(value) for value in gap_and_variance(metric, first, second, overlap))
    spread = variance * patients
    if gap == 0:
        return Needed(
            sentence="No difference was seen, so how many patients it would take to see"
            " one cannot be said."
        )
    if patients < LEAST_TO_PLAN:
        return Needed(sentence=f"{counted(patients, 'patient')} cannot say how many it would take.")
    if np.isnan(spread) or spread < 1e-18:
        return Needed(
            sentence="All patients differ alike, so how many it would take cannot be said."
        )
    share = None
    if one_row_each(first):
        share = float(np.mean((first != second).any(axis=(-2, -1))))
    freedom = patients - 1
    # Divided by quantiles of chi squared, of which the median's is not used.
    quantiles = 2 * gammaincinv(freedom / 2, [(1 + LEVEL) / 2, 0.5, (1 - LEVEL) / 2])
    spreads = spread * freedom / quantiles
    spreads[1] = spread
    low, count, high = (enough_to_tell(gap, value, share) for value in spreads)
    return Needed(count, (low, high), _needed_sentence(metric, gap, patients, low, count, high))


def enough_to_tell(gap: float, spread: float, share: float | None) -> int:
    """Return the smallest number of patients whose t test has the power asked for.

    ``share`` (0 to 1) is that of the patients who are answered differently, where each counts once.
    """
    # Loaded late: it takes a good part of a second, and only this function needs it.
    from scipy.stats import binom, nct

    low, high = 2, MOST_PLANNED
    while low < high:
        middle = (low + high) // 2
        t = student_t(middle)
        away = abs(gap) / np.sqrt(spread / middle)
        power = nct.sf(t, middle - 1, away) + nct.cdf(-t, middle - 1, away)
        # So far out that the distribution cannot be computed, every test finds it.
        power = 1.0 if np.isnan(power) else float(power)
        if share is not None:
            power = min(power, float(binom.sf(DIFFERING_PATIENTS - 1, middle, share)))
        low, high = (low, middle) if power >= POWER else (middle + 1, high)
    return low


def _needed_sentence(
    metric: str, gap: float, patients: int, low: int, count: int, high: int
) -> str:
    wide = f"{abs(gap):.2f}" if metric == "kappa" else f"{100 * abs(gap):.1f} points"
    few, about, many = (_rounded(number) for number in (low, count, high))
    return (
        f"If the true difference is {wide}, it takes about {about} patients to tell them apart in 4"
        f" of 5 tests ({few} to {many}, as {patients} patients say little of how much they differ)."
        " If it is smaller, it takes more; if there is none, no number will do."
    )


def _rounded(number: int) -> str:
    """Write a number of patients with two digits that count: more would be false precision."""
    if number >= MOST_PLANNED:
        return f"more than {MOST_PLANNED:,}"
    return f"{float(f'{number:.2g}'):,.0f}"


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
        with_minus(f"{round(scale * value, digits) + 0.0:.{digits}f}")
        for value in (*interval, abs(gap))
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
    a, b = (
        table.sort_values("picture", kind="stable").reset_index(drop=True)
        for table in (first, second)
    )
    keys = ["picture", "label", "patient"]
    if len(a) != len(b) or not (a[keys] == b[keys]).all(axis=None):
        raise EvaluationError(
            "The two prediction tables are not of the same pictures, labels and patients: "
            "compare runs that share data and split."
        )
    return classes, (a, b)
