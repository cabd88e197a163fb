"""The notebook's own way to read and to train, written again; only its wrong figures are fixed.

Pictures are transformed one by one in ``DataLoader`` workers that are started anew for every pass,
numbers are float32 in PyTorch's usual layout, and every epoch trains the whole network.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

# As many as the machine has processors, which is what the notebook's host had too.
WORKERS = 2
BATCH = 16


def read_one_by_one(root: Path, pictures: list[str], size: int = 128) -> np.ndarray:
    """Read pictures as grey arrays, N x size x size, one after the other."""
    return np.stack(
        [
            np.array(Image.open(root / picture).convert("L").resize((size, size)))
            for picture in pictures
        ]
    )


Transform = Callable[[Image.Image], torch.Tensor]


class PictureDataset(Dataset):
    """Pictures as PIL sees them, transformed one by one, with class indices."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, transform: Transform) -> None:
        self.pixels, self.labels, self.transform = pixels, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return a transformed picture and its class."""
        return self.transform(Image.fromarray(self.pixels[index])), int(self.labels[index])


def training_transform() -> transforms.Compose:
    """Return flips and a rotation by up to 15 degrees."""
    return transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomVerticalFlip(),
            transforms.RandomRotation(15),
            transforms.ToTensor(),
        ]
    )


def loader(dataset: Dataset, shuffle: bool = False) -> DataLoader:
    """Return a loader whose workers live for one pass."""
    return DataLoader(dataset, BATCH, shuffle=shuffle, num_workers=WORKERS)


def train_epoch(
    model: nn.Module, train: Dataset, others: Sequence[Dataset], optimiser: torch.optim.Optimizer
) -> None:
    """Train on one set and measure the others; each pass starts a pool of workers of its own."""
    loss_function = nn.CrossEntropyLoss()
    model.train()
    for pictures, labels in loader(train, shuffle=True):
        loss = loss_function(model(pictures), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()
    model.eval()
    with torch.no_grad():
        for dataset in others:
            for pictures, labels in loader(dataset):
                loss_function(model(pictures), labels).item()
