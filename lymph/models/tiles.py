"""Tiles: what is known of the squares that pictures are cut into, see ``grid``, and their means."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

# Tiles of an encoder that go through it together: more need memory and are no faster.
TOGETHER = 4
# Smaller ones go together until they have so many pixels.
PIXELS_TOGETHER = TOGETHER * 224**2
# A mean probability that is smaller counts as this: the logarithm of nothing is no number.
LEAST_PROBABILITY = 1e-30

# What is known of tiles: a tensor, mapped pixels, or whatever else is asked for by rows.
Values = TypeVar("Values")


@dataclass(frozen=True)
class Tiled(Generic[Values]):
    """What is known of the tiles of pictures; it is asked for pictures as a tensor is.

    Attributes
    ----------
    values : Tensor or alike, T x ...
        Features, logits or pixels, a row a tile. The tiles of a picture follow each other.
    counts : Tensor of int64, N
        How many tiles each picture has, one at least.
    """

    values: Values
    counts: Tensor

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: np.ndarray | Tensor) -> "Tiled[Values]":
        """Return those of some pictures, in this order."""
        rows = torch.as_tensor(rows, device=self.counts.device)
        counts = self.counts[rows]
        first = self._first()[rows] - (counts.cumsum(0) - counts)
        places = torch.arange(int(counts.sum()), device=rows.device)
        places += torch.repeat_interleave(first, counts)
        return Tiled(self._at(places), counts)

    def drawn(self, rows: Tensor, chances: Tensor) -> Values:
        """Return one tile of each of some pictures, N x ..., as ``chances``, N of 0 to 1, say."""
        counts = self.counts[rows]
        places = (chances.to(counts.device) * counts).long().clamp(max=counts - 1)
        return self._at(self._first()[rows] + places)

    def _first(self) -> Tensor:
        """Return the place of each picture's first tile, N."""
        return self.counts.cumsum(0) - self.counts

    def _at(self, places: Tensor) -> Values:
        values: Any = self.values
        return values[places.numpy() if isinstance(values, np.ndarray) else places]

    def to(self, device: torch.device) -> "Tiled[Values]":
        """Return the same on a device."""
        values: Any = self.values
        return Tiled(values.to(device), self.counts.to(device))

    def of_tiles(self, values: Tensor) -> Tensor:
        """Return a value of each picture, N, for each of its tiles, T."""
        return torch.repeat_interleave(values, self.counts)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over each picture's tiles, N x K, of values of tiles, T x K."""
        owners = self.of_tiles(torch.arange(len(self), device=values.device))
        total = values.new_zeros(len(self), values.shape[1]).index_add_(0, owners, values)
        return total / self.counts[:, None]

    def mean_logits(self, logits: Tensor) -> Tensor:
        """Return the logits of pictures, N x K, of those of their tiles, T x K.

        They are the logarithms of the mean probabilities: softmax gives these back.
        """
        return self.mean(logits.float().softmax(dim=1)).clamp(min=LEAST_PROBABILITY).log()


TiledFeatures = Tiled[Tensor]


def of_pictures(features: Tensor | TiledFeatures) -> Tensor:
    """Return one row a picture, N x D: the mean over its tiles, where it has some."""
    return features.mean(features.values) if isinstance(features, Tiled) else features


def encode_tiles(encoder: nn.Module, tiles: TiledFeatures) -> TiledFeatures:
    """Return what an encoder makes of pictures' tiles, T x C x h x w, a few at a time."""
    height, width = tiles.values.shape[2:]
    together = max(TOGETHER, PIXELS_TOGETHER // (height * width))
    parts = [encoder(part) for part in tiles.values.split(together)]
    return Tiled(torch.cat(parts).float(), tiles.counts)


def tiles_of_one(tiles: Tensor) -> TiledFeatures:
    """Return the tiles of one picture, n x C x h x w."""
    return Tiled(tiles, torch.tensor([len(tiles)], device=tiles.device))
