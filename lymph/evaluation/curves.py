"""ROC and precision-recall curves of each class against the others, their areas and intervals.

The definitions are those of scikit-learn: pictures of equal probability fall together, the ROC
curve is joined by straight lines, and the area under the precision-recall curve is the average
precision, which joins nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lymph.errors import EvaluationError
from lymph.evaluation.intervals import (
    RESAMPLES,
    SEED,
    Interval,
    draw_patients,
    patients_in_class,
    percentiles,
)
from lymph.evaluation.metrics import class_codes
from lymph.predictions import classes_of_predictions, probabilities_of

# Exact for 374 pictures; of more, neighbouring thresholds are drawn as one.
MOST_THRESHOLDS = 400
MOST_COUNTS = 4_000_000


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


def areas(
    p: pd.DataFrame, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, dict[str, Area]]:
    """Areas under the ROC and the precision-recall curve of each class, and their means.

    Parameters
    ----------
    p
        A table with patient, label and ``p_<class>``: pictures of one set, or patients.
    resamples, seed
        Number of resamples of patients within their class, and the seed.

    Returns
    -------
    dict
        Class to ``{"roc": Area, "precision_recall": Area}``, then ``macro``, the mean over the
        classes of the table that are told from others. A class without pictures, or without
        others, has no area. The intervals of very large tables draw neighbouring thresholds
        together.
    """
    classes = classes_of_predictions(p)
    exact = _outcomes(p, classes, None)
    drawn = _outcomes(p, classes, (resamples, seed))
    found = {
        name: {
            kind: Area(_number(value[place]), percentiles(drawn[kind][:, place]))
            for kind, value in exact.items()
        }
        for place, name in enumerate(classes)
    }
    return found | {"macro": {kind: _macro(exact[kind], drawn[kind]) for kind in exact}}


def _macro(exact: np.ndarray, drawn: np.ndarray) -> Area:
    there = ~np.isnan(exact)
    if not there.any():
        return Area(None, None)
    return Area(float(exact[there].mean()), percentiles(drawn[:, there].mean(axis=1)))


def _outcomes(
    p: pd.DataFrame, classes: Sequence[str], draws: tuple[int, int] | None
) -> dict[str, np.ndarray]:
    """Return both areas of each class: K values, or B x K of resampled patients."""
    unit, label_of_unit = patients_in_class(p, classes)
    codes, values = class_codes(p["label"], classes), probabilities_of(p)
    steps = [_steps(column) for column in values.T]
    if draws is None:
        counts = [_class_steps(step, codes, place) for place, (_, step) in enumerate(steps)]
        pairs = [(own[None], others[None]) for own, others in counts]
        return {kind: np.concatenate(parts) for kind, parts in _both(pairs).items()}
    most = min(MOST_THRESHOLDS, max(20, MOST_COUNTS // (len(label_of_unit) * len(classes) + 1)))
    coarse = [_coarser(step, most) for _, step in steps]
    sizes = [int(step.max(initial=0)) + 1 for step in coarse]
    counts = np.hstack(
        [
            np.bincount(unit * size + step, minlength=len(label_of_unit) * size).reshape(-1, size)
            for step, size in zip(coarse, sizes, strict=True)
        ]
    )
    sums = draw_patients(counts, label_of_unit, len(classes), *draws)
    parts = np.split(sums, np.cumsum(sizes)[:-1], axis=2)
    pairs = [
        (part[:, place], part.sum(axis=1) - part[:, place]) for place, part in enumerate(parts)
    ]
    return {kind: np.stack(values, axis=1) for kind, values in _both(pairs).items()}


def _both(pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, list[np.ndarray]]:
    return {
        "roc": [_roc_area(*pair) for pair in pairs],
        "precision_recall": [_average_precision(*pair) for pair in pairs],
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


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
