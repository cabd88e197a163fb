"""BROKEN ON PURPOSE: what to freeze and when, and a frozen backbone that moves."""

import copy
from typing import TypedDict

import torch
from torch import Tensor, nn

from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    BATCH,
    GREY,
    RATE,
    Material,
    Score,
    Tell,
    compare,
    equal_loss,
    judge,
    material,
    part_of,
    silent,
    small_cnn,
)
from lymph.lessons.progress import told
from lymph.lessons.textures import KINDS, texture_batches
from lymph.models.networks import BackboneHead
from lymph.training.dataset import Batches
from lymph.training.loop import evaluate, train_one_epoch
from lymph.training.older import FINETUNE, LINEAR_PROBE

PRETRAINING = 1200
WHOLE_RATE = 3e-3


class Course(TypedDict):
    """What was seen; ``drift`` begins before the first epoch.

    ``drift``: mean distance of the validation pictures' features from the pretrained ones, as a
    share of their length. ``phases``: what learned in each epoch, ``linear_probe``
    or ``finetune``.
    """

    drift: list[float]
    phases: list[str]
    val_accuracy: list[float]
    test: Score


class Figures(TypedDict):
    """Both orders of the two phases, and two kinds of frozen backbone under a head that learns.

    ``difference`` compares the two orders on the test patients.
    """

    texture_accuracy: float
    finetune_then_linear_probe: Course
    linear_probe_then_finetune: Course
    drifting: Course
    frozen: Course
    difference: str


def freeze_gradients_only(model: BackboneHead) -> None:
    """BROKEN ON PURPOSE: stop the gradients and forget the statistics of batch normalisation."""
    model.backbone.requires_grad_(False)
    model.frozen = False


def pretrain(epochs: int, count: int, seed: int, tell: Tell) -> tuple[BackboneHead, float]:
    """Teach the small CNN the kinds of textures; return it with its accuracy on its last epoch."""
    batches = texture_batches(count, GREY, BATCH)
    model = small_cnn(KINDS, seed=seed)
    optimiser = torch.optim.AdamW(model.parameters(), RATE)
    accuracy = 0.0
    for epoch in range(1, epochs + 1):
        train = batches.of_epoch(epoch)
        loss, accuracy = train_one_epoch(model, train, equal_loss(KINDS), optimiser)
        tell(epoch / epochs, told("textures", epoch, epochs, loss, accuracy))
    return model, accuracy


@torch.no_grad()
def _features(model: BackboneHead, batches: Batches) -> Tensor:
    model.eval()
    return torch.cat([model.backbone(pictures) for pictures, _ in batches])


def _with_new_head(pretrained: BackboneHead, classes: int, seed: int) -> BackboneHead:
    model = small_cnn(classes, seed=seed)
    model.backbone.load_state_dict(copy.deepcopy(pretrained.backbone.state_dict()))
    return model


def _train(
    data: LessonData,
    pretrained: BackboneHead,
    sets: Material,
    phases: list[str],
    leaky: bool,
    name: str,
    seed: int,
    tell: Tell,
) -> tuple[BackboneHead, Course]:
    """Train epoch by epoch as the phases say; ``leaky`` freezes the gradients only."""
    model = _with_new_head(pretrained, len(data.classes), seed)
    start = _features(model, sets.val)
    loss_function = equal_loss(len(data.classes))
    drift, accuracies = [0.0], []
    optimiser, before = _new_optimiser(model, phases[0]), ""
    for epoch, phase in enumerate(phases, start=1):
        if phase != before:
            _freeze(model, phase == LINEAR_PROBE, leaky)
            optimiser = _new_optimiser(model, phase)
        before = phase
        loss = train_one_epoch(model, sets.train.of_epoch(epoch), loss_function, optimiser).loss
        validated = evaluate(model, sets.val, loss_function)
        away = (_features(model, sets.val) - start).norm(dim=1) / start.norm(dim=1)
        drift.append(float(away.mean()))
        accuracies.append(validated.accuracy)
        tell(epoch / len(phases), told(name, epoch, len(phases), loss, validated.accuracy))
    test = judge(data, model, sets.test)
    return model, Course(drift=drift, phases=phases, val_accuracy=accuracies, test=test)


def _freeze(model: BackboneHead, frozen: bool, leaky: bool) -> None:
    """Freeze or free the backbone; its statistics stay in both phases, unless ``leaky``.

    So only gradients move the features of the two orders, and only statistics those that leak.
    """
    if frozen and leaky:
        freeze_gradients_only(model)
    else:
        model.freeze_backbone()
        model.backbone.requires_grad_(not frozen)


def _new_optimiser(model: nn.Module, phase: str) -> torch.optim.Optimizer:
    """Return AdamW for a head, and for a whole model SGD, whose steps are as long as gradients.

    AdamW's steps are equally long whatever the gradient, so a bad teacher could not be told from a
    good one.
    """
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if phase == LINEAR_PROBE:
        return torch.optim.AdamW(learning, RATE, weight_decay=1e-4)
    return torch.optim.SGD(learning, WHOLE_RATE, momentum=0.9)


def run(
    data: LessonData,
    epochs: int = 8,
    pretraining: int = 3,
    textures: int = PRETRAINING,
    seed: int = 0,
    tell: Tell = silent,
) -> Figures:
    """Pretrain a backbone on drawn textures, then train it on the pictures in four ways.

    ``epochs`` are those of each way, half of them for each phase.
    """
    pretrained, accuracy = pretrain(pretraining, textures, seed, part_of(tell, 0, 0.3))
    sets = material(data, seed=seed)
    half = max(1, epochs // 2)
    probe, tune = [LINEAR_PROBE] * half, [FINETUNE] * half
    ways = {
        "finetune_then_linear_probe": (tune + probe, False, "fine-tuning, then probe"),
        "linear_probe_then_finetune": (probe + tune, False, "probe, then fine-tuning"),
        "drifting": (probe + probe, True, "probe, statistics running"),
        "frozen": (probe + probe, False, "probe, statistics kept"),
    }
    models, courses = {}, {}
    for place, (key, (phases, leaky, name)) in enumerate(ways.items()):
        part = part_of(tell, 0.3 + 0.7 * place / 4, 0.3 + 0.7 * (place + 1) / 4)
        models[key], courses[key] = _train(data, pretrained, sets, phases, leaky, name, seed, part)
    difference = compare(
        data,
        sets.test,
        {
            "fine-tuning first": models["finetune_then_linear_probe"],
            "a linear probe first": models["linear_probe_then_finetune"],
        },
    )
    return {
        "texture_accuracy": accuracy,
        "finetune_then_linear_probe": courses["finetune_then_linear_probe"],
        "linear_probe_then_finetune": courses["linear_probe_then_finetune"],
        "drifting": courses["drifting"],
        "frozen": courses["frozen"],
        "difference": difference,
    }
