"""BROKEN ON PURPOSE: the optimiser still holds the parameters of another model."""

import math
from typing import TypedDict

import torch
from torch import nn

from lymph.lessons import arithmetic
from lymph.lessons.data import LessonData
from lymph.lessons.forgetful_loop import epoch_without_mode
from lymph.lessons.practice import (
    RATE,
    Material,
    Score,
    Tell,
    equal_loss,
    fit,
    judge,
    material,
    part_of,
    silent,
    small_cnn,
)
from lymph.lessons.progress import told
from lymph.models.networks import BackboneHead
from lymph.training.class_weights import class_weights
from lymph.training.loop import evaluate, train_one_epoch
from lymph.training.losses import weighted_loss

OLD_SEED = 1000


class Course(TypedDict):
    """What was seen epoch by epoch; ``distance`` begins before the first one.

    ``distance``: length of the change of all parameters, as a share of their length at the start.
    """

    distance: list[float]
    train_loss: list[float]
    val_loss: list[float]
    test: Score


class Figures(TypedDict):
    """The broken training, the fixed one, and the notebook's figures worked out."""

    broken: Course
    fixed: Course
    class_weights: dict[str, float]
    ln_classes: float
    divided_loss: float
    refusal: str
    notebook_accuracy: float
    notebook_train_loss: float
    notebook_val_loss: float


@torch.no_grad()
def distance(model: nn.Module, start: list[torch.Tensor]) -> float:
    """Return how far a model's parameters are from their start, as a share of their length."""
    moved = sum(
        float((p - s).square().sum()) for p, s in zip(model.parameters(), start, strict=True)
    )
    return math.sqrt(moved / sum(float(s.square().sum()) for s in start))


def _parameters(model: nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def _train_stale(
    data: LessonData,
    model: BackboneHead,
    sets: Material,
    loss_function: nn.CrossEntropyLoss,
    epochs: int,
    tell: Tell,
) -> tuple[Course, float]:
    """BROKEN ON PURPOSE: step the parameters of the model before, not those of this one.

    As in the notebook ``train()`` stands before the loop, so that after the first epoch nothing of
    the model changes at all and the validation loss repeats.
    """
    old_model = small_cnn(len(data.classes), seed=OLD_SEED)
    stale = torch.optim.Adam(old_model.parameters(), RATE)
    start = _parameters(model)
    distances, trained, checked, losses = [0.0], [], [], []
    model.train()
    for epoch in range(1, epochs + 1):
        train = sets.train.of_epoch(epoch)
        losses = epoch_without_mode(model, train, loss_function, stale)
        validated = evaluate(model, sets.val, loss_function)
        mean = sum(losses) / len(losses)
        distances.append(distance(model, start))
        trained.append(mean)
        checked.append(validated.loss)
        tell(epoch / epochs, told("old optimiser", epoch, epochs, mean, validated.accuracy))
    test = judge(data, model, sets.test)
    course = Course(distance=distances, train_loss=trained, val_loss=checked, test=test)
    return course, arithmetic.batch_divided_loss(losses, len(sets.train.rows))


def _train_fixed(
    data: LessonData,
    model: BackboneHead,
    sets: Material,
    loss_function: nn.CrossEntropyLoss,
    epochs: int,
    tell: Tell,
) -> Course:
    start = _parameters(model)
    distances, epochs_seen = [0.0], []
    for seen in fit(model, sets, epochs, loss_function, tell=tell, name="new optimiser"):
        distances.append(distance(model, start))
        epochs_seen.append(seen)
    return Course(
        distance=distances,
        train_loss=[seen.trained.loss for seen in epochs_seen],
        val_loss=[seen.validated.loss for seen in epochs_seen],
        test=judge(data, model, sets.test),
    )


def _refusal(model: nn.Module, sets: Material, classes: int) -> str:
    """Return what lymph's own loop says to an optimiser of another model."""
    stale = torch.optim.Adam(small_cnn(classes, seed=OLD_SEED).parameters())
    try:
        train_one_epoch(model, sets.train, equal_loss(classes), stale)
    except ValueError as error:
        return str(error)
    return ""


def run(data: LessonData, epochs: int = 8, seed: int = 0, tell: Tell = silent) -> Figures:
    """Train one model twice from the same start and with the same class weights.

    Once with an optimiser that was made for an earlier model, once with its own.
    """
    sets = material(data, seed=seed)
    classes = len(data.classes)
    weights = class_weights(data.table.iloc[sets.train.rows], "picture", data.classes)
    loss_function = weighted_loss(weights)
    halves = (part_of(tell, 0, 0.5), part_of(tell, 0.5, 1))
    stale, divided = _train_stale(
        data, small_cnn(classes, seed=seed), sets, loss_function, epochs, halves[0]
    )
    fixed = _train_fixed(
        data, small_cnn(classes, seed=seed), sets, loss_function, epochs, halves[1]
    )
    return {
        "broken": stale,
        "fixed": fixed,
        "class_weights": weights,
        "ln_classes": math.log(classes),
        "divided_loss": divided,
        "refusal": _refusal(small_cnn(classes), sets, classes),
        "notebook_accuracy": arithmetic.NOTEBOOK_TEST_MCL / arithmetic.NOTEBOOK_TEST_PICTURES,
        "notebook_train_loss": arithmetic.fixed_loss(
            arithmetic.NOTEBOOK_TRAIN_LOSS,
            arithmetic.NOTEBOOK_TRAIN_PICTURES,
            arithmetic.NOTEBOOK_TRAIN_BATCHES,
        ),
        "notebook_val_loss": arithmetic.fixed_loss(
            arithmetic.NOTEBOOK_VAL_LOSS,
            arithmetic.NOTEBOOK_VAL_PICTURES,
            arithmetic.NOTEBOOK_VAL_BATCHES,
        ),
    }
