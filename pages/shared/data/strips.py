"""One row of thumbnails a patient: the eye sees each slide's own colour at once."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lymph.charts import SET_TITLES
from lymph.data.ahead import LINE_HEIGHT
from lymph.data.sources import DataSet
from lymph.text import counted
from pages.shared import loading
from pages.shared.frame import escape
from pages.shared.pictures.galleries import badge, short_name

PATIENTS_A_PAGE = 40
PICTURES_A_ROW = 60

LARGE = Path(__file__).with_name("strips.css")


def page_of_patients(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the rows of the patients on the page chosen; few patients need no choice."""
    people = rows[["label", "patient"]].drop_duplicates()
    pages = -(-len(people) // PATIENTS_A_PAGE)
    if pages <= 1:
        return rows.reset_index(drop=True)
    page = min(st.pagination(pages, key=key), pages)
    ordered = people.sort_values(["label", "patient"])
    shown = ordered.iloc[(page - 1) * PATIENTS_A_PAGE : page * PATIENTS_A_PAGE]
    return rows.merge(shown, on=["label", "patient"])


def patient_rows(
    data_set: DataSet, rows: pd.DataFrame, colours: dict[str, str], marked: bool = False
) -> str:
    """Return one line of thumbnails a patient, as HTML, put together once for all visitors.

    Parameters
    ----------
    rows : DataFrame
        Rows of the picture table; with ``marked`` a column ``set`` tells the border of each.
    """
    rows = rows[["picture", "label", "patient", *(["set"] if marked else [])]]
    key = (str(data_set.path), loading.hash_of(rows), tuple(colours.items()), marked)
    with st.container():  # a bar that comes and goes must not move what lies below
        known_by = loading.make_thumbnails_once(
            data_set.path, key, lambda: list(_first_of_each(rows)["picture"]), LINE_HEIGHT
        )
    return _patient_rows(data_set.path, rows, colours, (*key, known_by))


def _first_of_each(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the pictures that a patient's line has room for."""
    places = rows.groupby(["label", "patient"]).cumcount()
    return rows[places < PICTURES_A_ROW].reset_index(drop=True)


@st.cache_data(show_spinner=False, max_entries=64)
def _patient_rows(_root: Path, _rows: pd.DataFrame, _colours: dict[str, str], key: tuple) -> str:
    marked = key[3]
    shown = _first_of_each(_rows)
    addresses = loading.inline_thumbnails(_root, list(shown["picture"]), LINE_HEIGHT)
    shown = shown.assign(address=addresses)
    whole = _rows.groupby(["label", "patient"]).size()
    lines = []
    for (label, patient), own in shown.groupby(["label", "patient"]):
        thumbs = "".join(thumb(row, marked) for row in own.itertuples())
        count = int(whole[(label, patient)])
        more = f"<small>and {count - len(own)} more</small>" if count > len(own) else ""
        lines.append(
            f'<div class="lymph-patient"><div class="who">{badge(label, _colours[label])}'
            f" <b>{escape(patient)}</b> <small>{counted(count, 'picture')}</small></div>"
            f'<div class="lymph-line">{thumbs}{more}</div></div>'
        )
    return "".join(lines)


def thumb(row: Any, marked: bool) -> str:
    """Return one thumbnail, as HTML."""
    name = short_name(row.picture)
    home = row.set if marked else ""
    letter = {"val": "<b>V</b>", "test": "<b>T</b>"}.get(home, "")
    title = f"{name}, {SET_TITLES.get(home, home)}" if home else name
    return (
        f'<span class="lymph-thumb {escape(home)}" title="{escape(title)}">'
        f'<img src="{row.address}" alt="{escape(title)}">{letter}</span>'
    )


def show_strips(data_set: DataSet, table: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draw all patients of a table, class by class, in pages of forty."""
    show_rows(data_set, page_of_patients(table, "strips_page"), colours)


def show_rows(data_set: DataSet, rows: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draw the patients of some rows of a table, large."""
    st.html(LARGE)
    st.html(f'<div class="lymph-large">{patient_rows(data_set, rows, colours)}</div>')
