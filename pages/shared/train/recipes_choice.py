"""Which recipes to compare, over how many folds, and what that will take."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import streamlit as st

from lymph import recipes
from lymph.classroom import jobs
from lymph.classroom.settings import class_settings
from lymph.data.scan import usable
from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.models import MODELS
from lymph.models.imagenet import IMAGENET_SIZE
from lymph.recipes.comparison import FOLDS, make_both
from lymph.training import speed
from pages.shared import loading
from pages.shared.encoders import encoder_files
from pages.shared.frame import plain
from pages.shared.loading import duration
from pages.shared.place import computer
from pages.shared.server import ahead
from pages.shared.train.ways import measure_next
from pages.shared.values_file import choose_values_file
from pages.shared.visitor import who

TOLD = {
    "colours": "18 numbers on the colours of each picture, nothing of shapes.",
    "linear-probe": "What a ResNet-50 that knows everyday pictures sees, and a linear head.",
    "cnn": "A small network learns from scratch, on grey pictures.",
    "cnn-tiles": "The same on tiles at full resolution.",
    "linear-probe-tiles": "The linear probe on tiles at full resolution.",
    "resnet50-head": "Its head alone learns, on pictures of 224 x 224.",
    "resnet50": "Its head, then its last block with it.",
    "resnet50-tiles": "The same on tiles at full resolution.",
    "resnet50-notebook": "All of it, then its head alone, as in the notebook.",
}
ENCODER_TOLD = "What this encoder sees, and a linear head."


class Wanted(NamedTuple):
    """What is to be compared."""

    names: list[str]
    folds: int
    seed: int
    weights: str


def choose_and_compare(data_set: DataSet) -> None:
    """Draw the recipes, the button and the folded settings; start what was asked for."""
    source = loading.found(data_set).source
    table = usable(loading.picture_table(data_set))
    grid, button = st.container(), st.container()
    folds, seed, weights = _choose_settings(table)
    here = recipes.recipes_here(weights, encoder_files())
    make_both(table, source, folds, seed)
    times = times_of(source, table, folds, seed, weights, tuple(here))
    with grid:
        names = _choose_recipes(times, len(table))
    with button:
        _offer(source, Wanted(names, folds, seed, weights), times)


def _choose_settings(table: pd.DataFrame) -> tuple[int, int, str]:
    patients = table["patient"].nunique()
    with st.expander("Settings", key="recipe_settings"):
        with st.grid(4, min_column_width=130, key="recipe_numbers"):
            folds = st.number_input(
                "Folds",
                2,
                max(2, patients),
                max(2, min(FOLDS, patients)),
                # Of other pictures there may be fewer.
                key=f"recipe_folds_{patients}",
                persist_state="session",
                help="As many by patient as at random. As many folds as patients leave out one"
                " patient at a time.",
            )
            seed = st.number_input("Seed", 0, 99999, 0, key="recipe_seed", persist_state="session")
        weights = choose_values_file(
            "recipe_weights",
            f"File with ResNet-50's weights; empty: torchvision's, once they are on {computer()}",
        )
    return int(folds), int(seed), weights or "imagenet"


def times_of(
    source: PictureSource,
    table: pd.DataFrame,
    folds: int,
    seed: int,
    weights: str,
    names: tuple[str, ...],
) -> dict[str, float | None]:
    """Return the seconds of each recipe, as far as they are known, looked up now and then."""
    rows = table[["picture", "label", "patient", "width", "height"]]
    speeds = tuple(speed.known(model) for model in MODELS)
    key = (str(source.root), loading.hash_of(rows), folds, seed, weights, names, speeds)
    return _times(source, table, key)


@st.cache_data(show_spinner=False, max_entries=32, ttl=20)
def _times(_source: PictureSource, _table: pd.DataFrame, key: tuple) -> dict[str, float | None]:
    _, _, folds, seed, weights, names, _ = key
    both = make_both(_table, _source, folds, seed)
    return recipes.estimate_recipes(names, _source, _table, both, weights)


def _choose_recipes(times: Mapping[str, float | None], pictures: int) -> list[str]:
    """Draw a box for each recipe, and return those that are chosen."""
    first = recipes.default_recipes(times, pictures)
    chosen = []
    with st.grid(3, min_column_width=230, key="recipe_choice"):
        for name, seconds in times.items():
            with st.container(border=True, gap="xsmall"):
                # Whoever has chosen nothing gets what is quick, also once the speed is known.
                key = f"recipe_{name}" if name in first else f"recipe_more_{name}"
                title = plain(recipes.recipe_title(name))
                if st.checkbox(title, name in first, key=key, persist_state="session"):
                    chosen.append(name)
                time = "Time not measured yet" if seconds is None else f"About {duration(seconds)}"
                st.caption(f"{TOLD.get(name, ENCODER_TOLD)} **{time}**")
    if "linear-probe" not in times:
        st.caption(_missing_words())
    return chosen


def _missing_words() -> str:
    download = f"a Quick training downloads them ({IMAGENET_SIZE})"
    file = "choose a file of the lecturer's" if class_settings() else "name a file"
    return (
        f"Linear probe and ResNet-50 can be compared once ImageNet weights are on {computer()}:"
        f" {download}, or {file} in the settings."
    )


def _offer(source: PictureSource, wanted: Wanted, times: Mapping[str, float | None]) -> None:
    side, number = st.columns([2, 3], gap="large", vertical_alignment="center")
    with number:
        _show_time(wanted, times)
    pressed = side.button(
        "Compare recipes",
        type="primary",
        key="compare_recipes",
        disabled=not wanted.names,
        width="stretch",
    )
    if pressed:
        config = recipes.make_config(source, *wanted)
        jobs.start_comparison(who(), config)
        st.rerun()


def _show_time(wanted: Wanted, times: Mapping[str, float | None]) -> None:
    known = [times[name] for name in wanted.names]
    whole = None if None in known else sum(filter(None, known))
    if whole is None and (model := measure_next("cnn")):
        _await_speed(model)
        return
    words = "not measured yet" if whole is None else f"about {duration(whole)}"
    st.metric("Time it will take", words if wanted.names else "nothing chosen")


@st.fragment(run_every=2.0)
def _await_speed(model: str) -> None:
    """Say that the machine's speed is being measured, until it is."""
    if not ahead.measure(model):
        st.rerun()
    st.metric("Time it will take", "being measured")
