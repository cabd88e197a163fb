"""What a run sees: its table, sets, labels and pixels, and the batches cut from them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lymph.data.depth import white_of
from lymph.data.pixels import load_pixels
from lymph.errors import RunError
from lymph.models.encoded import Encoded
from lymph.models.last_block import ReadyMaps
from lymph.models.networks import BackboneHead
from lymph.models.specs import ModelSpec
from lymph.models.tile_pixels import load_tiles
from lymph.models.tiles import Tiled, TiledFeatures, Values
from lymph.models.view import scale_words
from lymph.parallel import Progress
from lymph.splits import Split
from lymph.text import counted
from lymph.training.config import TrainConfig
from lymph.training.dataset import Batches, FeatureBatches, MapBatches
from lymph.training.precision import Precision
from lymph.training.processes import ALONE, Processes

# Called before each batch; it may raise to end.
Check = Callable[[], None]


@dataclass
class RunData:
    """Table, sets, labels and pixels of a run; row i of each is the same picture.

    A network that learns from tiles has pixels of all tiles that show tissue.
    ``white`` is the raw value that is white in deep pictures, 0 where there are none. A model on a
    frozen encoder needs no pixels: ``encoded`` holds what the encoder made of the pictures.
    """

    table: pd.DataFrame
    sets: np.ndarray
    labels: np.ndarray
    pixels: np.ndarray | Tiled[np.ndarray]
    white: int = 0
    encoded: Encoded | None = None

    def rows(self, name: str) -> np.ndarray:
        """Return the rows of a set."""
        return np.flatnonzero(self.sets == name)

    @property
    def mapped(self) -> np.ndarray:
        """Return the pixels as they are mapped, a row a picture or a tile."""
        return self.pixels.values if isinstance(self.pixels, Tiled) else self.pixels

    @property
    def stem(self) -> str:
        """Return the name of the file that keeps the pixels; it tells all that they depend on."""
        return Path(getattr(self.mapped, "filename", "pixels")).stem

    def in_tiles(self, values: Values, rows: np.ndarray) -> Values | Tiled[Values]:
        """Return what is known of some pictures, N x ..., or of all of their tiles, T x ..."""
        if not isinstance(self.pixels, Tiled):
            return values
        return Tiled(values, self.pixels.counts[torch.from_numpy(rows)])


def load_run_data(config: TrainConfig, split: Split, progress: Progress | None = None) -> RunData:
    """Read table and pixels of a run and check that the split fits them.

    ``progress`` is called with the pictures read and the pictures to read.

    Raises
    ------
    LymphError
        When the data are gone or changed, or the training set misses a class.
    """
    table = config.source.usable()
    sets = split.assign(table).to_numpy(str)
    unknown = sorted(set(table["label"]) - set(config.classes))
    if unknown:
        raise RunError(f"The run does not know the class {unknown[0]}; start a new run.")
    missing = sorted(set(config.classes) - set(table["label"][sets == "train"]))
    if missing:
        raise RunError(
            f"Class {missing[0]} has no training picture, so it cannot be learnt; change the split."
        )
    index = {name: i for i, name in enumerate(config.classes)}
    labels = table["label"].map(index).to_numpy(np.int64)
    spec = config.spec
    pixels: np.ndarray | Tiled[np.ndarray]
    if spec.frozen:
        pixels = np.empty((0, 0), np.uint8)
    elif spec.tiles:
        pixels = load_tiles(config.data, table, spec, progress)
    else:
        pictures = list(table["picture"])
        pixels = load_pixels(config.data, pictures, spec.size, spec.grey, progress)
    return RunData(table, sets, labels, pixels, white_of(config.data))


def tile_notes(spec: ModelSpec, data: RunData) -> list[str]:
    """Say in what tiles a network sees its pictures; nothing where it sees none."""
    if not isinstance(data.pixels, Tiled):
        return []
    pictures, tiles = len(data.pixels), len(data.mapped)
    return [
        f"Pictures are seen {scale_words(spec)}: {counted(pictures, 'picture')} in"
        f" {counted(tiles, 'tile')}; tiles of bare glass are left out. In an epoch a picture is"
        " learned from by one of its tiles, drawn at random; its answer is the mean over all."
    ]


@dataclass(frozen=True)
class Material:
    """What every part of a run works with: its data, its model, and what they compute in.

    ``progress`` is called with the pictures encoded and the pictures to encode.
    """

    config: TrainConfig
    data: RunData
    model: BackboneHead
    precision: Precision
    device: torch.device
    processes: Processes = ALONE
    progress: Progress | None = None

    def batches(self, name: str, training: bool = False) -> Batches:
        """Return the batches of a set's pictures; those to train on are varied."""
        rows = self.data.rows(name)
        return Batches(
            self.data.pixels,
            rows if training else rows[self.processes.rank :: self.processes.world_size],
            self.data.labels,
            self.config.spec,
            self.config.batch_size,
            training=training,
            augmentation=self.config.augmentation if training else (),
            channels_last=self.precision.channels_last,
            device=self.device,
            processes=self.processes if training else ALONE,
            seed=self.config.seed,
        )

    def feature_batches(
        self, features: Tensor | TiledFeatures, name: str, training: bool = False
    ) -> FeatureBatches:
        """Return the batches of a set's ready features, of N pictures."""
        return FeatureBatches(
            features.to(self.device),
            torch.from_numpy(self.data.labels[self.data.rows(name)]).to(self.device),
            self.config.batch_size,
            training,
            self.config.seed,
        )

    def map_batches(
        self, ready: ReadyMaps | Tiled[ReadyMaps], name: str, training: bool = False
    ) -> MapBatches:
        """Return the batches of a set's pictures as the last block sees them, of those of all."""
        rows = self.data.rows(name)
        return MapBatches(
            ready[rows].to(self.device),
            torch.from_numpy(self.data.labels[rows]).to(self.device),
            self.config.batch_size,
            training,
            self.config.seed,
        )
