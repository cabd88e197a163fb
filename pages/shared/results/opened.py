"""One judged picture, opened: its answer and the reasons over it, and the way to the next one."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lymph.charts import percent, probability_bars
from lymph.errors import LymphError
from lymph.evaluation import apply_temperature
from lymph.facts import class_colours
from lymph.runs import Run
from lymph.text import counted
from pages.shared import loading
from pages.shared.frame import escape, plain, show_error
from pages.shared.judging import confidence_of
from pages.shared.pictures.explaining import show_explanation
from pages.shared.pictures.galleries import PER_PAGE, Item, badge, gallery, short_name
from pages.shared.pictures.stepping import choose_place

SIBLINGS = 40
PLACE = "opened_place"


def item_of(row: Mapping[Any, Any]) -> Item:
    """Return a gallery's item of a prediction row."""
    probability = percent(row[f"p_{row['predicted']}"])
    mark = "✓" if row["label"] == row["predicted"] else "✗"
    note = f"{mark} is {row['label']}, called {row['predicted']} ({probability})"
    return Item(row["picture"], row["label"], f"{note}, patient {row['patient']}")


def show_judged(
    run: Run, chosen: pd.DataFrame, around: pd.DataFrame, key: str, per_page: int = PER_PAGE
) -> None:
    """Draw prediction rows as a gallery; each picture opens with what is known of it.

    ``around`` holds all rows of the set, for the patient's other pictures.
    """
    chosen = chosen.reset_index(drop=True)
    columns = {name: chosen[name].to_numpy() for name in chosen.columns}
    items = [Item(*row) for row in zip(columns["picture"], columns["label"], strict=True)]
    places = {item.picture: place for place, item in enumerate(items)}

    def note_on(item: Item) -> str:
        place = places[item.picture]
        return item_of({name: values[place] for name, values in columns.items()}).note

    gallery(
        Path(run.config.data),
        items,
        class_colours(run.classes),
        key,
        per_page,
        describe=note_on,
        on_open=lambda item: open_judged(run, chosen, places[item.picture], around),
    )


def open_judged(run: Run, rows: pd.DataFrame, place: int, around: pd.DataFrame) -> None:
    """Open the viewer on one of the rows; the others are before and after it."""
    st.session_state[PLACE] = place
    view(run, rows, around)


@st.dialog("Picture", width="large")
def view(run: Run, rows: pd.DataFrame, around: pd.DataFrame) -> None:
    """Show a picture large with the model's answer, the reasons and the patient's others."""
    place = choose_place(PLACE, len(rows), "opened")
    row = rows.iloc[place]
    picture = row["picture"]
    st.text(f"{place + 1} of {len(rows)}: {picture}, patient {row['patient']}, {row['set']} set")
    try:
        pixels = loading.full_picture(run.config.data, picture)
    except LymphError as error:
        show_error(error)
        return
    answer = partial(show_answer, run, row)
    show_explanation(run, short_name(picture), pixels, row["predicted"], "opened_why", answer)
    show_siblings(run, row, around)


def show_answer(run: Run, row: pd.Series) -> None:
    """Say what the model says of a picture, and what it is."""
    colours = class_colours(run.classes)
    verdict = "correct" if row["label"] == row["predicted"] else "wrong"
    st.html(
        f"{badge(row['label'], colours[row['label']])} called"
        f" {badge(row['predicted'], colours[row['predicted']])}: {verdict}"
    )
    confidence = confidence_of(run)
    softened = apply_temperature(pd.DataFrame([row]), confidence.temperature).iloc[0]
    probabilities = {name: float(softened[f"p_{name}"]) for name in run.classes}
    figure = probability_bars(probabilities, colours)
    told = ", ".join(f"{name} {percent(share)}" for name, share in probabilities.items())
    st.plotly_chart(
        figure, key="opened_bars", config={"displayModeBar": False}, alt=f"Probabilities: {told}"
    )
    if not confidence.stated:
        st.caption(plain(confidence.words))


def show_siblings(run: Run, row: pd.Series, around: pd.DataFrame) -> None:
    """Draw the patient's other pictures, each with what the model says of it."""
    own = around[(around["patient"] == row["patient"]) & (around["picture"] != row["picture"])]
    if own.empty:
        st.caption("The set has no other picture of this patient.")
        return
    right = int((own["label"] == own["predicted"]).sum())
    st.markdown(
        f"**{counted(len(own), 'other picture')} of patient {plain(row['patient'])}**,"
        f" {right} classified correctly"
    )
    shown, colours = own.head(SIBLINGS), class_colours(run.classes)
    addresses = loading.thumbnails(Path(run.config.data), list(shown["picture"]), height=96)
    figures = [
        f'<figure class="lymph-sibling"><img src="{address}"'
        f' alt="{escape(short_name(picture))}" title="{escape(short_name(picture))}">'
        f"{badge(('✓ ' if predicted == label else '✗ ') + predicted, colours[predicted])}</figure>"
        for address, picture, label, predicted in zip(
            addresses, shown["picture"], shown["label"], shown["predicted"], strict=True
        )
    ]
    st.html(f'<div class="lymph-line">{"".join(figures)}</div>')
