"""BROKEN ON PURPOSE: class indices compared with one-hot labels count to over 100 %."""

from typing import TypedDict

import numpy as np

from lymph.lessons import arithmetic
from lymph.lessons.data import LessonData
from lymph.lessons.practice import Tell, fit, material, silent, small_cnn


class Figures(TypedDict):
    """Validation accuracy of every epoch, counted both ways, and the notebook's own figure.

    ``shuffled_broken`` and ``shuffled_fixed``: the same with the labels shuffled among pictures.
    ``called``: pictures called each class, one list an epoch. ``kept_broken`` and ``kept_fixed``:
    the epoch, counted from 1, that each way of counting takes for the best one.
    """

    broken: list[float]
    fixed: list[float]
    shuffled_broken: list[float]
    shuffled_fixed: list[float]
    called: list[list[int]]
    kept_broken: int
    kept_fixed: int
    pictures: int
    patients: int
    notebook: float
    notebook_true: float


def run(data: LessonData, epochs: int = 12, seed: int = 0, tell: Tell = silent) -> Figures:
    """Train once and count the validation accuracy of every epoch both ways."""
    sets = material(data, seed=seed)
    classes = len(data.classes)
    rng = np.random.default_rng(seed)
    broken, fixed, called = [], [], []
    shuffled_broken, shuffled_fixed = [], []
    for seen in fit(small_cnn(classes, seed=seed), sets, epochs, tell=tell, name="training"):
        predicted = seen.validated.logits.argmax(dim=1).numpy()
        labels = seen.validated.labels.numpy()
        broken.append(arithmetic.broadcast_accuracy(predicted, labels, classes))
        fixed.append(float((predicted == labels).mean()))
        shuffled = rng.permutation(labels)
        shuffled_broken.append(arithmetic.broadcast_accuracy(predicted, shuffled, classes))
        shuffled_fixed.append(float((predicted == shuffled).mean()))
        called.append(np.bincount(predicted, minlength=classes).tolist())
    return {
        "broken": broken,
        "fixed": fixed,
        "shuffled_broken": shuffled_broken,
        "shuffled_fixed": shuffled_fixed,
        "called": called,
        "kept_broken": int(np.argmax(broken)) + 1,
        "kept_fixed": int(np.argmax(fixed)) + 1,
        "pictures": len(sets.val.rows),
        "patients": int(data.table["patient"].iloc[sets.val.rows].nunique()),
        "notebook": arithmetic.broadcast_accuracy_of_counts(arithmetic.NOTEBOOK_CALLED),
        "notebook_true": arithmetic.NOTEBOOK_CALLED_RIGHTLY / sum(arithmetic.NOTEBOOK_CALLED),
    }
