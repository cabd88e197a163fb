"""Pictures for the loop: batches straight from mapped pixels, and the notebook's own dataset."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lymph.models.inputs import Draws, augment, draw, normalise, to_input
from lymph.models.last_block import ReadyMaps
from lymph.models.networks import one_hot
from lymph.models.specs import ModelSpec
from lymph.models.tiles import Tiled, TiledFeatures
from lymph.training.devices import CPU
from lymph.training.processes import ALONE, Processes

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


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Return the random numbers of an epoch's data, the same on every process and on resuming."""
    return torch.Generator().manual_seed((seed << 20) + epoch)


@dataclass(frozen=True)
class Batches:
    """Batches of normalised input and class indices, cut from mapped pixels as they are needed.

    Only one batch is in memory at a time, however many pictures there are. With ``training`` the
    order is drawn anew for each epoch and pictures are augmented; all that is drawn depends on the
    seed and the epoch alone. Of several processes each takes its share of every batch.

    A picture in tiles is shown to training by one of them, drawn anew for each epoch, so that an
    epoch takes no longer than on whole pictures; else by all of them.

    Parameters
    ----------
    pixels : ndarray of uint8, N x H x W or N x H x W x 3, or Tiled of such
        All pictures of the table.
    rows : ndarray of int
        The pictures of this set.
    labels : ndarray of int, shape (N,)
        Class indices of all pictures.
    augmentation : sequence of str
        Ways of :data:`lymph.models.augmentations.AUGMENTATIONS`.
    """

    pixels: np.ndarray | Tiled[np.ndarray]
    rows: np.ndarray
    labels: np.ndarray
    spec: ModelSpec
    batch_size: int
    training: bool = False
    augmentation: Sequence[str] = ()
    channels_last: bool = False
    device: torch.device = CPU
    processes: Processes = ALONE
    seed: int = 0
    epoch: int = 0

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def of_epoch(self, epoch: int) -> "Batches":
        """Return the batches of an epoch, counted from 1."""
        return replace(self, epoch=epoch)

    def __iter__(self) -> Iterator[tuple[Tensor | TiledFeatures, Tensor]]:
        count = len(self.rows)
        generator = epoch_generator(self.seed, self.epoch)
        order = torch.randperm(count, generator=generator) if self.training else torch.arange(count)
        draws = draw(count, generator) if self.training and self.augmentation else None
        chances = tile_chances(self.pixels, count, generator) if self.training else None
        for batch in order.split(self._together()) if count else ():
            own = self.processes.share(batch)
            rows = self.rows[own.numpy()]
            seen = self._seen(rows, None if chances is None else chances[own])
            labels = torch.from_numpy(self.labels[rows]).to(self.device)
            if isinstance(seen, Tiled):
                yield Tiled(self._input(seen.values), seen.counts.to(self.device)), labels
            else:
                yield self._input(seen, draws.of(own) if draws else None), labels

    def _together(self) -> int:
        """Return how many pictures a batch has: of all tiles as few as keep its memory alike."""
        if self.training or not isinstance(self.pixels, Tiled):
            return self.batch_size
        return max(1, self.batch_size * len(self.pixels) // len(self.pixels.values))

    def _seen(self, rows: np.ndarray, chances: Tensor | None) -> np.ndarray | Tiled[np.ndarray]:
        """Return the pixels of some pictures: whole ones, a tile of each, or all of their tiles."""
        if isinstance(self.pixels, Tiled) and chances is not None:
            return self.pixels.drawn(torch.from_numpy(rows), chances)
        return self.pixels[rows]

    def _input(self, pixels: np.ndarray, draws: Draws | None = None) -> Tensor:
        if draws is None:
            made = to_input(pixels, self.spec)
        else:
            made = normalise(augment(pixels, self.augmentation, draws), self.spec)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return made.to(self.device, memory_format=layout)


def tile_chances(given: object, count: int, generator: torch.Generator) -> Tensor | None:
    """Draw which tile of each of some pictures an epoch sees, N of 0 to 1; None of whole ones."""
    return torch.rand(count, generator=generator) if isinstance(given, Tiled) else None


Ready = TypeVar("Ready", Tensor | TiledFeatures, ReadyMaps | Tiled[ReadyMaps])


@dataclass(frozen=True)
class ReadyBatches(Generic[Ready]):
    """Batches of what a frozen part has made once, with class indices, N.

    Where ``one_tile`` says so, training sees a tile of each picture as :class:`Batches` draw it.
    """

    one_tile: ClassVar[bool] = False

    features: Ready
    labels: Tensor
    batch_size: int
    training: bool = False
    seed: int = 0
    epoch: int = 0

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch_size)

    def of_epoch(self, epoch: int) -> "ReadyBatches[Ready]":
        """Return the batches of an epoch, counted from 1."""
        return replace(self, epoch=epoch)

    def __iter__(self) -> Iterator[tuple[Ready, Tensor]]:
        count = len(self.labels)
        generator = epoch_generator(self.seed, self.epoch)
        order = torch.randperm(count, generator=generator) if self.training else torch.arange(count)
        chances = tile_chances(self.features, count, generator) if self.one_tile else None
        for rows in order.split(self.batch_size) if count else ():
            # All that is ready is asked for pictures alike, which no common type says.
            features: Any = self.features
            if self.training and chances is not None:
                yield features.drawn(rows, chances[rows]), self.labels[rows]
            else:
                yield features[rows], self.labels[rows]


class FeatureBatches(ReadyBatches[Tensor | TiledFeatures]):
    """For a head on a frozen backbone: features, N x D, or those of the pictures' tiles."""


class MapBatches(ReadyBatches[ReadyMaps | Tiled[ReadyMaps]]):
    """For the last block of a backbone: what all before it makes of pictures, or of their tiles."""

    one_tile = True
