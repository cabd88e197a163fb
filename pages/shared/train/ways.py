"""The three ways to train, each with what it takes and what was seen of it on these pictures."""

import json
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.evaluation import interval_words
from lymph.models import MODELS
from lymph.models.imagenet import IMAGENET_SIZE, imagenet_is_here
from lymph.reports.tables import honest_rank, mark_of, people_text
from lymph.splits import Split
from lymph.training import estimate, speed
from lymph.training.config import TrainConfig
from pages.shared import loading
from pages.shared.frame import plain
from pages.shared.loading import duration
from pages.shared.place import computer
from pages.shared.server import ahead
from pages.shared.training import SET_WORDS, all_records, finished_records

WAYS = ("linear-probe", "cnn", "resnet50")
TITLES = {
    "linear-probe": "Quick",
    "cnn": "Small CNN",
    "resnet50": "ResNet-50, fine-tuned",
}
TOLD = {
    "linear-probe": "A ResNet-50 that knows everyday pictures describes each picture once; a linear"
    " head learns from that.",
    "cnn": "A small network learns from nothing, on grey pictures.",
    "resnet50": "A ResNet-50 that knows everyday pictures: a linear head learns, then its last"
    " block goes on learning.",
}
# Of more pictures than these nobody promises that an unmeasured machine is quick.
FEW = 1_000


def choose_way(data_set: DataSet, table: pd.DataFrame, split: Split) -> str:
    """Draw the three ways and return the model of the one that is chosen."""
    source = loading.found(data_set).source
    times = {model: usual_time(source, model, table, split) for model in WAYS}
    default = default_way(times, imagenet_is_here(), len(table))
    return st.radio(
        "How to train",
        WAYS,
        index=WAYS.index(default),
        format_func=TITLES.__getitem__,
        captions=[_caption(data_set, model, times[model]) for model in WAYS],
        key="model",
        horizontal=True,
        persist_state="session",
        label_visibility="collapsed",
        width="stretch",
    )


def default_way(times: Mapping[str, float | None], values_here: bool, pictures: int) -> str:
    """Return the way to offer first: one that begins at once and ends within ten minutes.

    Parameters
    ----------
    times : mapping
        Seconds of each way; None where this machine was not measured yet.
    values_here : bool
        Whether the ImageNet weights need no download.
    pictures : int
        How many pictures there are.
    """
    offered = [model for model in ("linear-probe", "cnn") if values_here or model == "cnn"]
    for model in offered:
        seconds = times[model]
        if pictures <= FEW if seconds is None else seconds < estimate.TEN_MINUTES:
            return model
    return min(offered, key=lambda model: times[model] or float("inf"))


def usual_time(
    source: PictureSource, model: str, table: pd.DataFrame, split: Split
) -> float | None:
    """Return the seconds of a model with its own settings; None before they are known."""
    config = TrainConfig(source, model, usual_epochs(source, model, table, split))
    return time_of(config, split, table)


def usual_epochs(source: PictureSource, model: str, table: pd.DataFrame, split: Split) -> int:
    """Return the epochs to offer: those chosen, else the model's, fewer where they take too long.

    A fine-tuned ResNet-50 keeps its own: it is no default.
    """
    chosen = st.session_state.get(f"epochs_{model}")
    epochs = MODELS[model].epochs
    if chosen or model != "cnn":
        return chosen or epochs
    return estimate.epochs_within(time_of(TrainConfig(source, model), split, table), epochs)


def time_of(config: TrainConfig, split: Split, table: pd.DataFrame) -> float | None:
    """Return the seconds that a run will take, as far as they are known, looked up now and then."""
    # The source is a part of the configuration: with the folder it tells what the table holds.
    told = json.dumps([config.to_json(), split.to_json()], default=str)
    key = (loading.folder_stamp(config.source.path), len(table), told)
    return _time_of(config, split, table, (*key, speed.known(config.speed_name)))


@st.cache_data(show_spinner=False, max_entries=64, ttl=20)
def _time_of(_config: TrainConfig, _split: Split, _table: pd.DataFrame, key: tuple) -> float | None:
    return estimate.estimate_seconds(_config, _split, _table)


def _caption(data_set: DataSet, model: str, seconds: float | None) -> str:
    time = "Time not measured yet" if seconds is None else f"About {duration(seconds)}"
    words = f"{TOLD[model]}  \n**{time}**{_download_words(model)}"
    seen = seen_of(data_set, model)
    return f"{words}  \n{seen}" if seen else words


def _download_words(model: str) -> str:
    if model == "cnn" or imagenet_is_here():
        return ""
    return (
        f", after a download of {IMAGENET_SIZE}: its ImageNet weights are not on {computer()} yet"
    )


def seen_of(data_set: DataSet, model: str) -> str:
    """Say what the best finished run of a model has reached here, or nothing."""
    known = finished_records(data_set)
    reports = [one.summary.judged for one in known if one.summary and one.config.model == model]
    if not reports:
        return ""
    report = max(reports, key=honest_rank)
    pictures, mark = report["pictures"], mark_of(report)
    words = (
        f"Seen here: {100 * pictures['accuracy']:.0f} % of {pictures['n']}"
        f" {SET_WORDS[report['set']]} pictures, {people_text(report)}"
        f" ({interval_words(pictures['interval'])})"
    )
    return plain(f"{words}, {mark}" if mark else words)


def measure_next(chosen: str) -> str:
    """Measure the machine's speed at one model after the other; return the one at hand, or "".

    While runs go on only the chosen one is measured: they and the measurement would slow each
    other.
    """
    busy = any(not record.status.over for record in all_records())
    order = [chosen] if busy else [chosen, *WAYS]
    return next((model for model in order if ahead.measure(model)), "")
