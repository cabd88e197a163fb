"""The leak meter on the Split page: started by a click, followed, and told in words."""

import streamlit as st

from lymph import leak
from lymph.charts import leak_bars
from lymph.data.sources import DataSet
from lymph.leak import FEATURES, Measurement, MeterConfig
from pages.shared import loading
from pages.shared.frame import plain
from pages.shared.loading import time_left

TOLD = {
    "colour": "18 numbers on the colours of a picture, nothing of shapes: seconds",
    "imagenet": "what a network trained on everyday pictures sees: minutes",
    "cnn": "a network that learns these pictures from nothing, thirty times: minutes",
}


def show_meter(data_set: DataSet) -> None:
    """Draw the meter: what to look at, the button, and what was measured last."""
    st.subheader("How much would a random split flatter?", anchor=False)
    features = st.radio(
        "What the quick model looks at",
        list(FEATURES),
        format_func=lambda name: FEATURES[name][0].upper() + FEATURES[name][1:],
        captions=list(TOLD.values()),
        key="leak_features",
        horizontal=True,
        persist_state="session",
    )
    weights = "imagenet"
    if features == "imagenet":
        weights = st.text_input(
            "File with ResNet-50's values; empty: fetch torchvision's (98 MB)",
            key="leak_weights",
            persist_state="session",
        ).strip()
    source = loading.found(data_set).source
    measurement = leak.latest_measurement(source, features)
    going = measurement is not None and not measurement.status().over
    config = MeterConfig(source, features, weights or "imagenet")
    if not going and st.button("Measure the leak", key="measure_leak"):
        leak.start_measurement(config)
        st.rerun()
    if going:
        follow(measurement)
    elif measurement is not None:
        show_measured(measurement, features)


@st.fragment(run_every=1.0)
def follow(measurement: Measurement) -> None:
    """Show how far a measurement has come; at its end the whole page runs once more."""
    status = measurement.status()
    if status.over:
        st.rerun()
    done = status.epoch / max(1, status.epochs)
    elapsed = max(0.0, status.updated - status.queued)
    left = elapsed * (1 - done) / done if done > 0 else None
    reading = f"reading pictures, {100 * status.share:.0f} %" if not status.epoch else ""
    told = reading or f"round {status.epoch} of {status.epochs}{time_left(left)}"
    with st.container(key="leak_progress"):
        st.progress(done, f"Measuring: {told}")
        st.button("Stop", on_click=leak.stop_measurement, args=(measurement,), key="stop_leak")


def show_measured(measurement: Measurement, features: str) -> None:
    status, result = measurement.status(), measurement.result()
    if status.error:
        st.error(plain(status.error))
    if result is None:
        return
    with st.container(key="leak_result"):
        st.markdown(f"**{plain(leak.words(result, features))}**")
        st.plotly_chart(leak_bars(result), key="leak_bars", config={"displayModeBar": False})
        st.caption(
            f"The same {'network' if features == 'cnn' else 'linear classifier'} twice,"
            f" {result['folds']} folds, {result['seeds']} seeds: a dot is one seed, the whisker the"
            f" 95 % interval over {result['patients']} patients, somewhat too narrow because the"
            " models of the folds learn from overlapping patients."
            f" The picture nearest to a test picture in training is of the same patient in"
            f" {100 * result['picture']['kin']:.0f} % of cases under the random split (by chance:"
            f" {100 * result['picture']['kin_by_chance']:.0f} %) and in none when patients are kept"
            " apart."
        )
