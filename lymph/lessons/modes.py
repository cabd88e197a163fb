"""BROKEN ON PURPOSE. Lesson 4: ``model.train()`` stands before the loop and is never said again."""

from typing import TypedDict

import torch
from torch import nn

from lymph.lessons import broken
from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    RATE,
    Material,
    Tell,
    equal_loss,
    material,
    part_of,
    silent,
    small_cnn,
    told,
)
from lymph.models.networks import BackboneHead
from lymph.training.loop import evaluate, train_one_epoch


class Course(TypedDict):
    """What was seen in every epoch.

    ``moved``: how far the kept statistics of batch normalisation went in the epoch, as a share of
    their length. ``training``: whether the epoch ended in training mode.
    """

    moved: list[float]
    training: list[bool]
    train_loss: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


class Figures(TypedDict):
    """The loop with the mode forgotten, the mended one, and what validation was counted on."""

    broken: Course
    mended: Course
    pictures: int
    patients: int


def statistics(model: nn.Module) -> torch.Tensor:
    """Return all kept means and variances of batch normalisation as one vector."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    return torch.cat([torch.cat([layer.running_mean, layer.running_var]) for layer in layers])


def _train(
    model: BackboneHead, sets: Material, epochs: int, forget: bool, name: str, tell: Tell
) -> Course:
    """Train with lymph's loop, or with the broken one that leaves the mode as it finds it."""
    loss_function = equal_loss(model.head[-1].out_features)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-4)
    course = Course(moved=[], training=[], train_loss=[], val_loss=[], val_accuracy=[])
    model.train()
    for epoch in range(1, epochs + 1):
        before = statistics(model)
        if forget:
            losses = broken.epoch_without_mode(model, sets.train, loss_function, optimiser)
            loss = sum(losses) / len(losses)
        else:
            loss = train_one_epoch(model, sets.train, loss_function, optimiser).loss
        course["training"].append(model.training)
        validated = evaluate(model, sets.val, loss_function)
        course["moved"].append(float((statistics(model) - before).norm() / before.norm()))
        course["train_loss"].append(loss)
        course["val_loss"].append(validated.loss)
        course["val_accuracy"].append(validated.accuracy)
        tell(epoch / epochs, told(name, epoch, epochs, loss, validated.accuracy))
    return course


def run(data: LessonData, epochs: int = 15, tell: Tell = silent) -> Figures:
    """Train one model twice from the same start, with the mode set once and in every epoch."""
    sets = material(data)
    classes = len(data.classes)
    halves = (part_of(tell, 0, 0.5), part_of(tell, 0.5, 1))
    return {
        "broken": _train(small_cnn(classes), sets, epochs, True, "train() once", halves[0]),
        "mended": _train(small_cnn(classes), sets, epochs, False, "train() each epoch", halves[1]),
        "pictures": len(sets.val.rows),
        "patients": int(data.table["patient"].iloc[sets.val.rows].nunique()),
    }
