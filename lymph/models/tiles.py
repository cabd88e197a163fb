"""Tiles: what an encoder makes of the squares that a picture is cut into, see ``grid``."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

# Tiles that go through an encoder together: more need memory and are no faster.
TOGETHER = 4


@dataclass(frozen=True)
class TiledFeatures:
    """What an encoder makes of the tiles of pictures; it is asked for pictures as a tensor is.

    Attributes
    ----------
    features : Tensor, T x D
        The tiles of a picture follow each other.
    counts : Tensor of int64, N
        How many tiles each picture has, one at least.
    """

    features: Tensor
    counts: Tensor

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: np.ndarray | Tensor) -> "TiledFeatures":
        """Return those of some pictures, in this order."""
        rows = torch.as_tensor(rows, device=self.counts.device)
        counts = self.counts[rows]
        first = (self.counts.cumsum(0) - self.counts)[rows] - (counts.cumsum(0) - counts)
        places = torch.arange(int(counts.sum()), device=rows.device)
        places += torch.repeat_interleave(first, counts)
        return TiledFeatures(self.features[places], counts)

    def to(self, device: torch.device) -> "TiledFeatures":
        """Return the same on a device."""
        return TiledFeatures(self.features.to(device), self.counts.to(device))

    def of_tiles(self, values: Tensor) -> Tensor:
        """Return a value of each picture, N, for each of its tiles, T."""
        return torch.repeat_interleave(values, self.counts)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over each picture's tiles, N x K, of values of tiles, T x K."""
        owners = self.of_tiles(torch.arange(len(self), device=values.device))
        total = values.new_zeros(len(self), values.shape[1]).index_add_(0, owners, values)
        return total / self.counts[:, None]

    def of_pictures(self) -> Tensor:
        """Return the mean features of each picture, N x D."""
        return self.mean(self.features)


def encode_tiles(encoder: nn.Module, tiles: Tensor) -> TiledFeatures:
    """Return what an encoder makes of one picture's tiles, n x C x h x w, a few at a time."""
    made = torch.cat([encoder(part) for part in tiles.split(TOGETHER)]).float()
    return TiledFeatures(made, torch.tensor([len(made)], device=made.device))
