"""The one button of Train, with what it will take and what the model will learn from."""

import time
from pathlib import Path

import pandas as pd
import streamlit as st

from lymph.classroom import jobs
from lymph.data.scan import usable
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.models.imagenet import IMAGENET_SIZE, imagenet_is_here
from lymph.runs import Looked, Run
from lymph.splits import Split
from lymph.text import counted
from lymph.training.config import TrainConfig
from pages.shared import loading, state
from pages.shared.frame import plain, show_caveat, show_error
from pages.shared.loading import Outline, duration
from pages.shared.navigation import FILES, go_to
from pages.shared.server import ahead
from pages.shared.state import TRAIN_KEY
from pages.shared.train.settings import NO_FILE, choose_settings, folds_for, tested_on
from pages.shared.train.ways import choose_way, measure_next, time_of, usual_epochs
from pages.shared.training import all_records, look_again, remember_run
from pages.shared.visitor import who

PRESSED_KEY = "training_wanted"
PRESSED_SECONDS = 120.0

STYLES = Path(__file__).with_name("beginning.css")


def choose_and_start(data_set: DataSet) -> Run | None:
    """Draw the ways to train, the button and the folded settings; return what was started."""
    whole = loading.picture_table(data_set)
    table = usable(whole)
    split = _split_of(data_set, table)
    if split is None:
        return None
    shown = split if tested_on() == "split" else folds_for(table, split, tested_on())
    found = loading.found(data_set)
    source = found.source
    st.html(STYLES)
    model = choose_way(data_set, table, shown)
    button = st.container(key="train_start")
    epochs = usual_epochs(source, model, table, shown)
    config, tested = choose_settings(source, model, epochs, table, split)
    with button:
        show_caveat(config.source.caveat)
        outline = loading.outline_of(table, tested)
        for sentence in outline.untrainable:
            st.error(plain(sentence))
        begins = _pressed() and not outline.untrainable
        started = start(config, tested, (found, whole)) if begins else None
        _offer_start(config, tested, table, outline)
    return started


def _split_of(data_set: DataSet, table: pd.DataFrame) -> Split | None:
    """Return the chosen split; where it cannot be made, say why and lead to another one."""
    try:
        return loading.make_split(data_set, table, state.split_settings(data_set))
    except LymphError as error:
        show_error(error)
        if st.button("Change the split", type="primary", key="split_first"):
            go_to("split")
        return None


def _offer_start(config: TrainConfig, split: Split, table: pd.DataFrame, outline: Outline) -> None:
    side, numbers = st.columns([2, 3], gap="large", vertical_alignment="center")
    with numbers, st.grid(2, min_column_width=150, key="train_facts"):
        _show_patients(split, table, outline)
        if not outline.untrainable:
            _show_time(config, split, table)
    with side:
        _show_line_ahead()
        st.button(
            _button_words(config),
            type="primary",
            key="start_training",
            disabled=bool(outline.untrainable),
            on_click=press,
            width="stretch",
        )
    _describe_split(split, outline, config.chooses_by_validation)


def _button_words(config: TrainConfig) -> str:
    if config.model == "cnn" or config.weights != "imagenet" or imagenet_is_here():
        return "Start training"
    return f"Download {IMAGENET_SIZE} and start training"


def press() -> None:
    """Keep that *Start training* was pressed until the settings have been read.

    A rerun that comes between, another click or a poll, would else take the press away.
    """
    st.session_state[PRESSED_KEY] = time.monotonic()


def _pressed() -> bool:
    """Tell, once, whether *Start training* was pressed and not answered yet.

    A press that was left for another page is forgotten after a while: it starts nothing hours on.
    """
    when = st.session_state.pop(PRESSED_KEY, None)
    return when is not None and time.monotonic() - when < PRESSED_SECONDS


def start(config: TrainConfig, split: Split, looked: Looked) -> Run | None:
    """Start a run, to be followed from now on; None where its settings lack something.

    Raises
    ------
    LymphError
        When it cannot be started.
    """
    if config.weights.endswith(NO_FILE):
        st.error("Give the path of the file with ResNet-50's weights, or choose other weights.")
        return None
    run = jobs.start_training(who(), config, split, looked)
    state.mark_started(run.id)
    remember_run(TRAIN_KEY, run.id)
    look_again()
    return run


def _show_line_ahead() -> None:
    """Say what trains or waits already, whoever started it: one run trains at a time."""
    count = sum(not record.status.over for record in all_records())
    if count:
        st.caption(f"Runs are trained one at a time; {counted(count, 'run')} ahead of a new one.")


def _show_patients(split: Split, table: pd.DataFrame, outline: Outline) -> None:
    if split.folds is not None:
        st.metric("Patients tested", table["patient"].nunique())
    else:
        sets = outline.summary["sets"]
        st.metric("Patients to learn from", f"{sets['train']['patients']:d}")


def _show_time(config: TrainConfig, split: Split, table: pd.DataFrame) -> None:
    seconds = time_of(config, split, table)
    measured = measure_next(config.model)
    if measured:
        _await_speed(measured, seconds)
        return
    told = "not measured yet" if seconds is None else f"about {duration(seconds)}"
    st.metric("Time it will take", told)


@st.fragment(run_every=2.0)
def _await_speed(model: str, seconds: float | None) -> None:
    """Say that the machine's speed is being measured, until it is."""
    if not ahead.measure(model):
        st.rerun()
    told = "being measured" if seconds is None else f"about {duration(seconds)}"
    st.metric("Time it will take", told)


def _describe_split(split: Split, outline: Outline, chooses: bool) -> None:
    if outline.leak.leaked_test_pictures:
        st.error(plain(outline.leak.sentence))
    with st.container(horizontal=True, vertical_alignment="center", key="train_split"):
        st.caption(_folds_words(split) if split.folds else _sets_words(split, outline, chooses))
        st.page_link(FILES["split"], label="Change the split")


def _sets_words(split: Split, outline: Outline, chooses: bool) -> str:
    sets = outline.summary["sets"]
    aim = "to choose the epoch" if chooses else "to validate"
    return (
        f"Split by {split.by}, seed {split.seed}: {sets['train']['pictures']:d} pictures to learn"
        f" from, {sets['val']['pictures']:d} {aim}, {sets['test']['pictures']:d} held back."
    )


def _folds_words(split: Split) -> str:
    return (
        f"{counted(len(split.folds or []), 'training')}, one for each fold, split by {split.by},"
        f" seed {split.seed}. One run: it can be stopped and resumed between them."
    )
