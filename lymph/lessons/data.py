"""The pictures of a lesson: the whole set where it is small, a fair part of it where it is not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lymph.data.pixels import load_pixels
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.splits import Split

# A lesson lasts under a minute on two cores: about as many pictures as the lymphoma set has.
MAX_PICTURES = 400
MAX_PATIENTS_OF_A_CLASS = 15


@dataclass(frozen=True)
class LessonData:
    """Table, classes and labels of the pictures that a lesson uses; row i is one picture.

    ``labels``: class indices, N int64.
    """

    root: Path
    table: pd.DataFrame
    classes: list[str]
    labels: np.ndarray

    def pixels(self, side: int, grey: bool) -> np.ndarray:
        """Return uint8 pixels, N x side x side for grey, N x side x side x 3 otherwise."""
        return load_pixels(self.root, list(self.table["picture"]), (side, side), grey)

    def rows(self, split: Split, name: str) -> np.ndarray:
        """Return the rows of one set of a split."""
        return np.flatnonzero(split.assign(self.table).to_numpy(str) == name)


def fair_part(table: pd.DataFrame) -> pd.DataFrame:
    """Return a part of a large table that a lesson can handle, many pictures of few patients.

    At most fifteen patients of each class, and of these at most 400 pictures in turns, one of each
    patient a turn, so that no patient crowds out another. A small table is returned whole.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    """
    firsts = table.drop_duplicates(["label", "patient"])
    kept = firsts.groupby("label").head(MAX_PATIENTS_OF_A_CLASS)["patient"]
    part = table[table["patient"].isin(kept)]
    turn = part.groupby("patient").cumcount()
    chosen = turn.sort_values(kind="stable").index[:MAX_PICTURES]
    return part.loc[chosen].sort_index().reset_index(drop=True)


def load_lesson_data(source: PictureSource | Path | str) -> LessonData:
    """Read the pictures of a lesson.

    Parameters
    ----------
    source : PictureSource
        Or the path of a folder.

    Raises
    ------
    DataError
        When the folder, a table or the pattern cannot serve.
    """
    if not isinstance(source, PictureSource):
        source = PictureSource.from_json(source)
    table = fair_part(source.usable())
    classes = classes_of(table)
    index = {name: i for i, name in enumerate(classes)}
    return LessonData(source.path, table, classes, table["label"].map(index).to_numpy(np.int64))
