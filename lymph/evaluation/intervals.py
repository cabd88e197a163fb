"""How far a figure can be trusted: 95 % intervals over patients, and whether two models differ.

Pictures of one patient resemble each other, so patients, not pictures, are drawn again, and within
their class, since the classes' sizes were fixed when the pictures were collected (Davison and
Hinkley 1997, *Bootstrap Methods and their Application*, section 3.2; Field and Welsh 2007, JRSS B
69:369).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import beta

from lymph.errors import EvaluationError
from lymph.evaluation.metrics import CLASS_METRICS, METRICS, class_codes
from lymph.evaluation.patients import by_patient
from lymph.predictions import choose_set, classes_of_predictions, validate_predictions

RESAMPLES = 2000
SEED = 20080
LEVEL = 0.95
# With five patients even a unanimous sign test stays above 5 % (2 / 2**5), with six it does not.
PATIENTS_TO_TELL_APART = 6

Interval = tuple[float, float]


def clopper_pearson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Exact interval of a share, for independent trials such as patients.

    Parameters
    ----------
    successes, n
        Trials that succeeded and trials in all, 0 <= successes <= n and n >= 1.
    level
        Coverage, between 0 and 1.

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
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(beta.ppf(1 - tail, successes + 1, n - successes))
    return low, high


def resampled_confusions(
    p: pd.DataFrame, classes: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED
) -> np.ndarray:
    """Confusion matrices of tables in which the patients of each class are drawn again.

    Parameters
    ----------
    p
        A table with patient, label and predicted: pictures, or patients from `by_patient`.
    classes
        The K classes in order.
    resamples, seed
        Number B of resamples, and the seed that makes them repeatable.

    Returns
    -------
    numpy.ndarray
        B x K x K float64 whole counts, rows true, columns predicted. The order of the rows of
        ``p`` does not matter.
    """
    outcome = np.eye(len(classes))[class_codes(p["predicted"], classes)]
    return _resampled_sums(p, outcome, classes, resamples, seed)


def resampled_intervals(
    p: pd.DataFrame,
    classes: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[str, Interval | None]:
    """Percentile intervals of the four `METRICS` over resampled patients.

    Returns
    -------
    dict
        Metric name to lower and upper end; None where the metric is undefined (kappa of a single
        class). An interval without width means that the patients drawn never made a difference,
        not certainty.
    """
    classes = classes_of_predictions(p) if classes is None else classes
    matrices = resampled_confusions(p, classes, resamples, seed)
    return {name: percentiles(metric(matrices), level) for name, metric in METRICS.items()}


def class_intervals(
    p: pd.DataFrame,
    classes: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, dict[str, Interval]]:
    """Percentile intervals of each class's precision, recall and F1 over resampled patients."""
    matrices = resampled_confusions(p, classes, resamples, seed)
    values = {name: measure(matrices) for name, measure in CLASS_METRICS.items()}
    return {
        label: {name: percentiles(drawn[:, place]) for name, drawn in values.items()}
        for place, label in enumerate(classes)
    }


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


def paired_difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str = "accuracy",
    set_name: str = "test",
    names: tuple[str, str] = ("the first model", "the second model"),
    patients: bool = False,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Compare two models on the same pictures, drawing the same patients for both.

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
    resamples, seed
        Number of resamples, and the seed that makes them repeatable.

    Returns
    -------
    Difference
        ``told_apart`` is true when the interval excludes zero and at least six patients stand in
        classes that have two or more, the fewest with which a unanimous sign test passes 5 %.

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
    size = len(classes)
    outcome = np.hstack(
        [np.eye(size)[class_codes(table["predicted"], classes)] for table in (a, b)]
    )
    sums = _resampled_sums(a, outcome, classes, resamples, seed)
    score = METRICS[metric]
    observed = _sums_by_class(outcome, class_codes(a["label"], classes), size)
    before, after = (float(score(part)) for part in (observed[:, :size], observed[:, size:]))
    interval = percentiles(score(sums[..., size:]) - score(sums[..., :size]), LEVEL)
    if interval is None or np.isnan(after - before):
        raise EvaluationError(f"{metric} is undefined on these pictures: compare by accuracy.")
    return _difference(metric, before, after, interval, a, names)


def _difference(
    metric: str,
    before: float,
    after: float,
    interval: Interval,
    table: pd.DataFrame,
    names: tuple[str, str],
) -> Difference:
    in_class = table.groupby("label")["patient"].nunique()
    enough = in_class[in_class > 1].sum() >= PATIENTS_TO_TELL_APART
    told_apart = bool(enough and (interval[0] > 0 or interval[1] < 0))
    count = int(table["patient"].nunique())
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


def _resampled_sums(
    p: pd.DataFrame, outcome: np.ndarray, classes: Sequence[str], resamples: int, seed: int
) -> np.ndarray:
    """Sum ``outcome`` (N x F) over resampled patients: B x K x F, a row of sums a true class."""
    unit, label_of_unit = patients_in_class(p, classes)
    counts = _sums_by_class(outcome, unit, len(label_of_unit))
    return draw_patients(counts, label_of_unit, len(classes), resamples, seed)


def patients_in_class(p: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Number the patients, each class apart: their number for every row (N) and their class (U)."""
    unit = p.groupby(["label", "patient"], sort=True).ngroup().to_numpy()
    label_of_unit = np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.int64)
    label_of_unit[unit] = class_codes(p["label"], classes)
    return unit, label_of_unit


def draw_patients(
    counts: np.ndarray,
    label_of_unit: np.ndarray,
    size: int,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> np.ndarray:
    """Sum what is known of each patient over patients drawn again within their class.

    Parameters
    ----------
    counts
        U x F, one row a patient: what is summed.
    label_of_unit
        U class codes below ``size``.
    size
        Number K of classes.
    resamples, seed
        Number B of resamples, and the seed that makes them repeatable.

    Returns
    -------
    numpy.ndarray
        B x K x F float64 sums over the drawn patients of each true class.
    """
    generator = np.random.default_rng(seed)
    sums = np.zeros((resamples, size, counts.shape[1]))
    for code in range(size):
        own = counts[label_of_unit == code]
        if len(own):
            # Patients with equal counts cannot be told apart in a sum: drawing the kinds of
            # patients with their frequencies is the same resampling, and small however many
            # patients there are.
            kinds, frequency = np.unique(own, axis=0, return_counts=True)
            drawn = generator.multinomial(len(own), frequency / len(own), size=resamples)
            sums[:, code] = drawn.astype(np.float64) @ kinds
    return sums


def _sums_by_class(outcome: np.ndarray, codes: np.ndarray, size: int) -> np.ndarray:
    columns = [np.bincount(codes, weights=column, minlength=size) for column in outcome.T]
    return np.stack(columns, axis=1)


def percentiles(values: np.ndarray, level: float = LEVEL) -> Interval | None:
    """Return the interval that holds the middle ``level`` of resampled values; NaN is left out."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
