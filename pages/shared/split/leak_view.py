"""The leak meter and its negative control on the Split page: started, followed and told."""

from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from lymph import leak
from lymph.charts import leak_bars
from lymph.classroom import jobs
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.jobs.queue import job_of
from lymph.leak import FEATURES, Measurement, MeterConfig
from lymph.models.encoder_files import describe
from lymph.models.encoder_table import DEFAULT
from lymph.text import whole_percent
from pages.shared import loading
from pages.shared.encoders import (
    OWN_FILE,
    choose_from_here,
    choose_own,
    chosen_before,
    encoders_here,
    show_terms,
)
from pages.shared.frame import plain, show_error, told
from pages.shared.loading import time_left
from pages.shared.results.twins import offer_pair
from pages.shared.split.neighbours_view import show_neighbours
from pages.shared.values_file import choose_values_file
from pages.shared.visitor import is_own, starter_of, who
from pages.shared.waiting import waiting_words

ENCODER_KEY = "leak_encoder"
TOLD = {
    "colour": "18 numbers on the colours of a picture, nothing of shapes: seconds",
    "imagenet": "what a network trained on everyday pictures sees: minutes",
    "cnn": "a network that learns these pictures from scratch, thirty times: minutes",
}
METER_TOLD = (
    "A quick model learns and is tested twice: on pictures assigned at random, and with each"
    " patient in one set only. The difference is what a random split adds."
)


class Look(NamedTuple):
    """What makes frozen features, as a measurement's configuration has it."""

    weights: str
    encoder: str


USUAL_LOOK = Look("imagenet", DEFAULT)


def show_meter(data_set: DataSet) -> None:
    """Draw the meter: what to look at, the buttons, and what was measured last."""
    st.header("How much would a random split inflate accuracy?", anchor=False)
    features = st.radio(
        "What the quick model looks at",
        list(FEATURES),
        format_func=lambda name: FEATURES[name][0].upper() + FEATURES[name][1:],
        captions=list(TOLD.values()),
        key="leak_features",
        horizontal=True,
        persist_state="session",
    )
    looked = choose_look() if features == "imagenet" else USUAL_LOOK
    if looked is None:
        return
    source = loading.found(data_set).source
    config = MeterConfig(source, features, looked.weights, encoder=looked.encoder)
    # Places of their own: what one shows while it runs must not move the other.
    with st.container(key="leak_part"):
        show_part(config, "Measure the leak", "measure_leak")
        offer_pair(data_set, "leak_twins")
    st.markdown(
        "**Is it really the patients?** The negative control gives every patient a class at random"
        " and measures again: nobody can learn classes that do not exist."
    )
    with st.container(key="control_part"):
        show_part(replace(config, control=True), "Run the negative control", "measure_control")


def choose_look() -> Look | None:
    """Draw what makes the frozen features, where there is a choice; None where it is no encoder."""
    chosen = DEFAULT
    if encoders_here() != [DEFAULT]:
        chosen = choose_from_here(ENCODER_KEY, "What turns each picture into features.")
    if chosen == DEFAULT:
        return USUAL_LOOK._replace(weights=choose_values_file("leak_weights") or "imagenet")
    if chosen == OWN_FILE:
        chosen = choose_own(ENCODER_KEY)
    else:
        show_terms(chosen)
    try:
        describe(chosen)
    except LymphError as error:
        show_error(error)
        return None
    return USUAL_LOOK._replace(encoder=chosen)


def show_on_slide(data_set: DataSet) -> None:
    """Draw the meter as it was last set: its button or how far it is, its sentence and bars."""
    features = st.session_state.get("leak_features", next(iter(FEATURES)))
    encoder = chosen_before(ENCODER_KEY) if features == "imagenet" else DEFAULT
    config = MeterConfig(loading.found(data_set).source, features, encoder=encoder)
    st.write(METER_TOLD)
    show_part(config, "Measure the leak", "measure_leak")
    offer_pair(data_set, "leak_twins")


def show_part(config: MeterConfig, label: str, key: str) -> None:
    """Draw the button of a measurement, or how far it has come, and what was measured last."""
    measurement = leak.latest_measurement(
        config.source, config.features, config.control, config.encoder
    )
    if measurement is not None and not measurement.status().over:
        follow(measurement)
        return
    if st.button(label, key=key):
        with told():
            jobs.start_measurement(who(), config)
            st.rerun()
    if measurement is not None:
        show_measured(measurement, config)


@st.fragment(run_every=1.0)
def follow(measurement: Measurement) -> None:
    """Show how far a measurement has come; at its end the whole page runs once more."""
    status = measurement.status()
    if status.over:
        st.rerun()
    done = status.epoch / max(1, status.epochs)
    what = "control" if measurement.config.control else "leak"
    with st.container(key=f"{what}_progress"):
        st.progress(done, progress_words(measurement))
        if starter := starter_of(measurement.path):
            st.caption(plain(starter))
        if is_own(measurement.path):
            st.button("Stop", on_click=stop, args=(measurement,), key=f"stop_{what}")


def stop(measurement: Measurement) -> None:
    """Stop a measurement, or say why it cannot be stopped."""
    try:
        jobs.change_job(who(), measurement.path, leak.stop_measurement, measurement)
    except LymphError as error:
        st.toast(plain(str(error)))


def progress_words(measurement: Measurement) -> str:
    """Say what a measurement waits for, or how far it has come."""
    job, status = job_of(measurement.path), measurement.status()
    if status.state == "queued":
        return waiting_words(measurement.path)
    if not status.epoch:
        return f"Measuring: reading pictures, {100 * status.share:.0f} %"
    left = time_left(job.seconds_left() if job else None)
    return f"Measuring: round {status.epoch} of {status.epochs}{left}"


def show_measured(measurement: Measurement, config: MeterConfig) -> None:
    """Draw the last measurement: its sentence, its bars, and how it was made."""
    status, result = measurement.status(), measurement.result()
    if status.error:
        st.error(plain(status.error))
    if result is None:
        return
    what = "control" if config.control else "leak"
    words = leak.control_words if config.control else leak.words
    with st.container(key=f"{what}_result"):
        told = plain(words(result, config.features, config.encoder))
        st.markdown(f"**{told}**")
        st.plotly_chart(leak_bars(result), key=f"{what}_bars", config={"displayModeBar": False})
        if result.get("old"):
            st.caption(
                "Measured by an earlier version of lymph, whose interval was too narrow and is not"
                " shown. Measure again for one that holds."
            )
        st.caption(control_caption(result) if config.control else leak_caption(result, config))
        if starter := starter_of(measurement.path):
            st.caption(plain(starter))
        if not config.control:
            show_neighbours(result, config.title)


def leak_caption(result: dict[str, Any], config: MeterConfig) -> str:
    """Tell how the leak was measured."""
    whisker = (
        ""
        if result.get("old")
        else f", the whisker the 95 % interval over {result['patients']} patients, which"
        " allows for folds that share training patients"
    )
    rates = (result["picture"][f"same_patient_rate{end}"] for end in ("", "_by_chance"))
    same, chance = map(whole_percent, rates)
    return (
        f"The same {'network' if config.features == 'cnn' else 'linear classifier'} twice,"
        f" {result['folds']} folds, {result['seeds']} seeds: a dot is one seed{whisker}."
        f" The picture nearest to a test picture in training is of the same patient in"
        f" {same} of cases under the random split (by chance: {chance}) and in none when patients"
        " are kept apart."
    )


def control_caption(result: dict[str, Any]) -> str:
    """Tell how the control was measured."""
    return (
        f"The same measurement, {result['folds']} folds, on {result['seeds']} random draws of the"
        " patients' classes: a dot is one draw, the whisker the 95 % interval over"
        f" {result['patients']} patients in the middle one. Each class keeps its number of"
        " patients."
    )
