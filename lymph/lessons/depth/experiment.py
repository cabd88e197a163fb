"""BROKEN ON PURPOSE: fifteen plain layers, other initial weights, and shortcuts."""

import math
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor, nn

from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
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
)
from lymph.lessons.progress import told
from lymph.training.loop import evaluate, train_one_epoch

LAYERS = 15
FEW_LAYERS = 3
CHANNELS = 16


class Kind(NamedTuple):
    """A network to train: its name in words, its layers, and what is done for its gradients."""

    name: str
    layers: int = LAYERS
    he: bool = False
    residual: bool = False


KINDS = {
    "three": Kind("three plain layers", layers=FEW_LAYERS),
    "plain": Kind("fifteen plain layers"),
    "he": Kind("fifteen plain layers, He's weights", he=True),
    "residual": Kind("fifteen residual layers", residual=True),
}


class Course(TypedDict):
    """What was seen in every epoch; ``gradients``: one list an epoch, one length a layer."""

    gradients: list[list[float]]
    train_loss: list[float]
    train_accuracy: list[float]
    test: Score


class Figures(TypedDict):
    """The four networks of :data:`KINDS`; ``ln_classes`` is the loss of pure guessing.

    ``difference`` compares the residual layers with He's plain ones on the test patients.
    """

    three: Course
    plain: Course
    he: Course
    residual: Course
    difference: str
    ln_classes: float


class Deep(nn.Module):
    """Equal convolutions in a row; residual ones add what they find to what they were given.

    ``stem`` quarters the picture's sides, so that fifteen layers stay quick. The initial
    weights are PyTorch's own, or those of He et al. 2015 (arXiv 1502.01852).
    """

    def __init__(
        self, classes: int, layers: int = LAYERS, he: bool = False, residual: bool = False
    ) -> None:
        super().__init__()
        self.residual = residual
        self.stem = nn.Conv2d(1, CHANNELS, 4, stride=4)
        self.layers = nn.ModuleList(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(layers)
        )
        self.head = nn.Linear(CHANNELS * 16, classes)
        for layer in self.convolutions() if he else ():
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def convolutions(self) -> list[nn.Conv2d]:
        """Return the layers in a row, the first one first."""
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits, N x K, of pictures, N x 1 x H x W."""
        x = self.stem(pictures)
        for layer in self.layers:
            found = torch.relu(layer(x))
            x = x + found if self.residual else found
        return self.head(nn.functional.adaptive_avg_pool2d(x, 4).flatten(1))


def _train(
    data: LessonData, sets: Material, kind: Kind, epochs: int, rate: float, seed: int, tell: Tell
) -> tuple[Deep, Course]:
    torch.manual_seed(seed)
    model = Deep(len(data.classes), kind.layers, kind.he, kind.residual)
    loss_function = equal_loss(len(data.classes))
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-4)
    gradients, seen, sums = [], [], torch.zeros(kind.layers)
    weights = [layer.weight for layer in model.convolutions()]

    def measure(optimiser: torch.optim.Optimizer, *_: object) -> None:
        sums.add_(torch.stack([w.grad.norm() for w in weights if w.grad is not None]))

    optimiser.register_step_pre_hook(measure)
    for epoch in range(1, epochs + 1):
        sums.zero_()
        trained = train_one_epoch(model, sets.train.of_epoch(epoch), loss_function, optimiser)
        validated = evaluate(model, sets.val, loss_function)
        gradients.append((sums / len(sets.train)).tolist())
        seen.append(trained)
        tell(epoch / epochs, told(kind.name, epoch, epochs, trained.loss, validated.accuracy))
    course = Course(
        gradients=gradients,
        train_loss=[trained.loss for trained in seen],
        train_accuracy=[trained.accuracy for trained in seen],
        test=judge(data, model, sets.test),
    )
    return model, course


def run(
    data: LessonData, epochs: int = 16, rate: float = RATE, seed: int = 0, tell: Tell = silent
) -> Figures:
    """Train four networks equally long and measure the gradient that reaches each layer."""
    sets = material(data, seed=seed)
    models, courses = {}, {}
    done, layers = 0, sum(kind.layers for kind in KINDS.values())
    for key, kind in KINDS.items():
        part = part_of(tell, done / layers, (done + kind.layers) / layers)
        models[key], courses[key] = _train(data, sets, kind, epochs, rate, seed, part)
        done += kind.layers
    return {
        "three": courses["three"],
        "plain": courses["plain"],
        "he": courses["he"],
        "residual": courses["residual"],
        "difference": compare(
            data,
            sets.test,
            {
                "the plain network with He's weights": models["he"],
                "the residual network": models["residual"],
            },
        ),
        "ln_classes": math.log(len(data.classes)),
    }
