"""The pictures of a choice, and what the choice is called."""

import streamlit as st

from lymph.errors import LymphError
from lymph.evaluation import RIGHT, Selection
from lymph.text import counted
from pages.shared.frame import plain
from pages.shared.judging import Judged, selected
from pages.shared.pictures.galleries import PER_PAGE
from pages.shared.results import choosing
from pages.shared.results.choosing import Chosen
from pages.shared.results.opened import show_judged


def chosen_in(judged: Judged, selection: Selection | None) -> Chosen:
    """Return the pictures of a choice; a link to what this run does not know chooses nothing."""
    rows = judged.pictures.iloc[:0]
    if selection is None:
        return Chosen(None, rows)
    try:
        return Chosen(selection, selected(judged, selection))
    except LymphError:
        return Chosen(None, rows)


def show_chosen(judged: Judged, chosen: Chosen, per_page: int = PER_PAGE) -> None:
    """Draw the pictures that are chosen."""
    if chosen.selection is None:
        return
    rows = chosen.rows
    with st.container(key="cell_pictures"):
        with st.container(horizontal=True, vertical_alignment="bottom", key="chosen_head"):
            people = counted(rows["patient"].nunique(), "patient")
            words = f"{chosen_words(judged, chosen)}: {counted(len(rows), 'picture')}, {people}"
            st.header(words, anchor=False)
            st.button("Choose nothing", on_click=choosing.keep, args=(None,), key="choose_nothing")
        if not choosing.fits_address(chosen.selection):
            st.caption("So many pictures do not fit into the page's address: a link forgets them.")
        if rows.empty:
            st.write("No picture is in this cell." if chosen.selection.cell else "No picture.")
            return
        show_judged(judged.run, rows, judged.pictures, "cell", per_page)


def chosen_words(judged: Judged, chosen: Chosen) -> str:
    """Say what is chosen, as Markdown."""
    selection, rows = chosen.selection, chosen.rows
    assert selection is not None, "only a choice has words"
    if selection.cell is not None:
        true, predicted = selection.cell
        return f"{plain(true)} {'correctly ' if true == predicted else ''}called {plain(predicted)}"
    if selection.kind == "cell":
        return "All correct" if selection.values == (RIGHT,) else "All wrong, worst mistakes first"
    if selection.kind == "patient":
        right = int((rows["label"] == rows["predicted"]).sum())
        return f"Patient {plain(selection.values[0])}, {right} classified correctly"
    if selection.bar is not None:
        low = int(selection.bar[0])
        said = "Classified correctly" if selection.bar[1] == RIGHT else "Misclassified"
        return f"{said} with a probability of {low:d} to {low + 10:d} %"
    return "Chosen in the map"
