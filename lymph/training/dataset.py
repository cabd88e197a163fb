"""Pictures for the loop: batches straight from mapped pixels, and the notebook's own dataset."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lymph.models.inputs import augment, to_input
from lymph.models.networks import one_hot
from lymph.models.specs import ModelSpec

Transform = Callable[[Tensor], Tensor]


class GreyOneHotDataset(Dataset):
    """The notebook's dataset: grey pictures with one-hot labels, from its arrays.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (N, M, M)
    labels : ndarray of int, shape (N, 1)
        Counted from 1.
    classes : int
    transform : callable, optional
        Applied to each picture, a float tensor 1 x M x M between 0 and 1.
    """

    def __init__(
        self,
        pictures: np.ndarray,
        labels: np.ndarray,
        classes: int,
        transform: Transform | None = None,
    ) -> None:
        self.pictures = pictures
        self.labels = one_hot(torch.from_numpy(labels.reshape(-1) - 1), classes)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a picture, 1 x M x M, and its one-hot label, K."""
        picture = torch.from_numpy(np.array(self.pictures[index])).float().div(255).unsqueeze(0)
        return (self.transform(picture) if self.transform else picture), self.labels[index]


def make_loader(
    dataset: Dataset, batch_size: int = 16, shuffle: bool = False, seed: int = 0
) -> DataLoader:
    """Return a loader whose order is repeatable for a seed."""
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(dataset, batch_size, shuffle=shuffle, generator=generator)


@dataclass(frozen=True)
class Batches:
    """Batches of normalised input and class indices, cut from mapped pixels as they are needed.

    Only one batch is in memory at a time, however many pictures there are. With ``training`` the
    order is drawn anew on each pass and pictures are augmented; both draw from torch's global
    generator.

    Parameters
    ----------
    pixels : ndarray of uint8, N x H x W or N x H x W x 3
        All pictures of the table.
    rows : ndarray of int
        The pictures of this set.
    labels : ndarray of int, shape (N,)
        Class indices of all pictures.
    """

    pixels: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    spec: ModelSpec
    batch_size: int
    training: bool = False
    augmented: bool = False
    channels_last: bool = False

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.rows)).numpy() if self.training else range(len(self.rows))
        chosen = self.rows[np.asarray(order, np.int64)]
        for start in range(0, len(chosen), self.batch_size):
            rows = chosen[start : start + self.batch_size]
            pictures = to_input(self.pixels[rows], self.spec)
            if self.augmented:
                pictures = augment(pictures)
            layout = torch.channels_last if self.channels_last else torch.contiguous_format
            yield pictures.contiguous(memory_format=layout), torch.from_numpy(self.labels[rows])


@dataclass(frozen=True)
class FeatureBatches:
    """Batches of ready features, N x D, and class indices, N, for a head on a frozen backbone."""

    features: Tensor
    labels: Tensor
    batch_size: int
    training: bool = False

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.labels)
        order = torch.randperm(count) if self.training else torch.arange(count)
        for rows in order.split(self.batch_size):
            yield self.features[rows], self.labels[rows]
