"""The notebook's first task: folders of pictures into arrays."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lymph.data.pixels import load_pixels
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource


class Arrays(NamedTuple):
    """The notebook's arrays.

    ``pictures``: uint8, N x M x M, grey. ``labels``: int64, N x 1, counted from 1 in the order of
    ``classes``. ``patients``: str, N x 1.
    """

    pictures: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    classes: list[str]


def load_arrays(root: Path | str, size: int = 128) -> Arrays:
    """Read a folder of class folders into grey arrays of ``size`` x ``size`` pixels.

    Raises
    ------
    DataError
        When the folder holds no two classes of sound pictures.
    """
    table = PictureSource(str(root)).usable()
    classes = classes_of(table)
    pixels = load_pixels(root, list(table["picture"]), (size, size), grey=True)
    labels = table["label"].map({name: i for i, name in enumerate(classes, start=1)})
    return Arrays(
        pixels,
        labels.to_numpy(np.int64).reshape(-1, 1),
        table["patient"].to_numpy(str).reshape(-1, 1),
        classes,
    )
