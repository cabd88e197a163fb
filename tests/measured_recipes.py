"""A comparison of recipes written by hand, and pictures, whose figures are known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lymph import workspace
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.jobs import files
from lymph.jobs.status import Status, write_status
from lymph.predictions import make_predictions, write_predictions
from lymph.recipes import Comparison, make_config
from lymph.recipes.comparison import (
    BEGUN,
    CELL,
    OUT_OF_FOLD,
    UNITS,
    comparisons_home,
    digest_of,
    make_both,
)

# Of a recipe and a kind of folds: the class that is named for each row of the picture table.
Says = Callable[[str, str, pd.DataFrame], pd.Series]


def right_and_wrong(recipe: str, by: str, table: pd.DataFrame) -> pd.Series:
    """Let every recipe be right at random; with patients apart only the CNN is, else nobody."""
    right = by == "picture" or recipe == "cnn"
    others = table["label"].map({"CLL": "FL", "FL": "MCL", "MCL": "CLL"})
    return table["label"] if right else others


def write_comparison(
    root: Path,
    recipes: tuple[str, ...] = ("colours", "cnn"),
    says: Says = right_and_wrong,
    state: str = "finished",
    cells: int | None = None,
) -> Comparison:
    """Write a comparison of five folds as its process leaves it, with the first cells done."""
    config = make_config(PictureSource(str(root)), recipes)
    table = config.source.usable()
    both, classes = make_both(table, config.source, config.folds, config.seed), classes_of(table)
    path = workspace.new_folder(comparisons_home(), "2026-11-26-120000-1")
    workspace.write_json(path / files.CONFIG, config.to_json())
    workspace.write_json(path / BEGUN, {"pictures": digest_of(table)})
    comparison = Comparison(path)
    for cell in comparison.cells()[:cells]:
        said = says(cell.recipe, cell.by, table)
        values = np.array([[float(one == name) for name in classes] for one in said])
        homes = both[cell.by].assign(table)
        made = make_predictions(table.assign(set="test", fold=homes), values, classes)
        cell.path.mkdir(parents=True)
        workspace.write_json(cell.path / CELL, {"seconds": 61.0, "key": ""})
        write_predictions(made, cell.path / OUT_OF_FOLD)
    write_status(path, Status(state, epoch=UNITS, epochs=UNITS, queued=1.8e9))
    return comparison


def paint_patients(root: Path, per_class: int = 4, pictures: int = 4) -> Path:
    """Write two classes whose patients each have a colour of their own, which says no class."""
    rng = np.random.default_rng(4)
    for place in range(2 * per_class):
        label = "AB"[place % 2]
        (root / label).mkdir(parents=True, exist_ok=True)
        own, grain = rng.uniform(60, 200, 3), rng.uniform(2, 30, 3)
        for number in range(pictures):
            pixels = own + grain * rng.normal(size=(24, 32, 3))
            picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            picture.save(root / label / f"sj-99-{place + 1:04}_{number:03}.png")
    return root
