"""The Data page's first view: counts as bars, and the pictures behind them."""

from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lymph.charts import class_histogram, kinds_histogram, pictures_per_patient
from lymph.data.scan import classes_of
from lymph.data.sources import DataSet
from lymph.facts import CLASS_NAMES, class_colours
from lymph.text import counted
from pages.shared.charts import sized
from pages.shared.frame import plain
from pages.shared.loading import drawn, with_kinds
from pages.shared.pictures import viewer
from pages.shared.pictures.galleries import gallery
from pages.shared.pictures.rows import Rows

ALL = "All"
CLASS, PATIENT, SLIDE, KIND = "gallery_class", "gallery_patient", "gallery_slide", "gallery_kind"
COLUMNS = {CLASS: "label", PATIENT: "patient", SLIDE: "slide", KIND: "kind"}
BARS = {"patient": "Patient", "slide": "Slide"}
MOST_LETTERS = 20

Filters = dict[str, str]


def show_overview(data_set: DataSet, table: pd.DataFrame) -> None:
    """Draw the charts, the filters and the gallery; a click on a bar is a filter."""
    table = with_kinds(data_set, table)
    charts = st.container()
    st.header("The pictures", anchor=False)
    filters = choose_filters(table)
    colours = class_colours(classes_of(table))
    with charts:
        show_charts(table, colours, filters)
    chosen = table
    for key, value in filters.items():
        chosen = chosen[chosen[COLUMNS[key]] == value]
    tell_filters(chosen, table, filters)
    rows = Rows(chosen)
    gallery(
        data_set.path,
        rows,
        colours,
        key="gallery",
        on_open=lambda item: viewer.open_picture(data_set, rows, item),
    )


def show_counts(facts: dict[str, Any]) -> None:
    numbers = {
        "Pictures": facts["pictures"],
        "Patients": facts["patients"],
        "Classes": len(facts["classes"]),
        "Excluded": len(facts["problems"]),
    }
    with st.grid(4, min_column_width=130, key="data_numbers"):
        for label, value in numbers.items():
            st.metric(label, value)
    known = [f"**{name}** {CLASS_NAMES[name]}" for name in facts["classes"] if name in CLASS_NAMES]
    if known:
        st.caption(" · ".join(known))


def choose_filters(table: pd.DataFrame) -> Filters:
    """Draw the filters, which stand in the address, and return those that are set."""
    widths = [3, 2, 2, 3]
    classes = classes_of(table)
    # Many or long names take a row of their own, and wrap there.
    above = st.container() if sum(map(len, classes)) > MOST_LETTERS else None
    places = st.columns(widths if above is None else widths[1:], vertical_alignment="bottom")
    label = (above or places.pop(0)).segmented_control(
        "Class",
        [ALL, *classes],
        default=ALL,
        format_func=plain,  # the labels are Markdown
        required=True,
        key=CLASS,
        wrap=True,
        bind="query-params",
    )
    rest = table if label == ALL else table[table["label"] == label]
    chosen = {CLASS: label}
    with places[0]:
        chosen[PATIENT] = choose("Patient", rest["patient"], PATIENT)
    if table["slide"].nunique() > table["patient"].nunique():
        with places[1]:
            chosen[SLIDE] = choose("Slide", rest["slide"], SLIDE)
    if table["kind"].nunique() > 1:
        with places[2]:
            chosen[KIND] = choose("Size and kind", rest["kind"], KIND)
    return {key: value for key, value in chosen.items() if value != ALL}


def choose(title: str, values: pd.Series, key: str) -> str:
    options = [ALL, *sorted(values.unique())]
    return st.selectbox(title, options, key=key, bind="query-params")


def tell_filters(chosen: pd.DataFrame, table: pd.DataFrame, filters: Filters) -> None:
    if not filters:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        what = ", ".join(plain(value) for value in filters.values())
        st.markdown(f"{counted(len(chosen), 'picture')} of {len(table)}: {what}")
        st.button("Show all", on_click=clear_filters, key="clear_filters", type="tertiary")


def clear_filters() -> None:
    for key in COLUMNS:
        if key in st.session_state:
            st.session_state[key] = ALL


def pick(chart: str, keys: tuple[str, ...]) -> None:
    """Make the bar that was clicked the filter, or take the filter away where it was set."""
    points = st.session_state[chart]["selection"]["points"]
    if not points:
        return
    values = dict(zip(keys, points[0]["customdata"], strict=False))
    last = keys[-1]
    if st.session_state.get(last, ALL) == values[last]:
        values[last] = ALL
    for key, value in values.items():
        st.session_state[key] = value


def show_charts(table: pd.DataFrame, colours: dict[str, str], filters: Filters) -> None:
    show_bars(table, colours, filters)
    show_kinds(table, filters.get(KIND))


def show_bars(table: pd.DataFrame, colours: dict[str, str], filters: Filters) -> None:
    """Draw the pictures of each class and of each patient; a click on a bar is a filter."""
    left, right = st.columns([1, 3], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center"):  # level with its neighbour
            st.header("Pictures of each class", anchor=False)
        labels = table[["label"]]
        figure = drawn(class_histogram, labels, colours, filters.get(CLASS))
        draw(figure, "class_histogram", (CLASS,), "Bars: pictures of each class")
    with right:
        by = choose_bars(table)
        chosen = filters.get(PATIENT if by == "patient" else SLIDE)
        figure = drawn(pictures_per_patient, table[["label", by]], colours, chosen, by)
        keys = (CLASS, PATIENT) if by == "patient" else (CLASS, SLIDE)
        draw(figure, f"{by}_histogram", keys, f"Bars: pictures of each {by}, by class")


def choose_bars(table: pd.DataFrame) -> str:
    """Draw the title of the bars; where a patient has several slides, either can be a bar."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Pictures of each patient", anchor=False)
        if table["slide"].nunique() == table["patient"].nunique():
            return "patient"
        by = st.segmented_control(
            "A bar is",
            list(BARS),
            default="patient",
            format_func=BARS.__getitem__,
            required=True,
            key="bars_by",
            label_visibility="collapsed",
        )
    return by


def show_kinds(table: pd.DataFrame, chosen: str | None) -> None:
    kinds = table["kind"]
    same = f" Every picture is {plain(kinds.iloc[0])}." if kinds.nunique() == 1 else ""
    size = f"{table['bytes'].sum() / 1e6:,.0f} MB on disk."
    st.caption(f"Click a bar to see only its pictures. {size}{same}")
    if same:
        return
    with st.expander(f"Sizes and kinds of file ({kinds.nunique()})", key="kinds", expanded=True):
        words = "Bars: pictures of each size and kind of file"
        draw(kinds_histogram(kinds, chosen), "kinds_histogram", (KIND,), words)


def draw(figure: go.Figure, key: str, keys: tuple[str, ...], alt: str) -> None:
    st.plotly_chart(
        sized(figure, 360),
        key=key,
        on_select=partial(pick, key, keys),
        selection_mode="points",
        config={"displayModeBar": False},
        alt=alt,
    )
