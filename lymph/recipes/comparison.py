"""A comparison of recipes: what is compared, and its folder.

The folder holds ``config.json``, ``status.json`` (as a run's), ``log.txt``, ``begun.json`` (which
pictures these were and what share of the time each cell takes), the folds ``patient.json`` and
``picture.json``, and ``cells/<recipe>-<by>/`` with ``out-of-fold.csv`` and ``cell.json`` of each
cell that is done; one that is not done holds its training.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import workspace
from lymph.data.scan import usable
from lymph.data.source import PictureSource, table_of
from lymph.errors import RunError, SplitError
from lymph.jobs import files
from lymph.jobs.status import Status, read_status
from lymph.predictions import read_predictions
from lymph.recipes.recipe import check_recipe, recipe_title
from lymph.splits import Split, make_folds, untrainable
from lymph.splits.split import By
from lymph.training.config import LARGEST_SEED
from lymph.typed import misfit, read_object

SIDES: tuple[By, ...] = ("patient", "picture")
SIDE_TITLES: dict[By, str] = {"patient": "patients apart", "picture": "at random"}
FOLDS = 5
# A status counts thousandths of the time that all cells take.
UNITS = 1000

BEGUN = "begun.json"
OUT_OF_FOLD = "out-of-fold.csv"
CELL = "cell.json"

UNKNOWN = (
    "Recipes are compared with patients apart, and here nobody knows the patients: say on the Data"
    " page what tells them (--patients or --pattern)."
)
CHANGED = (
    "Pictures, classes or patients have changed since this comparison began, so its recipes would"
    " be tested on different pictures. Start a new one: what still holds is taken over."
)


@dataclass(frozen=True)
class ComparisonConfig:
    """What is compared, and on which pictures.

    ``recipes`` are names of `lymph.recipes.recipe.RECIPES` or ``linear-probe:ENCODER``. There are
    as many ``folds`` by patient as at random; as many as there are patients leave out one at a
    time. ``weights`` are ResNet-50's values: ``imagenet``, ``none`` or a file.
    """

    source: PictureSource
    recipes: list[str]
    folds: int = FOLDS
    seed: int = 0
    weights: str = "imagenet"

    def __post_init__(self) -> None:
        if not isinstance(self.source, PictureSource):
            object.__setattr__(self, "source", PictureSource.from_json(self.source))
        if wrong := misfit(type(self), vars(self)):
            raise RunError(f"The comparison has a value of the wrong kind: {wrong}.")
        object.__setattr__(self, "recipes", list(dict.fromkeys(self.recipes)))
        if not self.recipes:
            raise RunError("Choose at least one recipe.")
        for name in self.recipes:
            check_recipe(name)
        if self.folds < 2:
            raise RunError("Choose at least 2 folds.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise RunError(f"The seed must be between 0 and {LARGEST_SEED}.")

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` holds."""
        return {**asdict(self), "source": self.source.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "ComparisonConfig":
        """Make a configuration from its document.

        Raises
        ------
        RunError
            When a key is unknown or missing, or a value of the wrong kind.
        ConfigError
            When the source is none.
        """
        known = {item.name for item in fields(cls)}
        if set(document) != known:
            raise RunError(f"A comparison has the keys {', '.join(sorted(known))}; compare again.")
        return cls(**document)

    def alike(self, other: "ComparisonConfig") -> bool:
        """Tell whether another one compares the same on the same pictures."""
        told = ("recipes", "folds", "seed", "weights")
        same = all(getattr(self, name) == getattr(other, name) for name in told)
        return same and self.source.tells_as(other.source)


def make_config(
    source: PictureSource,
    recipes: Sequence[str],
    folds: int | None = FOLDS,
    seed: int = 0,
    weights: str = "imagenet",
) -> ComparisonConfig:
    """Return a configuration whose folds can be made of these pictures.

    Parameters
    ----------
    folds : int, optional
        None for as many as there are patients: one is left out at a time.

    Raises
    ------
    LymphError
        When the pictures cannot be used, or folds of them cannot be made; the sentence says why.
    """
    found = source.look()
    table = usable(table_of(found))
    count = table["patient"].nunique() if folds is None else folds
    config = ComparisonConfig(found.source, list(recipes), int(count), seed, weights)
    make_both(table, found.source, config.folds, seed)
    return config


def make_both(table: pd.DataFrame, source: PictureSource, folds: int, seed: int) -> dict[By, Split]:
    """Make the folds by patient and those by picture.

    Raises
    ------
    SplitError
        When the patients are unknown or too few, or a class has a single one.
    """
    if source.patients == "none":
        raise SplitError(UNKNOWN)
    both: dict[By, Split] = {by: make_folds(table, folds, by, seed) for by in SIDES}
    if problems := untrainable(table, both["patient"]):
        raise SplitError(" ".join(problems))
    if problems := untrainable(table, both["picture"]):
        raise SplitError(" ".join(problems))
    return both


@dataclass(frozen=True)
class Cell:
    """One recipe over one kind of folds; every method reads the files as they are now."""

    path: Path
    recipe: str
    by: By

    @property
    def title(self) -> str:
        """Return its name for people."""
        return f"{recipe_title(self.recipe)}, {SIDE_TITLES[self.by]}"

    @property
    def done(self) -> bool:
        """Tell whether it has been measured."""
        return (self.path / OUT_OF_FOLD).exists()

    @property
    def seconds(self) -> float:
        """Return the seconds that it took, or has taken so far; 0 where that is not known."""
        kept = workspace.read_json_or(self.path / CELL, None)
        told = kept.get("seconds") if isinstance(kept, dict) else None
        return float(told) if isinstance(told, (int, float)) else 0.0

    def predictions(self) -> pd.DataFrame:
        """Return every picture's prediction by the model that has not seen its fold.

        Raises
        ------
        EvaluationError
            When there are none yet, or they are damaged.
        """
        return read_predictions(self.path / OUT_OF_FOLD)


@dataclass(frozen=True)
class Comparison:
    """A comparison's folder; every method reads the files as they are now."""

    path: Path

    @property
    def config(self) -> ComparisonConfig:
        """Return what is compared.

        Raises
        ------
        LymphError
            When it cannot be read.
        """
        remedy = "compare again"
        return ComparisonConfig.from_json(read_object(self.path / files.CONFIG, RunError, remedy))

    def status(self) -> Status:
        """Return where it stands; ``done`` is the share of the time, ``step`` what is measured.

        Raises
        ------
        RunError
            When it cannot be read.
        """
        return read_status(self.path)

    def cells(self) -> list[Cell]:
        """Return the cells in the order in which they are measured."""
        home = self.path / "cells"
        numbered = enumerate(self.config.recipes, start=1)
        return [Cell(home / f"{n}-{by}", name, by) for n, name in numbered for by in SIDES]

    @property
    def complete(self) -> bool:
        """Tell whether it is finished and nothing of it has gone since."""
        return self.status().state == "finished" and all(cell.done for cell in self.cells())

    @property
    def pictures(self) -> str:
        """Return the digest of the pictures that it began on; empty before it has begun."""
        begun = workspace.read_json_or(self.path / BEGUN, None)
        told = begun.get("pictures") if isinstance(begun, dict) else None
        return told if isinstance(told, str) else ""

    def changed(self) -> tuple[str, ...]:
        """Return what is the same as long as no further cell is done."""
        return (str(self.path), *(cell.path.name for cell in self.cells() if cell.done))


def digest_of(table: pd.DataFrame) -> str:
    """Return what is the same only for the same pictures with the same classes and patients."""
    told = table[["picture", "label", "patient", "bytes"]].to_csv(index=False)
    return hashlib.sha256(told.encode()).hexdigest()


def comparisons_home() -> Path:
    """Return the folder that holds one folder a comparison."""
    return workspace.home() / "recipes"
