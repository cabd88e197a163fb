"""The stain map: every picture a point, and the pictures behind the points that are chosen."""

import pandas as pd
import streamlit as st

from lymph.charts import stain_map
from lymph.charts.stain_charts import AXES as CHART_AXES
from lymph.data.measure import components
from lymph.data.neighbours import neighbour_sentence
from lymph.data.scan import classes_of
from lymph.data.sources import DataSet
from lymph.facts import class_colours
from lymph.text import counted
from pages.shared import loading
from pages.shared.charts import sized
from pages.shared.pictures import viewer
from pages.shared.pictures.galleries import gallery
from pages.shared.pictures.rows import Rows

AXES = {"stain": "Stains", "hue": "Hue and brightness", "components": "Colour statistics"}
TOLD = {
    "stain": "How much of each stain the tissue took up on average, in optical density.",
    "hue": "The picture's mean colour.",
    "components": "The two directions in which the colours of these pictures differ most.",
}
MEASURES = ("haematoxylin", "eosin", "two_stains", "hue", "brightness")
BY = {"label": "Class", "patient": "Patient"}


def show_stain_map(data_set: DataSet, table: pd.DataFrame) -> None:
    """Draw the map, its controls, and the pictures chosen in it."""
    left, right = st.columns(2)
    axes = left.segmented_control(
        "Axes",
        list(AXES),
        default="stain",
        format_func=AXES.__getitem__,
        required=True,
        key="stain_axes",
        bind="query-params",
    )
    by = right.segmented_control(
        "Colours",
        list(BY),
        default="patient",
        format_func=BY.__getitem__,
        required=True,
        key="stain_by",
        bind="query-params",
    )
    points = measured_points(data_set, table)
    colours = class_colours(classes_of(table))
    event = st.plotly_chart(
        sized(loading.drawn(stain_map, points, colours, axes, by), 300),
        key=f"stain_map_{axes}_{by}",
        on_select="rerun",
        config={"displaylogo": False, "modeBarButtonsToRemove": ["toImage"]},
        alt=f"Map of {len(points)} pictures by {AXES[axes].lower()}, coloured by {BY[by].lower()}",
    )
    (across, _), (up, _) = CHART_AXES[axes]
    known = not loading.found(data_set).source.caveat
    places, patients = points[[across, up]].to_numpy(), points["patient"].to_numpy(str)
    st.markdown(f"**{neighbour_sentence(places, patients, known)}**")
    how = stain_words(points["two_stains"]) if axes == "stain" else ""
    st.caption(f"{TOLD[axes]} {how}Click a point, or drag a box or a lasso, to see the pictures.")
    chosen = [point["customdata"][0] for point in event["selection"]["points"]]
    if chosen:
        show_chosen(data_set, table[table["picture"].isin(chosen)], colours)


def stain_words(estimated: pd.Series) -> str:
    """Say where the two stains' colours come from."""
    words = "The colours of the two stains are estimated in each picture (Macenko et al. 2009)"
    failed = int((~estimated.astype(bool)).sum())
    if not failed:
        return f"{words}. "
    return (
        f"{words}; where two stains cannot be told apart, as in {counted(failed, 'picture')} of"
        f" {len(estimated)}, they are the textbook's (Ruifrok and Johnston 2001). "
    )


def measured_points(data_set: DataSet, table: pd.DataFrame) -> pd.DataFrame:
    measured = loading.measures(data_set, table)
    first, second = components(measured).T
    points = table[["picture", "label", "patient"]].reset_index(drop=True)
    return points.assign(
        component_1=first,
        component_2=second,
        **{name: measured[name] for name in MEASURES},
    )


def show_chosen(data_set: DataSet, rows: pd.DataFrame, colours: dict[str, str]) -> None:
    people = counted(rows["patient"].nunique(), "patient")
    st.header(f"{counted(len(rows), 'picture')} chosen, of {people}", anchor=False)
    items = Rows(rows)
    gallery(
        data_set.path,
        items,
        colours,
        key="stain_gallery",
        on_open=lambda item: viewer.open_picture(data_set, items, item),
    )
