"""ROC and precision-recall curves of each class against the others, their areas and intervals.

The definitions are those of scikit-learn: pictures of equal probability fall together, the ROC
curve is joined by straight lines, and the area under the precision-recall curve is the average
precision, which joins nothing.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lymph.errors import EvaluationError
from lymph.evaluation.intervals import (
    Interval,
    Numbers,
    as_interval,
    effective_size,
    fold_overlap,
    patients_in_class,
    variance_within_class,
    wilson,
)
from lymph.evaluation.metrics import class_codes
from lymph.predictions import classes_of_predictions, probabilities_of

# Exact for 374 pictures; of more, neighbouring thresholds are drawn as one.
MOST_THRESHOLDS = 400
MOST_COUNTS = 4_000_000
AREA_METHOD = (
    "each patient is left out in turn, class by class; Wilson's interval with the effective number "
    "of independent answers and Student's t"
)


class Area(NamedTuple):
    """An area under a curve, 0 to 1, and its 95 % interval; None where it is undefined."""

    value: float | None
    interval: Interval | None


def curve(p: pd.DataFrame, name: str) -> pd.DataFrame:
    """Count what a class's threshold finds as it falls.

    Parameters
    ----------
    p
        A table with label and ``p_<class>``: pictures of one set, or patients from `by_patient`.
    name
        The class that is told from the others.

    Returns
    -------
    pandas.DataFrame
        One row a distinct probability, falling: threshold, found (share of the class at or above
        it: recall, the true positive rate), alarms (share of the others at or above it: the false
        positive rate) and precision. NaN where a share has nothing to divide by.

    Raises
    ------
    EvaluationError
        When ``name`` is no class of the table.
    """
    classes = classes_of_predictions(p)
    if name not in classes:
        raise EvaluationError(f'There is no class "{name}": choose one of {", ".join(classes)}.')
    place = classes.index(name)
    thresholds, step = _steps(probabilities_of(p)[:, place])
    own = class_codes(p["label"], classes) == place
    size = len(thresholds)
    right, wrong = (np.cumsum(np.bincount(step[rows], minlength=size)) for rows in (own, ~own))
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "found": _divide(right, np.float64(own.sum())),
            "alarms": _divide(wrong, np.float64((~own).sum())),
            "precision": _divide(right, right + wrong),
        }
    )


def areas(p: pd.DataFrame) -> dict[str, dict[str, Area]]:
    """Areas under the ROC and the precision-recall curve of each class, and their means.

    Parameters
    ----------
    p
        A table with patient, label and ``p_<class>``: pictures of one set, or patients.

    Returns
    -------
    dict
        Class to ``{"roc": Area, "precision_recall": Area}``, then ``macro``, the mean over the
        classes of the table that are told from others. A class without pictures, or without
        others, has no area. The intervals of very large tables join neighbouring thresholds.
    """
    classes = classes_of_predictions(p)
    codes = class_codes(p["label"], classes)
    unit, label_of_unit = patients_in_class(p, classes)
    exact, left = _exact_areas(p, codes), _areas_leaving_out(p, codes, unit)
    patients = np.bincount(label_of_unit, minlength=len(classes))
    rows = np.bincount(codes, minlength=len(classes))
    found: dict[str, dict[str, Area]] = {name: {} for name in [*classes, "macro"]}
    for kind, values in exact.items():
        told = ~np.isnan(values)
        chosen = np.vstack([np.eye(len(classes), dtype=bool), told])
        for name, which in zip(found, chosen, strict=True):
            sizes = int(rows[which].sum()), int(patients[which].sum()), fold_overlap(p)
            found[name][kind] = _area(values[which], left[kind][:, which], label_of_unit, *sizes)
    return found


def _area(
    values: np.ndarray,
    left: np.ndarray,
    label_of_unit: np.ndarray,
    rows: int,
    patients: int,
    overlap: float,
) -> Area:
    """Average the areas of some classes (C), with an interval.

    ``left`` (U x C) are the areas with each patient left out; ``rows`` and ``patients`` count
    those of the classes; see `fold_overlap`.
    """
    if not len(values) or np.isnan(values).any():
        return Area(None, None)
    value = float(values.mean())
    variance = variance_within_class(left.mean(axis=1), value, label_of_unit)
    size = effective_size(np.float64(value), variance, rows, patients, overlap)
    # A mean for each class takes one degree of freedom.
    free = len(label_of_unit) - len(np.unique(label_of_unit))
    if free == 0:
        free = len(label_of_unit) - 1
    return Area(value, as_interval(wilson(np.float64(value), size, free + 1)))


def _exact_areas(p: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return both areas of each class, K values each."""
    steps = [_steps(column)[1] for column in probabilities_of(p).T]
    return _both([_class_steps(step, codes, place) for place, step in enumerate(steps)])


def _areas_leaving_out(
    p: pd.DataFrame, codes: np.ndarray, unit: np.ndarray
) -> dict[str, np.ndarray]:
    """Return both areas of each class with each of G patients left out once, G x K."""
    patients, columns = int(unit.max(initial=-1)) + 1, probabilities_of(p).T
    most = min(MOST_THRESHOLDS, max(20, MOST_COUNTS // (patients * len(columns) + 1)))
    pairs = []
    for place, column in enumerate(columns):
        step = _coarser(_steps(column)[1], most)
        size = int(step.max(initial=0)) + 1
        cell = (unit * 2 + (codes == place)) * size + step
        counts = np.bincount(cell, minlength=patients * 2 * size).reshape(patients, 2, size)
        others, own = np.moveaxis(counts.sum(axis=0) - counts, 1, 0)
        pairs.append((own, others))
    return _both(pairs)


def _both(pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return both areas of K classes, ... x K, from the counts at their thresholds."""
    return {
        "roc": np.stack([_roc_area(*pair) for pair in pairs], axis=-1),
        "precision_recall": np.stack([_average_precision(*pair) for pair in pairs], axis=-1),
    }


def _class_steps(step: np.ndarray, codes: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
    size = int(step.max(initial=0)) + 1
    own = codes == place
    return np.bincount(step[own], minlength=size), np.bincount(step[~own], minlength=size)


def _steps(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct scores, falling, and the place of each row's score among them."""
    rising, place = np.unique(scores, return_inverse=True)
    return rising[::-1], len(rising) - 1 - place


def _coarser(step: np.ndarray, most: int) -> np.ndarray:
    """Join neighbouring thresholds so that each holds about as many rows, at most ``most``."""
    if step.max(initial=0) < most:
        return step
    rows = np.cumsum(np.bincount(step)) - 1
    return np.unique(rows[step] * most // len(step), return_inverse=True)[1]


def _roc_area(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of pairs in which the class scores above another, ties counting half; ... of input."""
    above = np.cumsum(own, axis=-1) - own / 2
    pairs = np.sum(own, axis=-1) * np.sum(others, axis=-1)
    return _divide(np.sum(above * others, axis=-1), pairs)


def _average_precision(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    right = np.cumsum(own, axis=-1)
    called = right + np.cumsum(others, axis=-1)
    precision = np.divide(right, called, out=np.zeros(called.shape), where=called > 0)
    total = np.sum(own, axis=-1)
    # Where there are no others every threshold is right: that says nothing, as for the ROC area.
    defined = np.where(np.sum(others, axis=-1) > 0, total, 0)
    return _divide(np.sum(own * precision, axis=-1), defined)


def _divide(above: np.ndarray, below: Numbers) -> np.ndarray:
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
