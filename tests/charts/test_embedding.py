"""The map holds every picture once, in its group's colour and mark."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lymph.charts import COLOURINGS, embedding_chart
from lymph.facts import class_colours


@pytest.mark.parametrize("by", COLOURINGS)
def test_every_picture_is_a_point_of_its_group(
    random_table: Callable[..., pd.DataFrame], by: str
) -> None:
    """Places, pictures and groups belong together, whatever the colouring."""
    table = random_table(60, 12)
    places = np.random.default_rng(0).normal(size=(60, 2))
    figure = embedding_chart(table, places, by, class_colours(["CLL", "FL", "MCL"]))
    where = dict(zip(table["picture"], map(tuple, places), strict=True))
    found = {
        data[0]: (x, y)
        for trace in figure.data
        for data, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    assert found == where
    groups = {"class": 3, "patient": 12, "set": 1, "right or wrong": 2}
    assert len(figure.data) == groups[by]
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == len(figure.data)


def test_classes_keep_their_colours(random_table: Callable[..., pd.DataFrame]) -> None:
    """The same class has the same colour as everywhere."""
    colours = class_colours(["CLL", "FL", "MCL"])
    figure = embedding_chart(random_table(), np.zeros((200, 2)), "class", colours)
    assert {trace.name: trace.marker.color for trace in figure.data} == colours


def test_the_map_has_titles_and_no_lines_that_mean_nothing(
    random_table: Callable[..., pd.DataFrame],
) -> None:
    """A grid without values looked like a scale."""
    table = random_table(60, 12)
    for method in ("pca", "tsne"):
        figure = embedding_chart(table, np.zeros((60, 2)), "patient", {}, method)
        for axis in (figure.layout.xaxis, figure.layout.yaxis):
            assert axis.title.text.endswith("(no unit)")
            assert not axis.showgrid and not axis.zeroline and not axis.showticklabels


def test_chosen_pictures_stay_strong_and_the_others_fade(
    random_table: Callable[..., pd.DataFrame],
) -> None:
    table = random_table(60, 12)
    chosen = set(table["picture"][:5])
    colours = class_colours(["CLL", "FL", "MCL"])
    figure = embedding_chart(table, np.zeros((60, 2)), "class", colours, chosen=chosen)
    strong = {
        data[0]
        for trace in figure.data
        for data, opacity in zip(trace.customdata, trace.marker.opacity, strict=True)
        if opacity > 0.5
    }
    assert strong == chosen
