"""The recipes that can be compared: what each is called, and what it trains."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from lymph.data.source import PictureSource
from lymph.errors import RunError
from lymph.models.encoder_files import is_here
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE, title_of
from lymph.models.imagenet import imagenet_is_here
from lymph.text import brief
from lymph.training.config import TrainConfig


class Recipe(NamedTuple):
    """A recipe's title, and how its training differs from a run's defaults; None without any."""

    title: str
    settings: dict[str, Any] | None


COLOURS = "colours"
# In the order in which they are offered and measured: what takes seconds comes first.
RECIPES: dict[str, Recipe] = {
    COLOURS: Recipe("Colours alone", None),
    "linear-probe": Recipe("Linear probe, ResNet-50", {"model": "linear-probe"}),
    "cnn": Recipe("Small CNN", {"model": "cnn"}),
    "cnn-tiles": Recipe("Small CNN, tiles of 128 px", {"model": "cnn", "tiles": 128}),
    "linear-probe-tiles": Recipe(
        "Linear probe, tiles of 224 px", {"model": "linear-probe", "tiles": 224}
    ),
    "resnet50-head": Recipe(
        "ResNet-50, head alone", {"model": "resnet50", "schedule": "linear_probe"}
    ),
    "resnet50": Recipe("ResNet-50, fine-tuned", {"model": "resnet50"}),
    "resnet50-tiles": Recipe(
        "ResNet-50, fine-tuned, tiles of 224 px", {"model": "resnet50", "tiles": 224}
    ),
    "resnet50-notebook": Recipe(
        "ResNet-50, in the notebook's order",
        {"model": "resnet50", "schedule": "finetune_then_linear_probe"},
    ),
}
# Before the name, folder or file of an encoder that a linear probe looks through.
ON = "linear-probe:"


def check_recipe(name: str) -> None:
    """Refuse what is no recipe.

    Raises
    ------
    RunError
        The sentence names those there are.
    """
    if name not in RECIPES and not name.removeprefix(ON):
        raise RunError(f"{ON} names no encoder; write {ON}NAME or {ON}FILE.")
    if name not in RECIPES and not name.startswith(ON):
        raise RunError(
            f"There is no recipe {brief(name)}; choose among {', '.join(RECIPES)} and {ON}ENCODER."
        )


def recipe_title(name: str) -> str:
    """Return a recipe's name for people; that of an encoder's file is as somebody wrote it."""
    if name in RECIPES:
        return RECIPES[name].title
    return f"Linear probe, {title_of(name.removeprefix(ON))}"


def training_of(name: str, source: PictureSource, weights: str, seed: int) -> TrainConfig | None:
    """Return what a recipe trains, with default settings; None for colours alone.

    Parameters
    ----------
    name : str
        One of `RECIPES`, or ``linear-probe:`` with an encoder's name, folder or file.
    source : PictureSource
    weights : str
        ResNet-50's values: ``imagenet``, ``none`` or a file. The small CNN and other encoders have
        their own.
    seed : int

    Raises
    ------
    LymphError
        When there is no such recipe, or its encoder is not here.
    """
    check_recipe(name)
    if name not in RECIPES:
        encoder = name.removeprefix(ON)
        return TrainConfig(source, model="linear-probe", encoder=encoder, seed=seed)
    settings = RECIPES[name].settings
    return None if settings is None else TrainConfig(source, weights=weights, seed=seed, **settings)


def recipes_here(weights: str, files: Sequence[str] = ()) -> list[str]:
    """Return the recipes whose values are on this computer, so that nothing is fetched.

    Parameters
    ----------
    weights : str
        ResNet-50's values: ``imagenet`` for torchvision's, or a file.
    files : sequence of str
        Encoders beside those of the table, by their files.
    """
    known = imagenet_is_here() if weights == "imagenet" else Path(weights).is_file()
    found = [
        name
        for name, recipe in RECIPES.items()
        if known or recipe.settings is None or recipe.settings["model"] == "cnn"
    ]
    if find_spec("timm") is None:
        return found
    encoders = [name for name in ENCODER_TABLE if name != DEFAULT and is_here(name)]
    place = found.index("cnn")
    return [*found[:place], *(f"{ON}{one}" for one in (*encoders, *files)), *found[place:]]
