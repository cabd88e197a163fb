"""Who stands where: a tile a patient, moved by a click where the split is made by hand."""

from typing import Any

import pandas as pd
import streamlit as st

from lymph.charts import SET_TITLES, breakable, ink_on
from lymph.data.sources import DataSet
from lymph.splits import Split
from lymph.text import counted
from pages.shared import state
from pages.shared.frame import escape, plain
from pages.shared.state import SplitSettings
from pages.shared.strips import page_of_patients, patient_rows

SETS_TOLD = {
    "test": "the model never sees these patients; its quality is judged on them",
    "val": "choose the best epoch; the model does not learn from them",
    "train": "the model learns from these",
}
ORDER = ("test", "val", "train")
MOST_TILES = 300

STYLES = """
<style>
.lymph-tiles {display:flex; flex-wrap:wrap; gap:4px; margin:.2rem 0 .7rem;}
.lymph-tile {flex:0 1 auto; padding:.25rem .4rem; border-radius:4px; background:var(--edge);
  color:var(--ink); font-size:.82rem; line-height:1.25; text-align:center; font-weight:600;
  max-width:100%; box-sizing:border-box; overflow-wrap:anywhere;
  min-width:calc(1.6rem + var(--size) * .34rem);}
.lymph-tile small {display:block; font-weight:400;}
[class*="st-key-hand_tile_"] button {min-height:2.6rem; padding:.2rem .55rem;}
</style>
"""


def people_of(table: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Return one row a patient: patient, label, set, pictures; class by class."""
    rows = table.assign(set=split.assign(table))
    people = rows.groupby(["set", "label", "patient"]).size().rename("pictures").reset_index()
    return people.sort_values(["label", "pictures", "patient"], ascending=[True, False, True])


def tests_patients_alone(split: Split) -> bool:
    """Tell whether every fold tests a single patient."""
    return split.by == "patient" and all(len(fold) == 1 for fold in split.folds or [[]])


def show_tiles(table: pd.DataFrame, split: Split, colours: dict[str, str]) -> None:
    """Draw every patient as a tile in its set: class by colour and word, pictures by width."""
    people = people_of(table, split)
    if len(people) > MOST_TILES:
        st.caption(f"{len(people)} patients are too many to draw each as a tile.")
        return
    if tests_patients_alone(split):
        body = _one_set("Each of them alone", people, colours)
    else:
        names = ORDER if split.folds is None else split.names()
        body = "".join(
            _one_set(
                SET_TITLES.get(name, name.capitalize()), people[people["set"] == name], colours
            )
            for name in names
        )
    st.html(STYLES + body)


def _one_set(title: str, people: pd.DataFrame, colours: dict[str, str]) -> str:
    if people.empty:
        return ""
    tiles = "".join(_tile(row, colours[str(row.label)]) for row in people.itertuples())
    told = f"{counted(len(people), 'patient')}, {counted(int(people['pictures'].sum()), 'picture')}"
    return f'<div><b>{title}</b> <small>{told}</small></div><div class="lymph-tiles">{tiles}</div>'


def _tile(row: Any, colour: str) -> str:
    return (
        f'<span class="lymph-tile" style="--edge:{colour};'
        f'--ink:{ink_on(colour)};--size:{min(40, row.pictures):d}"'
        f' title="{escape(row.label)}, patient {escape(row.patient)}">{breakable(row.label)}'
        f" {escape(row.patient)}<small>{counted(row.pictures, 'picture')}</small></span>"
    )


def move_by_hand(
    data_set: DataSet,
    table: pd.DataFrame,
    split: Split,
    settings: SplitSettings,
    colours: dict[str, str],
) -> None:
    """Draw every patient as a button in its set; a click moves it to the set that is chosen."""
    st.subheader("Move patients with a click", anchor=False)
    people = people_of(table, split)
    if len(people) > MOST_TILES:
        st.warning(
            "There are too many patients to move by hand; change a downloaded table instead."
        )
        return
    to = st.segmented_control(
        "A click moves a patient to",
        ORDER,
        default="test",
        format_func=SET_TITLES.__getitem__,
        required=True,
        key="hand_to",
    )
    st.html(STYLES + _button_styles(people, colours))
    for name in ORDER:
        own = people[people["set"] == name]
        st.markdown(f"**{SET_TITLES[name]}**: {counted(len(own), 'patient')}")
        with st.container(horizontal=True, gap="xsmall", key=f"hand_{name}"):
            for row in own.itertuples():
                st.button(
                    f"{plain(row.label)} {plain(row.patient)} ({row.pictures})",
                    key=f"hand_tile_{row.Index}",
                    disabled=name == to,
                    on_click=move,
                    args=(data_set, settings, row.patient, to),
                )
    if settings.moves:
        st.button(
            "Undo all moves", on_click=undo_moves, args=(data_set, settings), key="undo_moves"
        )


def _button_styles(people: pd.DataFrame, colours: dict[str, str]) -> str:
    rules = "".join(
        f".st-key-hand_tile_{place} button {{border-left:8px solid {colours[label]};}}"
        for place, label in zip(people.index, people["label"], strict=True)
    )
    return f"<style>{rules}</style>"


def move(data_set: DataSet, settings: SplitSettings, patient: str, to: str) -> None:
    """Keep that a patient goes to a set; a later move of the same patient takes its place."""
    moves = (*(pair for pair in settings.moves if pair[0] != patient), (patient, to))
    state.keep_split_settings(data_set, settings._replace(moves=moves))


def undo_moves(data_set: DataSet, settings: SplitSettings) -> None:
    state.keep_split_settings(data_set, settings._replace(moves=()))


def show_patients(
    data_set: DataSet, table: pd.DataFrame, split: Split, colours: dict[str, str]
) -> None:
    """Draw the pictures, one row a patient: set by set, or marked where sets share patients."""
    rows = table.assign(set=split.assign(table))
    if split.by == "picture" or split.folds is not None:
        st.subheader("Every patient, one row", anchor=False)
        if split.by == "picture":
            st.html(
                '<div class="lymph-caption">no border: train · dashed violet, V: validation · pink,'
                " T: test</div>"
            )
        own = page_of_patients(rows, "split_page_all")
        st.html(patient_rows(data_set, own, colours, marked=split.by == "picture"))
        return
    for name in ORDER:
        part = rows[rows["set"] == name]
        if len(part):
            people = part["patient"].nunique()
            st.subheader(f"{SET_TITLES[name]}: {counted(people, 'patient')}", anchor=False)
            st.caption(SETS_TOLD[name])
            own = page_of_patients(part, f"split_page_{name}")
            st.html(patient_rows(data_set, own, colours))
