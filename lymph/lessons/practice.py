"""What the lessons share: small models, lymph's real loop, and scores with their intervals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
import torch
from torch import nn

from lymph.errors import SplitError
from lymph.evaluation import by_patient, make_predictions, metric_intervals, paired_difference
from lymph.lessons.data import LessonData
from lymph.lessons.progress import told
from lymph.models.networks import BackboneHead, SmallCNN
from lymph.models.specs import ModelSpec
from lymph.splits import SET_NAMES, Split, split_by_patient
from lymph.training.dataset import Batches
from lymph.training.loop import Epoch, Evaluation, evaluate, set_rates, train_one_epoch
from lymph.training.losses import weighted_loss

Tell = Callable[[float, str], None]

# Half the notebook's 128 px: a quarter of the time, and every lesson still shows.
SIDE = 64
BATCH = 32
RATE = 1e-3
# A lesson takes few steps, so the kept statistics of batch normalisation must follow faster than
# by PyTorch's 0.1; in evaluation mode the model would be judged with those of long ago.
MOMENTUM = 0.3
GREY = ModelSpec("lesson", "Small CNN, grey", (SIDE, SIDE), True, 8, RATE)
COLOUR = ModelSpec("lesson", "Small CNN, colour", (SIDE, SIDE), False, 8, RATE)


class Score(TypedDict):
    """How often a model is right, with all that such a statement needs."""

    accuracy: float
    interval: list[float]
    pictures: int
    patients: int
    patients_right: int


class Practised(NamedTuple):
    """One epoch, counted from 1: what training met, and what validation said."""

    epoch: int
    trained: Epoch
    validated: Evaluation


def silent(share: float, text: str) -> None:
    """Tell nobody."""


def part_of(tell: Tell, start: float, end: float) -> Tell:
    """Return a teller whose 0 to 1 is a part of another's."""
    return lambda share, text: tell(start + share * (end - start), text)


def small_cnn(classes: int, spec: ModelSpec = GREY, seed: int = 0) -> BackboneHead:
    """Build lymph's small CNN, for colour with a first layer of three channels."""
    torch.manual_seed(seed)
    model = SmallCNN(classes)
    if not spec.grey:
        model.backbone.register_module("0", nn.Conv2d(3, 16, 3, padding=1, bias=False))
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = MOMENTUM
    return model


def classes_of(model: BackboneHead) -> int:
    """Return the number of classes that a small CNN tells apart."""
    *_, last = (layer for layer in model.head.modules() if isinstance(layer, nn.Linear))
    return last.out_features


def equal_loss(classes: int) -> nn.CrossEntropyLoss:
    """Return the loss in which all classes weigh the same."""
    return weighted_loss(dict.fromkeys(map(str, range(classes)), 1.0))


def make_batches(
    data: LessonData,
    rows: np.ndarray,
    spec: ModelSpec = GREY,
    training: bool = False,
    augmentation: Sequence[str] = (),
    seed: int = 0,
) -> Batches:
    """Return batches of some pictures; where they train, ``of_epoch`` gives each epoch its order.

    ``augmentation`` are the ways in which training varies its pictures, at training's strength.
    """
    pixels = data.pixels(spec.size[0], spec.grey)
    return Batches(pixels, rows, data.labels, spec, BATCH, training, augmentation, seed=seed)


class Material(NamedTuple):
    """Batches of the three sets of a split, with the rows of the table behind them."""

    train: Batches
    val: Batches
    test: Batches


def material(
    data: LessonData,
    split: Split | None = None,
    spec: ModelSpec = GREY,
    seed: int = 0,
    augmentation: Sequence[str] = (),
) -> Material:
    """Return the batches of a split; by default split by patient.

    ``seed`` draws that split and the order of the training pictures.

    Raises
    ------
    SplitError
        When a class is missing from a set: there are too few patients to show anything.
    """
    split = split or split_by_patient(data.table, seed=seed)
    train, val, test = (data.rows(split, name) for name in SET_NAMES)
    for rows in (train, val, test):
        missing = set(data.classes) - set(data.table["label"].iloc[rows])
        if missing:
            raise SplitError(
                f"{min(missing)} has too few patients for a lesson: each class needs three, to"
                " train, to validate and to test. Choose another data set."
            )
    return Material(
        make_batches(data, train, spec, True, augmentation, seed),
        make_batches(data, val, spec),
        make_batches(data, test, spec),
    )


def fit(
    model: BackboneHead,
    sets: Material,
    epochs: int,
    loss_function: nn.CrossEntropyLoss | None = None,
    rate: float = RATE,
    tell: Tell = silent,
    name: str = "",
) -> Iterator[Practised]:
    """Train with lymph's own loop and learning rates, and yield every epoch."""
    loss_function = loss_function or equal_loss(classes_of(model))
    learning = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": learning, "peak": rate}]
    optimiser = torch.optim.AdamW(groups, rate, weight_decay=1e-4)
    steps = epochs * len(sets.train)
    done = 0

    def set_rate() -> None:
        nonlocal done
        set_rates(optimiser, done, steps)
        done += 1

    for epoch in range(1, epochs + 1):
        train = sets.train.of_epoch(epoch)
        trained = train_one_epoch(model, train, loss_function, optimiser, set_rate)
        validated = evaluate(model, sets.val, loss_function)
        tell(epoch / epochs, told(name, epoch, epochs, trained.loss, validated.accuracy))
        yield Practised(epoch, trained, validated)


def _predictions(
    data: LessonData, rows: np.ndarray, probabilities: np.ndarray, folds: np.ndarray | None = None
) -> pd.DataFrame:
    pictures = data.table.iloc[rows].assign(set="test")
    if folds is not None:
        pictures["fold"] = folds
    return make_predictions(pictures, probabilities, data.classes)


def score(
    data: LessonData, rows: np.ndarray, probabilities: np.ndarray, folds: np.ndarray | None = None
) -> Score:
    """Judge answers, N x K probabilities for some rows, with a 95 % interval over patients.

    ``folds``, N names, tell of answers out of fold which model each is of.
    """
    predictions = _predictions(data, rows, probabilities, folds)
    patients = by_patient(predictions)
    interval = metric_intervals(predictions)["accuracy"] or (0.0, 1.0)
    return {
        "accuracy": float((predictions["label"] == predictions["predicted"]).mean()),
        "interval": [float(end) for end in interval],
        "pictures": len(predictions),
        "patients": len(patients),
        "patients_right": int((patients["label"] == patients["predicted"]).sum()),
    }


def score_logits(data: LessonData, rows: np.ndarray, logits: torch.Tensor) -> Score:
    """Judge a model's logits, N x K, for some rows."""
    return score(data, rows, _shares(logits))


def _shares(logits: torch.Tensor) -> np.ndarray:
    return torch.softmax(logits.double(), dim=1).numpy()


def judge(data: LessonData, model: nn.Module, batches: Batches) -> Score:
    """Score a model on a set."""
    found = evaluate(model, batches, equal_loss(len(data.classes)))
    return score_logits(data, batches.rows, found.logits)


def compare(data: LessonData, batches: Batches, models: Mapping[str, nn.Module]) -> str:
    """Say what separates two models, named, on the same pictures, and whether it may be chance.

    See :func:`lymph.evaluation.paired_difference`.
    """
    loss_function = equal_loss(len(data.classes))
    first, second = (
        _predictions(data, batches.rows, _shares(evaluate(model, batches, loss_function).logits))
        for model in models.values()
    )
    names = tuple(models)
    return paired_difference(first, second, names=(names[0], names[1])).sentence
