"""The bars of what lies next to a picture: figures, intervals, chance, and strangers' names."""

import numpy as np
import pytest

from lymph.charts import neighbour_bars
from lymph.evaluation import robustness


def test_two_bars_an_encoder_hold_what_was_counted() -> None:
    """The second is of other patients only, with its interval and the share by chance."""
    rng = np.random.default_rng(0)
    labels, patients = np.repeat(["CLL", "FL"], 12), np.repeat([*"abcdef"], 4)
    found = robustness(rng.normal(size=(24, 3)), labels, patients).to_json()
    figure = neighbour_bars({"<b>&colon;": found, "Phikon": found})
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len(bars) == 10
    assert sum(bar.x[0] for bar in bars[:3]) == pytest.approx(1)
    assert bars[3].x[0] == found["apart"]
    assert [bar.name for bar in bars if bar.showlegend] == [
        "same patient",
        "same class, another patient",
        "another class",
    ]
    whisker, chance, *_ = (trace for trace in figure.data if trace.type == "scatter")
    low, high = found["apart_interval"]
    assert whisker.error_x.array[0] == pytest.approx(high - found["apart"])
    assert whisker.error_x.arrayminus[0] == pytest.approx(found["apart"] - low)
    assert chance.x[0] == found["apart_by_chance"]
    assert figure.layout.annotations[0].text.startswith("<b>&lt;b&gt;&amp;colon;")


def test_without_an_interval_there_is_no_whisker() -> None:
    """One of the patients alone would tell."""
    labels, patients = np.array(["CLL", "FL", "CLL", "FL"]), np.array([*"abab"])
    found = robustness(np.arange(4.0)[:, None], labels, patients).to_json()
    figure = neighbour_bars({"x": {**found, "apart_interval": None}})
    assert sum(trace.type == "scatter" for trace in figure.data) == 1
