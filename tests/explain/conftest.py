"""A task with a known answer: a disc or bars planted somewhere in noise tells the class."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch

from lymph.data.pixels import shrink
from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import MODELS
from lymph.training.loop import train_one_epoch
from lymph.training.losses import weighted_loss

HEIGHT, WIDTH, SIDE = 150, 300, 40
SPEC = MODELS["cnn"]._replace(size=(64, 64))


class Planted(NamedTuple):
    """A picture, H x W x 3, its class (0: bars, 1: disc) and where its object begins."""

    pixels: np.ndarray
    label: int
    row: int
    column: int


def plant(seed: int) -> Planted:
    """Plant a disc or bars of the same brightness at a random place of a 150 x 300 picture."""
    rng = np.random.default_rng(seed)
    label = int(rng.integers(2))
    row, column = int(rng.integers(HEIGHT - SIDE)), int(rng.integers(WIDTH - SIDE))
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    shape = (x**2 + y**2 < (SIDE / 2) ** 2) if label else (np.mod(y, 10) < 5)
    grey = rng.normal(110, 6, (HEIGHT, WIDTH))
    grey[row : row + SIDE, column : column + SIDE] += 90 * shape
    pixels = np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=-1)
    return Planted(pixels, label, row, column)


@pytest.fixture(scope="session")
def planted_model() -> BackboneHead:
    """Return a small CNN that has learnt to tell discs from bars."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build_model("cnn", 2)
    samples = [plant(seed) for seed in range(160)]
    small = np.stack([shrink(sample.pixels, SPEC.size, SPEC.grey) for sample in samples])
    pictures, labels = to_input(small, SPEC), torch.tensor([s.label for s in samples])
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
    loss = weighted_loss({"bars": 1.0, "disc": 1.0})
    for _ in range(8):
        order = torch.randperm(len(labels)).split(16)
        batches = [(pictures[rows], labels[rows]) for rows in order]
        train_one_epoch(model, batches, loss, optimiser)
    torch.set_num_threads(threads)
    return model.eval()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let small networks run in one thread: on a busy machine two wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
