"""One judged picture, opened: its probabilities, the patient's other pictures, the reasons."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lymph.charts import percent, probability_bars
from lymph.errors import LymphError
from lymph.evaluation import apply_temperature
from lymph.facts import class_colours
from lymph.runs import Run
from lymph.text import counted
from pages.shared import loading
from pages.shared.explaining import show_explanation
from pages.shared.frame import escape, plain, show_error
from pages.shared.galleries import Item, badge, gallery, short_name
from pages.shared.judging import confidence_of

SIBLINGS = 40


def item_of(row: dict[str, Any]) -> Item:
    """Return a gallery's item of a prediction row."""
    probability = percent(row[f"p_{row['predicted']}"])
    mark = "✓" if row["label"] == row["predicted"] else "✗"
    note = f"{mark} is {row['label']}, called {row['predicted']} ({probability})"
    return Item(row["picture"], row["label"], f"{note}, patient {row['patient']}")


def show_judged(run: Run, chosen: pd.DataFrame, around: pd.DataFrame, key: str) -> None:
    """Draw prediction rows as a gallery; each picture opens with what is known of it.

    ``around`` holds all rows of the set, for the patient's other pictures.
    """
    root = Path(run.config.data)
    items = [Item(*row) for row in zip(chosen["picture"], chosen["label"], strict=True)]

    def full(item: Item) -> Item:
        return item_of(around[around["picture"] == item.picture].iloc[0].to_dict())

    gallery(
        root,
        items,
        class_colours(run.classes),
        key,
        describe=lambda item: full(item).note,
        on_open=lambda item: open_judged(run, around, item.picture),
    )


@st.dialog("Picture", width="large")
def open_judged(run: Run, around: pd.DataFrame, picture: str) -> None:
    """Show one picture at full size with the model's answer and the patient's other pictures."""
    row = around[around["picture"] == picture].iloc[0]
    try:
        pixels = loading.full_picture(run.config.data, picture)
    except LymphError as error:
        show_error(error)
        return
    left, right = st.columns([3, 2], gap="medium")
    left.image(pixels, width="stretch", alt=f"{row['label']}, {picture}")
    with right:
        show_answer(run, row)
    show_siblings(run, row, around)
    show_reasons(run, picture, pixels, row["predicted"])


def show_reasons(run: Run, picture: str, pixels: np.ndarray, predicted: str) -> None:
    """Draw why the model said so; a cross-validation keeps no one model that could be asked."""
    if run.split().folds is not None:
        st.caption("A cross-validation has one model a fold; train one split to see reasons.")
        return
    show_explanation(run, short_name(picture), pixels, predicted, "opened_why")


def show_answer(run: Run, row: pd.Series) -> None:
    """Say what the model says of a picture, and what it is."""
    colours = class_colours(run.classes)
    verdict = "right" if row["label"] == row["predicted"] else "wrong"
    st.html(
        f"{badge(row['label'], colours[row['label']])} called"
        f" {badge(row['predicted'], colours[row['predicted']])}: {verdict}"
    )
    confidence = confidence_of(run)
    softened = apply_temperature(pd.DataFrame([row]), confidence.temperature).iloc[0]
    probabilities = {name: float(softened[f"p_{name}"]) for name in run.classes}
    figure = probability_bars(probabilities, colours)
    st.plotly_chart(figure, key="opened_bars", config={"displayModeBar": False})
    if not confidence.stated:
        st.caption(plain(confidence.words))
    st.text(f"{row['picture']}, patient {row['patient']}, {row['set']} set")


def show_siblings(run: Run, row: pd.Series, around: pd.DataFrame) -> None:
    """Draw the patient's other pictures, each with what the model says of it."""
    own = around[(around["patient"] == row["patient"]) & (around["picture"] != row["picture"])]
    if own.empty:
        st.caption("The set has no other picture of this patient.")
        return
    right = int((own["label"] == own["predicted"]).sum())
    st.markdown(
        f"**{counted(len(own), 'other picture')} of patient {plain(row['patient'])}**,"
        f" {right} judged rightly"
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
