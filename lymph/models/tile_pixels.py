"""The pixels of the tiles of pictures: cut once, kept on disk, mapped into memory."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from lymph.data.pixels import Kind, load_rows
from lymph.models.specs import ModelSpec
from lymph.models.store import kind_of
from lymph.models.tiles import Tiled
from lymph.models.view import count_tiles, pack, view
from lymph.parallel import Progress


def load_tiles(
    root: Path | str, table: pd.DataFrame, spec: ModelSpec, progress: Progress | None = None
) -> Tiled[np.ndarray]:
    """Return the tiles in which a network sees pictures, from the cache where nothing has changed.

    Parameters
    ----------
    root : Path
        Data root.
    table : DataFrame
        Picture table; picture i of the result is its row i.
    spec : ModelSpec
        Of a network that is given squares; tells side, scale and colours.
    progress : callable, optional
        Called with the pictures read and the pictures to read.

    Returns
    -------
    Tiled
        Its values are a memmap of uint8, T x side x side for grey or T x side x side x 3.

    Raises
    ------
    PictureError, DiskError
        As :func:`lymph.data.pixels.load_rows`.
    """
    sides = zip(table["height"], table["width"], strict=True)
    most = sum(count_tiles(height, width, spec) for height, width in sides)
    kept = load_rows(root, list(table["picture"]), _kind(spec), most, progress)
    return Tiled(kept.rows, torch.tensor([count for _, _, count in kept.entries]))


def _kind(spec: ModelSpec) -> Kind:
    """Say what is kept of a picture, by a name that tells the scale."""

    def make(image: Image.Image) -> np.ndarray:
        return pack(view(np.asarray(image), spec), spec)

    colours, side = "grey" if spec.grey else "rgb", spec.tiles
    scale = hashlib.sha256(kind_of(spec).encode()).hexdigest()[:8]
    shape = (side, side) if spec.grey else (side, side, 3)
    return Kind("tiles", f"{side}-{colours}-{scale}", shape, make)
