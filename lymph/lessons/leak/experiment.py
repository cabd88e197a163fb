"""BROKEN ON PURPOSE: a split by picture puts the same patients on both sides."""

from typing import TypedDict

from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    COLOUR,
    Score,
    Tell,
    fit,
    judge,
    material,
    part_of,
    silent,
    small_cnn,
)
from lymph.splits import Split, leak_report, split_by_patient, split_by_picture


class Side(TypedDict):
    """What one way to split gave; shares from 0 to 1."""

    test: Score
    train_accuracy: float
    leaked_share: float


class Figures(TypedDict):
    """The two ways to split, and what always calling the largest class would score."""

    picture: Side
    patient: Side
    baseline: float


def _train(data: LessonData, split: Split, epochs: int, seed: int, tell: Tell) -> Side:
    model = small_cnn(len(data.classes), COLOUR, seed)
    sets = material(data, split, COLOUR, seed)
    *_, last = fit(model, sets, epochs, tell=tell, name=f"split by {split.by}")
    return {
        "test": judge(data, model, sets.test),
        "train_accuracy": last.trained.accuracy,
        "leaked_share": leak_report(data.table, split).leaked_test_share,
    }


def run(data: LessonData, epochs: int = 18, seed: int = 0, tell: Tell = silent) -> Figures:
    """Train one small colour network under both splits, from the same start, equally long."""
    by_picture = split_by_picture(data.table, seed=seed)
    by_patient = split_by_patient(data.table, seed=seed)
    return {
        "picture": _train(data, by_picture, epochs, seed, part_of(tell, 0, 0.5)),
        "patient": _train(data, by_patient, epochs, seed, part_of(tell, 0.5, 1)),
        "baseline": float(data.table["label"].value_counts(normalize=True).max()),
    }
