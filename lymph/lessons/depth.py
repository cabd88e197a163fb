"""BROKEN ON PURPOSE. Lesson 9: fifteen plain layers, then the same layers with shortcuts."""

from typing import TypedDict

import torch
from torch import Tensor, nn

from lymph.lessons.data import LessonData
from lymph.lessons.practice import (
    RATE,
    Material,
    Score,
    Tell,
    equal_loss,
    judge,
    material,
    part_of,
    silent,
    told,
)
from lymph.training.loop import evaluate, train_one_epoch

LAYERS = 15
CHANNELS = 16


class Course(TypedDict):
    """What was seen in every epoch; ``gradients``: one list an epoch, one length a layer."""

    gradients: list[list[float]]
    train_loss: list[float]
    train_accuracy: list[float]
    test: Score


class Figures(TypedDict):
    """The plain network and the residual one; ``ln_classes`` is the loss of pure guessing."""

    plain: Course
    residual: Course
    ln_classes: float


class Deep(nn.Module):
    """Fifteen equal convolutions; residual ones add what they find to what they were given.

    ``stem`` quarters the picture's sides, so that fifteen layers stay quick.
    """

    def __init__(self, classes: int, residual: bool, layers: int = LAYERS) -> None:
        super().__init__()
        self.residual = residual
        self.stem = nn.Conv2d(1, CHANNELS, 4, stride=4)
        self.layers = nn.ModuleList(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(layers)
        )
        self.head = nn.Linear(CHANNELS * 16, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits, N x K, of pictures, N x 1 x H x W."""
        x = self.stem(pictures)
        for layer in self.layers:
            found = torch.relu(layer(x))
            x = x + found if self.residual else found
        return self.head(nn.functional.adaptive_avg_pool2d(x, 4).flatten(1))


def _train(
    data: LessonData, sets: Material, residual: bool, epochs: int, rate: float, tell: Tell
) -> Course:
    torch.manual_seed(0)
    model = Deep(len(data.classes), residual)
    loss_function = equal_loss(len(data.classes))
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-4)
    course = Course(gradients=[], train_loss=[], train_accuracy=[])
    sums = torch.zeros(LAYERS)

    def measure(optimiser: torch.optim.Optimizer, *_: object) -> None:
        sums.add_(torch.stack([layer.weight.grad.norm() for layer in model.layers]))

    optimiser.register_step_pre_hook(measure)
    name = "residual" if residual else "plain"
    for epoch in range(1, epochs + 1):
        sums.zero_()
        trained = train_one_epoch(model, sets.train, loss_function, optimiser)
        validated = evaluate(model, sets.val, loss_function)
        course["gradients"].append((sums / len(sets.train)).tolist())
        course["train_loss"].append(trained.loss)
        course["train_accuracy"].append(trained.accuracy)
        tell(epoch / epochs, told(name, epoch, epochs, trained.loss, validated.accuracy))
    course["test"] = judge(data, model, sets.test)
    return course


def run(data: LessonData, epochs: int = 8, rate: float = RATE, tell: Tell = silent) -> Figures:
    """Train both networks from the same values and measure the gradient that reaches each layer."""
    sets = material(data)
    return {
        "plain": _train(data, sets, False, epochs, rate, part_of(tell, 0, 0.5)),
        "residual": _train(data, sets, True, epochs, rate, part_of(tell, 0.5, 1)),
        "ln_classes": float(torch.log(torch.tensor(float(len(data.classes))))),
    }
