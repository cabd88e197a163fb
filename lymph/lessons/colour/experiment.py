"""A classifier that sees nothing but the mean colour, and what takes it away."""

from dataclasses import replace
from typing import TypedDict

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from lymph.lessons import colour_views
from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    COLOUR,
    SIDE,
    Score,
    Tell,
    compare,
    equal_loss,
    fit,
    judge,
    material,
    part_of,
    score,
    silent,
    small_cnn,
)
from lymph.models.networks import BackboneHead
from lymph.splits import Split, make_folds
from lymph.splits.split import By
from lymph.training.loop import evaluate

FOLDS = 5
NEIGHBOURS = 3


class Network(TypedDict):
    """A small network with or without training's stain jitter.

    ``changed``: share of test pictures that get another answer when they are jittered so too.
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
    difference: str


def _out_of_fold(colours: np.ndarray, targets: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predict the targets of every fold from the colours of the others."""
    predicted = np.empty_like(targets)
    for name in np.unique(fold):
        held = fold == name
        model = KNeighborsClassifier(NEIGHBOURS).fit(colours[~held], targets[~held])
        predicted[held] = model.predict(colours[held])
    return predicted


def _score_folds(data: LessonData, colours: np.ndarray, folds: np.ndarray) -> Score:
    """Score the classes that colours tell out of fold; ``folds`` names one for each picture."""
    predicted = _out_of_fold(colours, data.labels, folds)
    return score(data, np.arange(len(predicted)), np.eye(len(data.classes))[predicted], folds)


def _folds(data: LessonData, by: By, seed: int) -> np.ndarray:
    fewest = int(data.table.groupby("label")["patient"].nunique().min())
    split: Split = make_folds(data.table, min(FOLDS, max(2, fewest)), by, seed)
    return split.assign(data.table).to_numpy(str)


def _network(
    data: LessonData, jitter: bool, epochs: int, seed: int, tell: Tell
) -> tuple[BackboneHead, Network]:
    ways = ("stain",) if jitter else ()
    sets = material(data, spec=COLOUR, seed=seed, augmentation=ways)
    model = small_cnn(len(data.classes), COLOUR, seed)
    name = "with jitter" if jitter else "without jitter"
    for _ in fit(model, sets, epochs, tell=tell, name=name):
        pass
    loss = equal_loss(len(data.classes))
    answers = evaluate(model, sets.test, loss).logits.argmax(dim=1)
    other = replace(sets.test, pixels=colour_views.jitter(np.asarray(sets.test.pixels), seed))
    changed = evaluate(model, other, loss).logits.argmax(dim=1) != answers
    network = Network(test=judge(data, model, sets.test), changed=float(changed.double().mean()))
    return model, network


def run(data: LessonData, epochs: int = 15, seed: int = 0, tell: Tell = silent) -> Figures:
    """Tell patients and classes by their mean colour, then train with and without stain jitter."""
    pixels = np.asarray(data.pixels(SIDE, grey=False))
    patients = data.table["patient"].to_numpy(str)
    folds = _folds(data, "picture", seed)
    recognised = {}
    for name, view in colour_views.VIEWS.items():
        told = _out_of_fold(colour_views.mean_colours(view(pixels)), patients, folds)
        recognised[name] = float((told == patients).mean())
        tell(0.02, f"{name}: the patient is told for {100 * recognised[name]:.0f} % of pictures")
    colours = colour_views.mean_colours(pixels)
    patient_folds = _folds(data, "patient", seed)
    first, plain = _network(data, False, epochs, seed, part_of(tell, 0.05, 0.5))
    second, jittered = _network(data, True, epochs, seed, part_of(tell, 0.5, 1))
    test = material(data, spec=COLOUR, seed=seed).test
    return {
        "recognised": recognised,
        "chance": float(data.table["patient"].value_counts(normalize=True).max()),
        "patients": int(data.table["patient"].nunique()),
        "pictures": len(data.table),
        "by_picture": _score_folds(data, colours, folds),
        "by_patient": _score_folds(data, colours, patient_folds),
        "baseline": float(data.table["label"].value_counts(normalize=True).max()),
        "plain": plain,
        "jittered": jittered,
        "difference": compare(
            data, test, {"the network without jitter": first, "the network with jitter": second}
        ),
    }
