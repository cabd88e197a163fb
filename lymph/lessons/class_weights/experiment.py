"""BROKEN ON PURPOSE: class weights from none to absurd, and one-hot targets."""

from typing import TypedDict

import torch
from torch import Tensor, nn

from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    Material,
    Score,
    Tell,
    equal_loss,
    fit,
    material,
    part_of,
    score_logits,
    silent,
    small_cnn,
)
from lymph.training.class_weights import class_weights
from lymph.training.loop import evaluate
from lymph.training.losses import weighted_loss


class Setting(TypedDict):
    """One stop of the slider: its weights, and what the model trained with them does.

    ``called``: share of the test pictures called each class. ``recall``: share of each class's
    test pictures that is found. Both in class order, 0 to 1.
    """

    name: str
    weights: list[float]
    called: list[float]
    recall: list[float]
    test: Score


class Targets(TypedDict):
    """The same weighted loss of one batch with one-hot and with index targets, at the start."""

    loss_one_hot: float
    loss_index: float
    gradient_one_hot: float
    gradient_index: float


class Figures(TypedDict):
    """Every stop of the slider, the class that is pushed, and the two kinds of targets."""

    classes: list[str]
    pushed: str
    settings: list[Setting]
    targets: Targets


def slider(data: LessonData, sets: Material) -> tuple[str, dict[str, dict[str, float]]]:
    """Return the class with the fewest training pictures, and the weights at every stop."""
    rows = data.table.iloc[sets.train.rows]
    by_picture = class_weights(rows, "picture", data.classes)
    pushed = max(by_picture, key=lambda name: by_picture[name])

    def push(factor: float) -> dict[str, float]:
        return {c: w * (factor if c == pushed else 1.0) for c, w in by_picture.items()}

    return pushed, {
        "none": class_weights(rows, "none", data.classes),
        "per picture": by_picture,
        "per patient": class_weights(rows, "patient", data.classes),
        f"{pushed} × 3": push(3),
        f"{pushed} × 10": push(10),
        f"{pushed} × 100": push(100),
    }


def _train(
    data: LessonData,
    sets: Material,
    name: str,
    weights: dict[str, float],
    epochs: int,
    seed: int,
    tell: Tell,
) -> Setting:
    classes = len(data.classes)
    model = small_cnn(classes, seed=seed)
    for _ in fit(model, sets, epochs, weighted_loss(weights), tell=tell, name=name):
        pass
    found = evaluate(model, sets.test, equal_loss(classes))
    said = nn.functional.one_hot(found.logits.argmax(dim=1), classes).double()
    recall = [float(said[found.labels == k, k].mean()) for k in range(classes)]
    return {
        "name": name,
        "weights": list(weights.values()),
        "called": said.mean(dim=0).tolist(),
        "recall": recall,
        "test": score_logits(data, sets.test.rows, found.logits),
    }


def one_hot_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """BROKEN ON PURPOSE: the weighted loss of one-hot float targets, N x K logits, N labels.

    PyTorch divides it by the batch size, not by the sum of the weights, so that weights which add
    up to 1 shrink the loss and the gradient.
    """
    targets = torch.eye(logits.shape[1])[labels]
    return nn.functional.cross_entropy(logits, targets, weight=weights)


def _gradient(model: nn.Module, loss: Tensor) -> float:
    model.zero_grad()
    loss.backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return float(torch.cat(gradients).norm())


def _targets(data: LessonData, sets: Material, seed: int) -> Targets:
    """Compare both kinds of targets on one batch, with weights that add up to 1."""
    rows = data.table.iloc[sets.train.rows]
    weights = torch.tensor(list(class_weights(rows, "picture", data.classes).values()))
    weights = weights / weights.sum()
    model = small_cnn(len(data.classes), seed=seed).eval()
    pictures, labels = next(iter(sets.train))
    one_hot = one_hot_loss(model(pictures), labels, weights)
    gradient_one_hot = _gradient(model, one_hot)
    index = nn.functional.cross_entropy(model(pictures), labels, weight=weights)
    return {
        "loss_one_hot": one_hot.item(),
        "loss_index": index.item(),
        "gradient_one_hot": gradient_one_hot,
        "gradient_index": _gradient(model, index),
    }


def run(data: LessonData, epochs: int = 8, seed: int = 0, tell: Tell = silent) -> Figures:
    """Train one model from the same start at every stop of the slider, then compare targets."""
    sets = material(data, seed=seed)
    pushed, stops = slider(data, sets)
    settings = []
    for place, (name, weights) in enumerate(stops.items()):
        part = part_of(tell, place / len(stops), (place + 1) / len(stops))
        settings.append(_train(data, sets, name, weights, epochs, seed, part))
    targets = _targets(data, sets, seed)
    return {"classes": data.classes, "pushed": pushed, "settings": settings, "targets": targets}
