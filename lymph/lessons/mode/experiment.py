"""BROKEN ON PURPOSE: ``model.train()`` stands before the loop and is never said again."""

from typing import TypedDict

import torch
from torch import nn

from lymph.lessons.data import LessonData
from lymph.lessons.forgetful_loop import epoch_without_mode
from lymph.lessons.practice import (
    RATE,
    Material,
    Tell,
    classes_of,
    compare,
    equal_loss,
    material,
    part_of,
    silent,
    small_cnn,
)
from lymph.lessons.progress import told
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
    """The loop with the mode forgotten, the fixed one, and what validation was counted on.

    ``difference`` compares the two models on the validation pictures after the last epoch.
    """

    broken: Course
    fixed: Course
    difference: str
    pictures: int
    patients: int


def statistics(model: nn.Module) -> torch.Tensor:
    """Return all kept means and variances of batch normalisation as one vector."""
    kept = [
        (layer.running_mean, layer.running_var)
        for layer in model.modules()
        if isinstance(layer, nn.BatchNorm2d)
    ]
    return torch.cat([part for pair in kept for part in pair if part is not None])


def _train(
    model: BackboneHead, sets: Material, epochs: int, forget: bool, name: str, tell: Tell
) -> Course:
    """Train with lymph's loop, or with the broken one that leaves the mode as it finds it."""
    loss_function = equal_loss(classes_of(model))
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-4)
    course = Course(moved=[], training=[], train_loss=[], val_loss=[], val_accuracy=[])
    model.train()
    for epoch in range(1, epochs + 1):
        before, train = statistics(model), sets.train.of_epoch(epoch)
        if forget:
            losses = epoch_without_mode(model, train, loss_function, optimiser)
            loss = sum(losses) / len(losses)
        else:
            loss = train_one_epoch(model, train, loss_function, optimiser).loss
        course["training"].append(model.training)
        validated = evaluate(model, sets.val, loss_function)
        course["moved"].append(float((statistics(model) - before).norm() / before.norm()))
        course["train_loss"].append(loss)
        course["val_loss"].append(validated.loss)
        course["val_accuracy"].append(validated.accuracy)
        tell(epoch / epochs, told(name, epoch, epochs, loss, validated.accuracy))
    return course


def run(data: LessonData, epochs: int = 15, seed: int = 0, tell: Tell = silent) -> Figures:
    """Train one model twice from the same start, with the mode set once and in every epoch."""
    sets = material(data, seed=seed)
    classes = len(data.classes)
    once, each = "train() once", "train() in every epoch"
    models, courses = {}, {}
    for place, name in enumerate((once, each)):
        part = part_of(tell, place / 2, (place + 1) / 2)
        models[name] = small_cnn(classes, seed=seed)
        courses[name] = _train(models[name], sets, epochs, name == once, name, part)
    return {
        "broken": courses[once],
        "fixed": courses[each],
        "difference": compare(
            data,
            sets.val,
            {
                "the model with train() in every epoch": models[each],
                "the model with train() called once": models[once],
            },
        ),
        "pictures": len(sets.val.rows),
        "patients": int(data.table["patient"].iloc[sets.val.rows].nunique()),
    }
