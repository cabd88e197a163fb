"""Measures of a classification, all computed from the confusion matrix.

Every function takes counts of the shape ... x K x K, rows true and columns predicted; leading
axes, such as resamples, are kept. The definitions are those of scikit-learn, with 0 where a ratio
has nothing to divide by.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lymph.errors import EvaluationError


def confusion(p: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Count the rows of a table by label and prediction.

    Parameters
    ----------
    p
        A table with the columns label and predicted: pictures, or patients from `by_patient`.
    classes
        The K classes, in the order of rows and columns.

    Returns
    -------
    numpy.ndarray
        K x K int64 counts, rows true, columns predicted.

    Raises
    ------
    EvaluationError
        When a label or a prediction is none of ``classes``.
    """
    true, predicted = (class_codes(p[name], classes) for name in ("label", "predicted"))
    size = len(classes)
    return np.bincount(true * size + predicted, minlength=size * size).reshape(size, size)


def class_codes(names: pd.Series, classes: Sequence[str]) -> np.ndarray:
    """Return the place of each name in ``classes``, N int64; `EvaluationError` if it has none."""
    codes = pd.Index(list(classes)).get_indexer(pd.Index(names))
    if (codes < 0).any():
        raise EvaluationError(
            f'"{names.iloc[int(np.argmin(codes))]}" is none of the classes {", ".join(classes)}: '
            "name every class of the table."
        )
    return codes.astype(np.int64)


def accuracy(matrix: np.ndarray) -> np.ndarray:
    """Share of rows on the diagonal, 0 to 1; NaN for an empty matrix. Shape ... of the input."""
    right = np.trace(matrix, axis1=-2, axis2=-1)
    return _ratio(right, np.sum(matrix, axis=(-2, -1)), empty=np.nan)


def balanced_accuracy(matrix: np.ndarray) -> np.ndarray:
    """Mean recall over the classes that occur in the truth, 0 to 1; NaN for an empty matrix."""
    occurs = np.sum(matrix, axis=-1) > 0
    return _ratio(np.sum(recall(matrix), axis=-1), np.sum(occurs, axis=-1), empty=np.nan)


def macro_f1(matrix: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes in truth or prediction, 0 to 1; NaN for an empty matrix."""
    occurs = np.sum(matrix, axis=-1) + np.sum(matrix, axis=-2) > 0
    return _ratio(np.sum(f1(matrix), axis=-1), np.sum(occurs, axis=-1), empty=np.nan)


def kappa(matrix: np.ndarray) -> np.ndarray:
    """Cohen's kappa, -1 to 1: agreement beyond what the two margins give by chance (Cohen 1960).

    NaN where chance alone agrees always, that is when truth and prediction are one and the same
    class.
    """
    total = np.sum(matrix, axis=(-2, -1)).astype(np.float64)
    right = np.trace(matrix, axis1=-2, axis2=-1)
    chance = np.sum(np.sum(matrix, axis=-1, dtype=np.float64) * np.sum(matrix, axis=-2), axis=-1)
    # In counts, not shares: then "no disagreement is possible" is an exact zero.
    return _ratio(total * right - chance, total * total - chance, empty=np.nan)


def precision(matrix: np.ndarray) -> np.ndarray:
    """Share right among the rows predicted as each class, ... x K; 0 where never predicted."""
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), np.sum(matrix, axis=-2))


def recall(matrix: np.ndarray) -> np.ndarray:
    """Share found among the rows of each class, ... x K; 0 for an absent class."""
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), np.sum(matrix, axis=-1))


def f1(matrix: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall of each class, ... x K; 0 where both are 0."""
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    return _ratio(2 * right, np.sum(matrix, axis=-1) + np.sum(matrix, axis=-2))


def per_class(matrix: np.ndarray, classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return precision, recall, F1 and support (true rows) of each class of one K x K matrix."""
    columns = zip(
        classes, precision(matrix), recall(matrix), f1(matrix), np.sum(matrix, axis=-1), strict=True
    )
    return {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for name, p, r, f, n in columns
    }


def largest_class_baseline(matrix: np.ndarray) -> np.ndarray:
    """Accuracy of always answering the largest class of the truth; NaN for an empty matrix."""
    support = np.sum(matrix, axis=-1)
    return _ratio(np.max(support, axis=-1), np.sum(support, axis=-1), empty=np.nan)


METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "kappa": kappa,
}

# Measures of one class each, ... x K.
CLASS_METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
}


def _ratio(above: np.ndarray, below: np.ndarray, empty: float = 0.0) -> np.ndarray:
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(below.shape, empty), where=below > 0)
