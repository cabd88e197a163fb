"""Lesson 8: a classifier that sees nothing but the mean colour, and what takes it away."""

from dataclasses import replace
from typing import TypedDict

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier

from lymph.lessons import stain
from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    COLOUR,
    SIDE,
    Score,
    Tell,
    equal_loss,
    fit,
    judge,
    material,
    part_of,
    score,
    silent,
    small_cnn,
)
from lymph.splits import Split, make_folds
from lymph.training.dataset import Batches
from lymph.training.loop import evaluate

FOLDS = 5
NEIGHBOURS = 3


class Network(TypedDict):
    """A small network with or without stain jitter in training.

    ``changed``: share of test pictures that get another answer when they are stained anew.
    """

    test: Score
    changed: float


class Figures(TypedDict):
    """What the mean colour gives away, and what jitter does for a network.

    ``recognised``: share of pictures whose patient is told from the mean colour, one a view;
    ``chance``: the share when always naming the patient with most pictures.
    """

    recognised: dict[str, float]
    chance: float
    patients: int
    pictures: int
    by_picture: Score
    by_patient: Score
    baseline: float
    plain: Network
    jittered: Network


def _out_of_fold(colours: np.ndarray, targets: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predict the targets of every fold from the colours of the others."""
    predicted = np.empty_like(targets)
    for name in np.unique(fold):
        held = fold == name
        model = KNeighborsClassifier(NEIGHBOURS).fit(colours[~held], targets[~held])
        predicted[held] = model.predict(colours[held])
    return predicted


def _score(data: LessonData, predicted: np.ndarray) -> Score:
    """Score class indices, one a picture, that were predicted out of fold."""
    return score(data, np.arange(len(predicted)), np.eye(len(data.classes))[predicted])


def _folds(data: LessonData, by: str) -> np.ndarray:
    fewest = int(data.table.groupby("label")["patient"].nunique().min())
    split: Split = make_folds(data.table, min(FOLDS, max(2, fewest)), by)
    return split.assign(data.table).to_numpy(str)


def _network(data: LessonData, jitter: bool, epochs: int, tell: Tell) -> Network:
    sets = material(data, spec=COLOUR)
    rng = np.random.default_rng(0)
    model = small_cnn(len(data.classes), COLOUR)

    def stain_anew(batches: Batches) -> Batches:
        return replace(batches, pixels=stain.jitter(batches.pixels, rng))

    name = "with jitter" if jitter else "without jitter"
    renew = stain_anew if jitter else None
    for _ in fit(model, sets, epochs, renew=renew, tell=tell, name=name):
        pass
    loss = equal_loss(len(data.classes))
    answers = evaluate(model, sets.test, loss).logits.argmax(dim=1)
    other = replace(sets.test, pixels=stain.jitter_repeatably(sets.test.pixels))
    changed = evaluate(model, other, loss).logits.argmax(dim=1) != answers
    return {"test": judge(data, model, sets.test), "changed": float(torch.mean(changed.double()))}


def run(data: LessonData, epochs: int = 15, tell: Tell = silent) -> Figures:
    """Tell patients and classes by their mean colour, then train with and without stain jitter."""
    pixels = np.asarray(data.pixels(SIDE, grey=False))
    patients = data.table["patient"].to_numpy(str)
    folds = _folds(data, "picture")
    recognised = {}
    for name, view in stain.VIEWS.items():
        told = _out_of_fold(stain.mean_colours(view(pixels)), patients, folds)
        recognised[name] = float((told == patients).mean())
        tell(0.02, f"{name}: the patient is told for {100 * recognised[name]:.0f} % of pictures")
    colours = stain.mean_colours(pixels)
    patient_folds = _folds(data, "patient")
    return {
        "recognised": recognised,
        "chance": float(data.table["patient"].value_counts(normalize=True).max()),
        "patients": int(data.table["patient"].nunique()),
        "pictures": len(data.table),
        "by_picture": _score(data, _out_of_fold(colours, data.labels, folds)),
        "by_patient": _score(data, _out_of_fold(colours, data.labels, patient_folds)),
        "baseline": float(data.table["label"].value_counts(normalize=True).max()),
        "plain": _network(data, False, epochs, part_of(tell, 0.05, 0.5)),
        "jittered": _network(data, True, epochs, part_of(tell, 0.5, 1)),
    }
