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
