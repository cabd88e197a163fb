"""How far a figure can be trusted: 95 % intervals that hold with few patients too.

Pictures of one patient resemble each other, so each interval rests on how much its figure varies
from patient to patient. That variance gives the effective number of pictures: how many independent
ones would be worth as much. Wilson's formula turns it into an interval, with the quantile of
Student's t for as many patients as there are (Franco et al. 2019, J Surv Stat Methodol 7:334,
PMC6690503, compare such intervals). Resampling patients promises far too much with few of them: at
two a class its 95 % intervals held the truth in 45 to 72 of 100 tests. ``python -m
bench.coverage`` measures how often these do.

Functions on arrays take leading axes, such as simulated tables, before those that they name.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaincinv, stdtrit

from lymph.errors import EvaluationError
from lymph.evaluation.metrics import METRICS, class_codes
from lymph.predictions import classes_of_predictions

LEVEL = 0.95
# Of how many patients the doubt about a variance has the weight; chosen in bench/coverage.py: the
# smallest with which the worst simulated setting is held in more than 92 of 100 tests.
PRIOR_PATIENTS = 0.25

METHOD = (
    "Wilson's interval with the effective number of independent {unit}, from the differences "
    "between patients, and Student's t"
)
POOLED = "; one design effect pooled over the classes"
LEAVE_ONE_OUT_METHOD = f"{METHOD}; the differences come from leaving out each patient in turn"
EXACT_METHOD = (
    "Clopper and Pearson's interval with the effective number of independent patients, from the "
    "differences between them"
)
PATIENTS_METHOD = "Clopper and Pearson's exact interval for independent patients"
# The models of the folds share training patients, so that their mistakes go together. Simulated
# with 3 to 8 patients per class (bench/coverage.py), the plain interval held the truth in 91 to 95
# of 100 cases (worst setting 83), with half as much variance again in 94 to 97 (90).
FOLD_VARIANCE = 1.5
OUT_OF_FOLD_METHOD = (
    "the models of the folds share training patients, so the variance is taken 1.5 times; a model "
    "that learns from all patients may be another one, which no interval tells"
)

Interval = tuple[float, float]
# One number or many of one shape.
Numbers = np.ndarray | np.floating | float


def clopper_pearson(successes: int, n: int, level: float = LEVEL, overlap: float = 1.0) -> Interval:
    """Exact interval of a share, for independent trials such as patients.

    Parameters
    ----------
    successes, n
        Trials that succeeded and trials in all, 0 <= successes <= n and n >= 1.
    level
        Coverage, between 0 and 1.
    overlap
        How many times the variance counts, see `fold_overlap`.

    Returns
    -------
    tuple of float
        Lower and upper end, within 0 and 1; 15 of 29 gives 0.33 to 0.71.

    Raises
    ------
    EvaluationError
        On impossible counts or an impossible level.

    Notes
    -----
    Clopper and Pearson 1934, Biometrika 26:404.
    """
    if not (n >= 1 and 0 <= successes <= n and 0 < level < 1):
        raise EvaluationError(
            f"{successes} of {n} at the level {level} has no interval: "
            "give 0 <= successes <= n, n >= 1 and a level between 0 and 1."
        )
    size = np.float64(max(n / overlap, 1))
    low, high = effective_exact(np.float64(successes / n), size, level)
    return float(low), float(high)


def wilson(
    share: Numbers, size: Numbers, patients: np.ndarray | int, level: float = LEVEL
) -> np.ndarray:
    """Wilson's interval of a share with Student's t in place of the normal quantile.

    Parameters
    ----------
    share, size
        Shares, 0 to 1, and on how many independent trials each stands; of one shape.
    patients
        How many give the variance: t has one degree of freedom less, but at least one.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    numpy.ndarray
        ... x 2: lower and upper end, within 0 and 1; never without width.

    Notes
    -----
    Wilson 1927, JASA 22:209; with t after Franco et al. 2019 (PMC6690503).
    """
    t = student_t(patients, level)
    spread = 1 + t**2 / size
    middle = (share + t**2 / (2 * size)) / spread
    half = t * np.sqrt(share * (1 - share) / size + t**2 / (4 * size**2)) / spread
    # Rounding must not shut out the share itself, which is an end where it is 0 or 1.
    low = np.minimum(np.maximum(middle - half, 0), share)
    return np.stack([low, np.maximum(np.minimum(middle + half, 1), share)], axis=-1)


def effective_exact(share: Numbers, size: Numbers, level: float = LEVEL) -> np.ndarray:
    """Clopper and Pearson's interval for an effective number of trials, ... x 2.

    For figures with one trial a patient, where Wilson's leaves out shares near 1 after a single
    mistake. After Korn and Graubard 1998, Survey Methodology 24:193.
    """
    hits, tail = share * size, (1 - level) / 2
    # Where all or no trials succeed the quantile of the beta distribution is undefined.
    low = np.where(share > 0, betaincinv(np.maximum(hits, 1e-9), size - hits + 1, tail), 0)
    high = np.where(share < 1, betaincinv(hits + 1, np.maximum(size - hits, 1e-9), 1 - tail), 1)
    return np.stack([low, high], axis=-1)


def one_row_each(counts: np.ndarray) -> bool:
    """Tell whether each patient has one row: a table of patients, or all patients unknown."""
    return bool(counts.sum(axis=(-2, -1)).max(initial=0) <= 1)


def student_t(patients: np.ndarray | int, level: float = LEVEL) -> np.ndarray:
    """Two-sided quantile of Student's t for a variance between patients."""
    return stdtrit(np.maximum(patients - 1, 1), (1 + level) / 2)


class Variance(NamedTuple):
    """The variance of a figure, ..., and how many patients it rests on, ..., from 1 to G.

    ``patients`` is G where all differ alike from what is expected, and 1 where one alone does, as
    when all mistakes fall on one patient: it is (sum of d^2)^2 / sum of d^4 of their deviations d
    (Kish's effective number, 1965, *Survey Sampling*).
    """

    value: np.ndarray
    patients: np.ndarray

    @staticmethod
    def of(deviations: np.ndarray, scale: np.ndarray | float) -> "Variance":
        """Sum the squares of deviations, ... x G, times a scale."""
        squares = deviations**2
        total, fourth = squares.sum(axis=-1), np.sum(squares**2, axis=-1)
        alike = np.full(total.shape, float(deviations.shape[-1]))
        rests = np.divide(total**2, fourth, out=alike, where=fourth > 0)
        return Variance(scale * total, rests)


def effective_size(
    share: Numbers,
    variance: Variance,
    most: Numbers,
    patients: np.ndarray | int,
    overlap: float = 1.0,
) -> np.ndarray:
    """How many independent trials would leave a share as uncertain as its variance says.

    A variance that rests on few patients is seldom large enough, so it is averaged with that of
    ``patients`` independent trials, which has the weight of `PRIOR_PATIENTS`. The size is at most
    ``most``, at least one, and as many as ``patients`` where the variance cannot tell: the share is
    0 or 1, or the variance is NaN. All are of one shape or a number; all is divided by ``overlap``
    (see `fold_overlap`).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.minimum(share * (1 - share) / variance.value, most)
        weight = PRIOR_PATIENTS / (PRIOR_PATIENTS + variance.patients)
        size = 1 / (weight / np.minimum(patients, size) + (1 - weight) / size)
    blind = (share <= 0) | (share >= 1) | np.isnan(variance.value)
    return np.maximum(np.minimum(np.where(blind, patients, size), most) / overlap, 1)


def fold_overlap(p: pd.DataFrame) -> float:
    """How many times the variance counts: `FOLD_VARIANCE` where models of several folds answer.

    Reads the column fold of pictures, or of patients from `by_patient`; 1 where there is none.
    """
    return FOLD_VARIANCE if "fold" in p and p["fold"].nunique() > 1 else 1.0


def share_interval(hits: np.ndarray, trials: np.ndarray, overlap: float = 1.0) -> np.ndarray:
    """Interval of the sum of hits over the sum of trials, as of pictures judged correctly.

    Parameters
    ----------
    hits, trials
        ... x G of as many patients; hits between 0 and trials, not always whole numbers.
    overlap
        How many times the variance counts, see `fold_overlap`.

    Returns
    -------
    numpy.ndarray
        ... x 2. One patient alone gives nearly everything from 0 to 1.
    """
    patients = trials.shape[-1]
    total = trials.sum(axis=-1)
    share = hits.sum(axis=-1) / total
    size = effective_size(share, variance_of_share(hits, trials), total, patients, overlap)
    return wilson(share, size, patients)


def variance_of_share(hits: np.ndarray, trials: np.ndarray) -> Variance:
    """Variance of sum of hits / sum of trials over patients, ... x G; NaN of a single patient."""
    patients = trials.shape[-1]
    total = trials.sum(axis=-1)
    share = hits.sum(axis=-1) / total
    scale = patients / (patients - 1) if patients > 1 else np.nan
    return Variance.of((hits - share[..., None] * trials) / total[..., None], scale)


def variance_leaving_out(values: np.ndarray) -> Variance:
    """Variance of a figure from its values, ... x G, with each patient left out once.

    NaN for a single patient, and where leaving one out leaves the figure undefined (Quenouille's
    and Tukey's jackknife; Efron and Stein 1981, Ann Stat 9:586).
    """
    patients = values.shape[-1]
    scale = (patients - 1) / patients if patients > 1 else np.nan
    return Variance.of(values - values.mean(axis=-1, keepdims=True), scale)


def variance_within_class(left: np.ndarray, value: float, label_of_unit: np.ndarray) -> Variance:
    """Variance of a figure from its values (U) with each patient left out once, class by class.

    What separates the classes is no chance, so patients are compared with those of their own
    class; a class's only patient with ``value``, the figure of all. NaN where a value is NaN.
    """
    apart = np.empty(len(left))
    for code in np.unique(label_of_unit):
        where = label_of_unit == code
        own = left[where]
        middle = own.mean() if len(own) > 1 else value
        apart[where] = (own - middle) * np.sqrt(max(len(own) - 1, 1) / len(own))
    return Variance.of(apart, 1.0)


def metric_interval(name: str, counts: np.ndarray, overlap: float = 1.0) -> np.ndarray:
    """Interval of one of the `METRICS`, ... x 2, from patients' confusions, ... x G x K x K.

    ``overlap`` tells how many times the variance counts, see `fold_overlap`.

    Kappa is written as the agreement that it stands for, a share, with the agreement by chance
    held; NaN where it is undefined.
    """
    if name == "accuracy":
        hits = np.trace(counts, axis1=-2, axis2=-1)
        return share_interval(hits, counts.sum(axis=(-2, -1)), overlap)
    total = counts.sum(axis=-3)
    value = METRICS[name](total)
    variance = variance_leaving_out(METRICS[name](total[..., None, :, :] - counts))
    rows, patients = total.sum(axis=(-2, -1)), counts.shape[-3]
    chance = _chance(total) if name == "kappa" else np.zeros(value.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = chance + (1 - chance) * value
        variance = variance._replace(value=(1 - chance) ** 2 * variance.value)
        size = effective_size(share, variance, rows, patients, overlap)
        alone = one_row_each(counts)
        ends = effective_exact(share, size) if alone else wilson(share, size, patients)
        ends = (ends - chance[..., None]) / (1 - chance[..., None])
    return np.where(np.isnan(value)[..., None], np.nan, np.clip(ends, -1, 1))


def _chance(matrix: np.ndarray) -> np.ndarray:
    """Agreement by chance, 0 to 1, of confusion matrices, ... x K x K."""
    total = matrix.sum(axis=(-2, -1))
    return np.sum(matrix.sum(axis=-1) * matrix.sum(axis=-2), axis=-1) / total**2


def class_metric_intervals(
    counts: np.ndarray, label_of_unit: np.ndarray, overlap: float = 1.0
) -> dict[str, np.ndarray]:
    """Intervals of precision, recall and F1 of each class, each ... x K x 2.

    Parameters
    ----------
    counts
        ... x U x K x K, the confusion of each patient, each class of a patient apart.
    label_of_unit
        U class codes: the true class of each.
    overlap
        How many times the variance counts, see `fold_overlap`.
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    called, true = counts.sum(axis=-2), counts.sum(axis=-1)
    rows = true + called
    parts = {"precision": (right, called), "recall": (right, true), "f1": (2 * right, rows)}
    found = {}
    for name, part in parts.items():
        share, size = _pooled_sizes(*part, label_of_unit)
        size = np.maximum(size / overlap, 1)
        alone = one_row_each(counts)
        ends = effective_exact(share, size) if alone else wilson(share, size, counts.shape[-3])
        found[name] = ends
    return found


def _pooled_sizes(
    hits: np.ndarray, trials: np.ndarray, label_of_unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a share of each class and its effective size, ... x K, of trials ... x U x K.

    A class's own few patients say little of how patients differ, so all classes share one design
    effect: how many pictures are worth one independent picture (Kish 1965, *Survey Sampling*).
    """
    patients = np.bincount(label_of_unit, minlength=trials.shape[-1])
    total = trials.sum(axis=-2)
    share = np.divide(hits.sum(axis=-2), total, out=np.zeros(total.shape), where=total > 0)
    simple = np.divide(share * (1 - share), total, out=np.zeros(total.shape), where=total > 0)
    apart = hits - share[..., None, :] * trials
    apart = np.divide(apart, total[..., None, :], out=np.zeros(apart.shape), where=apart != 0)
    variance = _variance_within(apart, label_of_unit, patients)
    # Of a recall, a single patient's variance is zero and says nothing.
    known = variance > 0
    above, below = (np.sum(np.where(known, v, 0), axis=-1) for v in (variance, simple))
    effect = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    fallback = np.maximum(np.minimum(patients, total), 1)
    size = total / np.maximum(effect, 1)[..., None]
    size = np.where(np.isnan(effect)[..., None], fallback, size)
    edge = (share <= 0) | (share >= 1)
    size = np.where(edge, np.minimum(size, np.maximum(patients, 1)), size)
    return share, np.maximum(size, 1)


def _variance_within(
    apart: np.ndarray, label_of_unit: np.ndarray, patients: np.ndarray
) -> np.ndarray:
    """Sum the variance of patients about the mean of their class, ... x K, from ... x U x K."""
    variance = np.zeros(apart.shape[:-2] + apart.shape[-1:])
    alone = patients.max(initial=0) < 2
    for code in range(len(patients)):
        own = apart[..., label_of_unit == code, :]
        # A class's only patient has no mean to differ from but the figure itself.
        if alone or patients[code] == 1:
            variance += np.sum(own**2, axis=-2)
        elif patients[code]:
            apart_in_class = own - own.mean(axis=-2, keepdims=True)
            scale = patients[code] / (patients[code] - 1)
            variance += scale * np.sum(apart_in_class**2, axis=-2)
    return variance


def metric_intervals(
    p: pd.DataFrame, classes: Sequence[str] | None = None
) -> dict[str, Interval | None]:
    """95 % intervals of the four `METRICS` from the differences between patients.

    Parameters
    ----------
    p
        A table with patient, label and predicted: pictures, or patients from `by_patient`.
    classes
        The K classes in order; those of the table where none are given.

    Returns
    -------
    dict
        Metric name to lower and upper end; None where the metric is undefined (kappa of a single
        class). No interval is without width.
    """
    classes = classes_of_predictions(p) if classes is None else classes
    counts = patient_confusions(p, patients_of(p), classes)
    overlap = fold_overlap(p)
    return {name: as_interval(metric_interval(name, counts, overlap)) for name in METRICS}


def class_intervals(
    p: pd.DataFrame, classes: Sequence[str]
) -> dict[str, dict[str, Interval | None]]:
    """95 % intervals of each class's precision, recall and F1, from a table as above."""
    unit, label_of_unit = patients_in_class(p, classes)
    counts = patient_confusions(p, unit, classes)
    found = class_metric_intervals(counts, label_of_unit, fold_overlap(p))
    return {
        label: {name: as_interval(ends[place]) for name, ends in found.items()}
        for place, label in enumerate(classes)
    }


def patients_of(p: pd.DataFrame) -> np.ndarray:
    """Number the patients of a table, N int64 from 0, in the order of their names."""
    return pd.factorize(p["patient"], sort=True)[0]


def patients_in_class(p: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Number the patients, each class apart: their number for every row (N) and their class (U)."""
    unit = p.groupby(["label", "patient"], sort=True).ngroup().to_numpy()
    label_of_unit = np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.int64)
    label_of_unit[unit] = class_codes(p["label"], classes)
    return unit, label_of_unit


def patient_confusions(p: pd.DataFrame, unit: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Count label and prediction of each patient: G x K x K float64, as ``unit`` (N) numbers."""
    true, predicted = (class_codes(p[name], classes) for name in ("label", "predicted"))
    size, patients = len(classes), int(unit.max(initial=-1)) + 1
    cell = (unit * size + true) * size + predicted
    counts = np.bincount(cell, minlength=patients * size * size)
    return counts.reshape(patients, size, size).astype(np.float64)


def sums_of_patients(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Sum rows, N x F, over each patient: G x F, as ``unit`` (N) numbers the patients."""
    patients = int(unit.max(initial=-1)) + 1
    return np.stack([np.bincount(unit, weights=v, minlength=patients) for v in values.T], axis=1)


def as_interval(ends: np.ndarray) -> Interval | None:
    """Return two ends as numbers, or None where they are NaN or the same."""
    low, high = (float(end) for end in ends)
    return (low, high) if low < high else None
