"""How long recipes will take here, and which of them to offer first."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import pandas as pd

from lymph.data.measure import measured_before
from lymph.data.source import PictureSource
from lymph.errors import LymphError
from lymph.models.specs import MODELS
from lymph.recipes.comparison import SIDES
from lymph.recipes.recipe import training_of
from lymph.splits import Split
from lymph.splits.split import By
from lymph.training.estimate import START_SECONDS, TEN_MINUTES, estimate_seconds

# Reading a picture and measuring its colours, a million pixels; a fit on 18 numbers.
COLOUR_SECONDS, FIT_SECONDS = 0.15, 0.05
# Of more pictures than these nobody promises that an unmeasured machine is quick.
FEW = 1_000
QUICK = ("colours", "linear-probe", "cnn")


def estimate_cell(
    name: str,
    source: PictureSource,
    table: pd.DataFrame,
    folds: Split,
    weights: str = "imagenet",
    seen: bool = False,
) -> float | None:
    """Estimate the seconds of a recipe over folds; None before this machine was measured.

    Parameters
    ----------
    name : str
        The recipe.
    source : PictureSource
    table : DataFrame
        Its picture table, sound pictures only.
    folds : Split
    weights : str
        ResNet-50's values.
    seen : bool
        Whether the recipe has been through the pictures once, so that its features are ready.

    Raises
    ------
    LymphError
        When there is no such recipe, or its encoder is not here.
    """
    config = training_of(name, source, weights, 0)
    if config is not None:
        seconds = estimate_seconds(config, folds, table, seen and MODELS[config.model].frozen)
        return None if seconds is None else max(1.0, seconds - START_SECONDS)
    pictures = list(table["picture"])
    known = pictures if seen else measured_before(source.path, pictures)["picture"]
    new = table[~table["picture"].isin(known)]
    pixels = float((new["width"] * new["height"]).sum())
    return 1.0 + COLOUR_SECONDS * pixels / 1e6 + FIT_SECONDS * len(folds.folds or [])


def estimate_recipes(
    names: Sequence[str],
    source: PictureSource,
    table: pd.DataFrame,
    both: Mapping[By, Split],
    weights: str = "imagenet",
) -> dict[str, float | None]:
    """Estimate the seconds of recipes over both kinds of folds; see :func:`estimate_cell`.

    One whose encoder cannot be read is left out.
    """
    found: dict[str, float | None] = {}
    for name in names:
        with suppress(LymphError):
            parts = [
                estimate_cell(name, source, table, both[by], weights, seen=by != SIDES[0])
                for by in SIDES
            ]
            known = [part for part in parts if part is not None]
            found[name] = sum(known) if len(known) == len(parts) else None
    return found


def default_recipes(times: Mapping[str, float | None], pictures: int) -> list[str]:
    """Return the recipes to choose where nobody has chosen: together they end in ten minutes.

    Parameters
    ----------
    times : mapping
        Seconds of each recipe that can be chosen; None where this machine was not measured yet.
    pictures : int
        How many pictures there are.
    """
    chosen, spent = [], 0.0
    for name in (name for name in QUICK if name in times):
        seconds = times[name]
        if seconds is None:
            if pictures <= FEW:
                chosen.append(name)
        elif spent + seconds < TEN_MINUTES:
            chosen.append(name)
            spent += seconds
    return chosen
