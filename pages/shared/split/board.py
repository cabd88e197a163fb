"""Who is where: every patient once, a tile with its strip of pictures in its set, to be moved."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lymph.charts import SET_TITLES, ink_on
from lymph.data.ahead import LINE_HEIGHT
from lymph.data.sources import DataSet
from lymph.data.strips import shown_of
from lymph.splits import Split
from lymph.text import counted, printable
from pages.shared import loading, state
from pages.shared.beside import text_beside
from pages.shared.data.strips import page_of_patients, patient_rows
from pages.shared.state import SplitSettings
from pages.shared.thumbs import strip_address

SETS_TOLD = {
    "train": "the model learns from these",
    "val": "they choose the best epoch",
    "test": "the model never sees these; it is judged on them",
}
MOST_TILES = 1_000
BOARD_KEY = "split_board"
MARKS = (
    '<div class="lymph-caption">no border: train · dashed violet, V: validation · pink,'
    " T: test</div>"
)


_mount = st.components.v2.component(
    "lymph.board",
    html=text_beside(__file__, "board.html"),
    css=text_beside(__file__, "board.css"),
    js=text_beside(__file__, "board.js"),
)


def is_movable(split: Split) -> bool:
    """Tell whether patients can be moved from set to set."""
    return split.by == "patient" and split.sets is not None


def tests_patients_alone(split: Split) -> bool:
    """Tell whether every fold tests a single patient."""
    return split.by == "patient" and all(len(fold) == 1 for fold in split.folds or [[]])


def show_board(
    data_set: DataSet,
    table: pd.DataFrame,
    split: Split,
    settings: SplitSettings,
    colours: dict[str, str],
) -> None:
    """Draw the patients in their sets or folds; where sets share patients, as marked rows."""
    rows = table.assign(set=split.assign(table))
    if split.by == "picture":
        with st.container(height=420, key="split_rows"):
            st.html(MARKS)
            own = page_of_patients(rows, "split_page_all")
            st.html(patient_rows(data_set, own, colours, marked=True))
        return
    people = people_of(rows)
    if len(people) > MOST_TILES:
        st.caption(
            f"{len(people)} patients are too many to draw each as a tile; change a downloaded table"
            " and load it under *Save and load* instead."
        )
        return
    data = board_of(data_set, people, split, colours)
    moved = partial(_take_move, data_set, table, split, settings)
    _mount(data=data, key=BOARD_KEY, on_moved_change=moved, width="stretch")


def people_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a patient: label, patient, set, pictures (their paths); class by class."""
    people = rows.groupby(["label", "patient", "set"], sort=True)["picture"].agg(list)
    return people.rename("pictures").reset_index()


def board_of(
    data_set: DataSet, people: pd.DataFrame, split: Split, colours: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the board draws, in plain values."""
    shown = [shown_of(pictures) for pictures in people["pictures"]]
    every = [picture for pictures in shown for picture in pictures]
    with st.container():  # a bar that comes and goes must not move what lies below
        known_by = loading.make_thumbnails(data_set.path, every, LINE_HEIGHT)
    version = str(hash(known_by))
    patients = [
        {
            "name": printable(patient),
            "label": printable(label),
            "told": counted(len(whole), "picture"),
            "edge": colours[label],
            "ink": ink_on(colours[label]),
            "strip": strip_address(data_set.path, pictures, version),
        }
        for patient, label, whole, pictures in zip(
            people["patient"], people["label"], people["pictures"], shown, strict=True
        )
    ]
    return {
        "movable": is_movable(split),
        "patients": patients,
        "groups": [_group(name, own, colours) for name, own in _groups(people, split)],
    }


def _groups(people: pd.DataFrame, split: Split) -> list[tuple[str, pd.DataFrame]]:
    if tests_patients_alone(split):
        return [("each", people)]
    return [(name, people[people["set"] == name]) for name in split.names()]


def _group(name: str, own: pd.DataFrame, colours: Mapping[str, str]) -> dict[str, Any]:
    short = {"each": "Each of them alone"}.get(name, SET_TITLES.get(name, name.capitalize()))
    pictures = int(own["pictures"].map(len).sum())
    held = own["label"].value_counts()
    told = "; ".join(filter(None, [counted(pictures, "picture"), SETS_TOLD.get(name)]))
    return {
        "name": name,
        "name_short": short,
        "title": f"{short}: {counted(len(own), 'patient')}",
        "told": told,
        "counts": [
            [printable(label), int(held.get(label, 0)), colour, ink_on(colour)]
            for label, colour in colours.items()
        ],
        "tiles": [int(n) for n in own.index],
    }


def _take_move(
    data_set: DataSet, table: pd.DataFrame, split: Split, settings: SplitSettings
) -> None:
    """Take the move that the board reports."""
    moved = st.session_state[BOARD_KEY].moved
    if not moved or not is_movable(split):
        return
    patient, to = str(moved[0]), str(moved[1])
    known = {printable(name): name for name in table["patient"]}
    if patient in known and to in (split.sets or {}):
        keep_by_hand(data_set, table, split.moved(known[patient], to), settings)


def keep_by_hand(
    data_set: DataSet, table: pd.DataFrame, split: Split, settings: SplitSettings
) -> None:
    """Keep a split as one made by hand: as what it changes in the split by patient."""
    base = settings._replace(by="patient", moves=(), name="")
    moves = split.moves_from(loading.make_split(data_set, table, base))
    state.keep_split_settings(data_set, base._replace(by="hand", moves=moves))
    st.session_state[f"split_by_{data_set.name}"] = "hand"


def undo_moves(data_set: DataSet, settings: SplitSettings) -> None:
    """Go back to the split that was moved by hand from."""
    state.keep_split_settings(data_set, settings._replace(moves=()))
