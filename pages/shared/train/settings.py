"""The settings of a run, folded away: each has a value that will do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lymph import splits
from lymph.classroom.settings import class_settings
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.models import MODELS
from lymph.models.augmentations import AUGMENTATIONS
from lymph.splits import Split
from lymph.training.class_weights import class_weights
from lymph.training.config import (
    CLASS_WEIGHTS,
    LAST_BLOCK,
    SCHEDULES,
    USUAL_AUGMENTATION,
    TrainConfig,
)
from lymph.training.older import THEN
from lymph.training.preview import vary
from pages.shared import loading
from pages.shared.frame import plain
from pages.shared.place import computer
from pages.shared.train.encoder_choice import choose_encoder
from pages.shared.train.tile_choice import choose_tiles
from pages.shared.training import LAST_BLOCK_WORDS, PROBE_WORDS

WEIGHTS_TOLD = {
    "none": "All alike",
    "picture": "By number of pictures",
    "patient": "By number of patients",
}
SCHEDULES_TOLD = {
    "linear_probe_then_last_block": (
        "Linear probe (head only), then the last block at a low rate: lymph's own"
    ),
    "finetune_then_linear_probe": (
        "Fine-tuning, then a linear probe (head only): the notebook's order"
    ),
    "linear_probe_then_finetune": (
        "Linear probe (head only), then fine-tuning: keeps more of ImageNet"
    ),
    "finetune": "Fine-tuning from beginning to end",
    "linear_probe": "Linear probe (head only): the backbone stays frozen, an epoch takes no time",
}
TESTS_TOLD = {
    "split": "The split's test patients, once",
    "folds": "All patients, by cross-validation",
    "patient": "All patients, leaving one out at a time",
}
VALUES_TOLD = {
    "imagenet": "ImageNet (98 MB, downloaded once)",
    "file": "A file on {computer}",
    "none": "None: random initialisation",
}
NO_FILE = "no file named yet"


def choose_settings(
    source: PictureSource, model: str, epochs: int, table: pd.DataFrame, split: Split
) -> tuple[TrainConfig, Split]:
    """Draw the settings of a model, with the epochs to offer; return them, and what is tested."""
    with st.expander("Settings", key="train_settings"):
        tested = choose_test()
        config = _choose_config(source, model, epochs, (table, split), tested)
        if not (MODELS[model].frozen or config.tunes_last_block):
            show_variations(source, table, config)
    return config, split if tested == "split" else folds_for(table, split, tested)


def tested_on() -> str:
    """Return on whom the model is to be tested, before the settings are drawn."""
    return st.session_state.get("test_on", "split")


def _choose_config(
    source: PictureSource,
    model: str,
    epochs: int,
    pictures: tuple[pd.DataFrame, Split],
    tested: str,
) -> TrainConfig:
    spec = MODELS[model]
    chosen: dict[str, Any] = {
        "source": source,
        "model": model,
        **_choose_numbers(model, epochs, tested),
    }
    if model != "cnn":
        chosen |= choose_encoder(choose_values) if spec.frozen else {"weights": choose_values()}
    chosen["tiles"] = choose_tiles(model)
    chosen["class_weights"] = choose_class_weights(*pictures)
    if spec.frozen:
        st.caption(PROBE_WORDS)
        return TrainConfig(**chosen)
    if model == "resnet50":
        chosen |= choose_phases(chosen["epochs"], tested, chosen["weights"])
    chosen["learning_rate"] = choose_learning_rate(model, spec.learning_rate)
    if chosen.get("schedule") == LAST_BLOCK:
        st.caption(LAST_BLOCK_WORDS)
        return TrainConfig(**chosen)
    chosen["augmentation"] = choose_augmentation()
    # Nobody validates in cross-validation.
    if tested == "split":
        chosen["patience"] = st.number_input(
            "Early stopping: epochs without improvement on validation (0: never)",
            0,
            500,
            0,
            key="patience",
            persist_state="session",
        )
    return TrainConfig(**chosen)


def _choose_numbers(model: str, epochs: int, tested: str) -> dict[str, int]:
    chosen = {}
    with st.grid(4, min_column_width=130, key="train_numbers"):
        chosen["epochs"] = st.number_input(
            "Epochs", 1, 500, epochs, key=f"epochs_{model}", persist_state="session"
        )
        if not MODELS[model].frozen:
            chosen["batch_size"] = st.number_input(
                "Batch size", 1, 256, 16, key="batch_size", persist_state="session"
            )
        chosen["seed"] = st.number_input(
            "Seed", 0, 99999, 0, key="train_seed", persist_state="session"
        )
        if tested == "folds":
            st.number_input("Folds", 2, 20, 5, key="fold_count", persist_state="session")
    return chosen


def choose_test() -> str:
    """Choose on whom the model is tested; folds train one model each."""
    return st.radio(
        "Test on",
        list(TESTS_TOLD),
        format_func=TESTS_TOLD.__getitem__,
        key="test_on",
        horizontal=True,
        persist_state="session",
        help="In cross-validation every patient is tested once, by a model that never saw anyone"
        " of its fold and has learned from all others: more patients, a narrower interval, and as"
        " many trainings as folds. Nobody validates; the last epoch is kept.",
    )


def folds_for(table: pd.DataFrame, split: Split, tested: str) -> Split:
    patients = table["patient"].nunique()
    if tested == "patient":
        return splits.make_folds(table, patients, "patient", split.seed)
    count = st.session_state.get("fold_count", 5)
    return splits.make_folds(table, min(count, patients), split.by, split.seed)


def choose_phases(epochs: int, tested: str, weights: str) -> dict[str, Any]:
    """Choose what learns when, and for how long."""
    # Without pretrained weights there is nothing for a linear probe to begin with.
    offered = [name for name in SCHEDULES if weights != "none" or name != LAST_BLOCK]
    usual = "linear_probe" if tested == "patient" else offered[0]
    schedule = st.radio(
        "Phases",
        offered,
        index=offered.index(usual),
        format_func=SCHEDULES_TOLD.__getitem__,
        key=f"schedule_{tested}" if tested == "patient" else "schedule",
        persist_state="session",
    )
    chosen: dict[str, Any] = {"schedule": schedule}
    if THEN in schedule and epochs > 1:
        chosen["phases"] = _choose_lengths(schedule, epochs)
    chosen["backbone_factor"] = st.select_slider(
        "Learning rate of the backbone, as a share of the head's",
        (0.0, 0.01, 0.03, 0.1, 0.3, 1.0),
        0.1,
        key="backbone_factor",
        persist_state="session",
    )
    return chosen


def _choose_lengths(schedule: str, epochs: int) -> list[str]:
    """Choose how many epochs train more than the head."""
    names = schedule.split(THEN)
    ours = schedule == LAST_BLOCK
    tuned = 1
    if epochs > 2:
        what = "the last block" if ours else "fine-tuning"
        tuned = st.slider(
            f"Epochs of {what}, of {epochs:d}",
            1,
            epochs - 1,
            epochs // 2 if ours else (epochs + 1) // 2,
            key=f"{'last_block' if ours else 'finetune'}_epochs_{epochs}",
            persist_state="session",
        )
    return [f"{name}:{epochs - tuned if name == 'linear_probe' else tuned}" for name in names]


def choose_augmentation() -> list[str]:
    chosen = st.pills(
        "Augment the training pictures",
        list(AUGMENTATIONS),
        selection_mode="multi",
        default=list(USUAL_AUGMENTATION),
        format_func=lambda name: name.replace("-", " ").capitalize(),
        key="augmentation",
        persist_state="session",
        help="  \n".join(AUGMENTATIONS.values()),
    )
    return [name for name in AUGMENTATIONS if name in chosen]


def show_variations(source: PictureSource, table: pd.DataFrame, config: TrainConfig) -> None:
    """Show what the chosen ways make of a picture of each class."""
    if not st.toggle("See it on your pictures", key="show_variations"):
        return
    for label, picture in table.groupby("label")["picture"].first().items():
        ways = tuple(config.augmentation)
        given = str(source.root), picture, config.model, ways, config.seed, config.tiles
        shown = varied_pictures(*given)
        for number, (place, pixels) in enumerate(zip(st.columns(len(shown)), shown, strict=True)):
            words = plain(label) + ", as it is" if not number else None
            place.image(pixels, caption=words, width="stretch")


@st.cache_data(show_spinner=False, max_entries=32)
def varied_pictures(
    root: str, picture: str, model: str, ways: tuple[str, ...], seed: int, tiles: int | None
) -> list[np.ndarray]:
    return vary(loading.full_picture(root, picture), model, ways, count=4, seed=seed, tiles=tiles)


def choose_learning_rate(model: str, usual: float) -> float:
    choices = sorted({1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, usual})
    return st.select_slider(
        "Learning rate",
        choices,
        usual,
        format_func=lambda rate: f"{rate:g}",
        key=f"learning_rate_{model}",
        persist_state="session",
    )


def choose_values() -> str:
    titles = {name: words.format(computer=computer()) for name, words in VALUES_TOLD.items()}
    source = st.radio(
        "Pretrained weights",
        list(titles),
        format_func=titles.get,
        key="values",
        persist_state="session",
    )
    if source == "none":
        st.warning(
            "From random initialisation ResNet-50 needs far more pictures than there are here."
        )
    if source != "file":
        return source
    settings = class_settings()
    if settings is not None:
        return choose_named(settings.weights)
    path = st.text_input(
        "Path of the file (.pth) with ResNet-50's weights",
        key="values_file",
        persist_state="session",
    )
    return path.strip() or NO_FILE


def choose_named(files: Sequence[str]) -> str:
    """Choose one of the files of weights that the lecturer named when the class began."""
    named = st.selectbox(
        "File with ResNet-50's weights",
        files,
        format_func=lambda file: Path(file).name,
        key="values_named",
        persist_state="session",
        placeholder="the lecturer named none",
    )
    return named or NO_FILE


def choose_class_weights(table: pd.DataFrame, split: Split) -> str:
    mode = st.radio(
        "Weight of each class in the loss",
        CLASS_WEIGHTS,
        format_func=WEIGHTS_TOLD.__getitem__,
        key="class_weights",
        horizontal=True,
        persist_state="session",
    )
    if mode != "none" and not splits.untrainable(table, split):
        rows = table if split.folds else table[split.assign(table) == "train"]
        weights = class_weights(rows, mode, classes_of(table))
        told = " · ".join(f"**{plain(name)}** {value:.2f}" for name, value in weights.items())
        st.caption(f"{told}, counted on the training pictures only")
    return mode
