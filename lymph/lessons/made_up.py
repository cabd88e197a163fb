"""Made-up things on which the lines that lessons show run in no time, broken and fixed alike.

Whoever opens a ``broken.py`` or a ``fixed.py`` finds them imported above what the lesson shows.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lymph.evaluation import make_predictions

CLASSES = ("CLL", "FL", "MCL")


class CNN(nn.Module):
    """A backbone with batch normalisation and a head. Each new one begins with the same weights."""

    def __init__(self, classes: int = len(CLASSES)) -> None:
        torch.manual_seed(0)
        super().__init__()
        layers = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.backbone = nn.Sequential(*layers)
        self.head = nn.Linear(4, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits, N x K, of pictures, N x 1 x H x W."""
        return self.head(self.backbone(pictures).flatten(1))


def batches() -> list[tuple[Tensor, Tensor]]:
    """Return four batches of six grey pictures, 6 x 1 x 8 x 8, with their classes."""
    chance = torch.Generator().manual_seed(0)
    return [
        (torch.rand(6, 1, 8, 8, generator=chance), torch.arange(6) % len(CLASSES)) for _ in range(4)
    ]


def train(
    model: nn.Module,
    loss_function: Callable[[Tensor, Tensor], Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Train for an epoch with whatever the optimiser holds."""
    for pictures, y in batches():
        optimiser.zero_grad()
        loss_function(model(pictures), y).backward()
        optimiser.step()


def step(model: nn.Module, pictures: Tensor, y: Tensor) -> None:
    """Move what has a gradient down it; the model's mode stays as it is."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(cross_entropy(model(pictures), y), learning)
    with torch.no_grad():
        for parameter, gradient in zip(learning, gradients, strict=True):
            parameter -= 0.1 * gradient


def train_one_epoch(model: nn.Module) -> None:
    """Take a step for every batch; the model's mode stays as it is."""
    for pictures, y in batches():
        step(model, pictures, y)


def validate(model: nn.Module) -> None:
    """Look at the pictures in evaluation mode, and leave the model in it."""
    model.eval()
    with torch.no_grad():
        for pictures, _ in batches():
            model(pictures)


def picture_table() -> pd.DataFrame:
    """Return the picture table of 30 patients, 12 pictures each."""
    return pd.DataFrame({"patient": np.repeat([f"99-{number}" for number in range(30)], 12)})


def six_patients(model: int, seed: int) -> np.ndarray:
    """Return the share of pictures of six patients that a model is right on, 6 from 0 to 1.

    Some patients are harder than others, for every model. All models are equally good: what
    ``model`` and ``seed`` change is chance.
    """
    difficulty = np.linspace(0.2, 0.76, 6)
    return np.clip(difficulty + np.random.default_rng([model, seed]).normal(0, 0.15, 6), 0, 1)


def calibrated_answers() -> pd.DataFrame:
    """Return the prediction table of a perfectly calibrated model, 70 pictures of six patients.

    Whether it is right on a patient's pictures is drawn once for each patient, as one disease is
    the truth of all of them.
    """
    rng = np.random.default_rng(0)
    patient = np.arange(70) % 6
    sure = rng.uniform(0.4, 0.95, 70)
    right = rng.random(6)[patient] < sure
    probabilities = np.stack([sure, 1 - sure, np.zeros(70)], axis=1)
    table = pd.DataFrame({"picture": np.arange(70).astype(str), "patient": patient.astype(str)})
    table = table.assign(slide="", set="test", label=np.where(right, CLASSES[0], CLASSES[1]))
    return make_predictions(table, probabilities, list(CLASSES))
