"""The pages, their addresses, and the way to them."""

from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

FILES = {
    "data": "pages/data.py",
    "split": "pages/split.py",
    "train": "pages/train.py",
    "results": "pages/results.py",
    "runs": "pages/runs.py",
    "classify": "pages/classify.py",
    "lessons": "pages/lessons.py",
}
TITLES = {
    "data": ("Data", "🖼️"),
    "split": ("Split", "✂️"),
    "train": ("Train", "📈"),
    "results": ("Results", "🎯"),
    "runs": ("Runs", "🗂️"),
    "classify": ("Classify", "🔍"),
    "lessons": ("Lessons", "💡"),
}
# The way from data to an answer; the other pages lie beside it.
STEPS = ("data", "split", "train", "results", "classify")
# The data set in the address and in the session.
DATA_KEY = "data"
# Set by app.py at the start of every run, taken away by the page that runs in it.
STARTED_KEY = "app_started"


def choose_page() -> StreamlitPage:
    """Set up the navigation and return the page that the address asks for."""
    st.session_state[STARTED_KEY] = True
    rooms = [
        st.Page(FILES[path], title=title, icon=icon, url_path=path)
        for path, (title, icon) in TITLES.items()
    ]

    def home() -> NoReturn:
        """Lead from the bare address to the data, which have an address of their own."""
        asked = {name: st.query_params.get_all(name) for name in st.query_params}
        # The sidebar's chooser, drawn by now, holds the data set and writes it there itself.
        asked.pop(DATA_KEY, None)
        st.switch_page(rooms[0], query_params=asked)

    return st.navigation([st.Page(home, title="lymph", default=True, visibility="hidden"), *rooms])


def go_to(step: str) -> NoReturn:
    """Switch to a page; what stands in the address of widgets that stay there is kept.

    Without ``query_params`` Streamlit clears the address, and raises where a widget is bound to it:
    the linter lets nobody else call ``st.switch_page``.
    """
    st.switch_page(FILES[step], query_params={})


def ensure_app() -> None:
    """Bring a page that Streamlit ran without ``app.py`` back into the app.

    The first session of a server takes a folder ``pages/`` for Streamlit's old page mode until
    ``st.navigation`` has been called once: a deep link then runs the page's file alone, or, where
    the file is named otherwise than its address, says "Page not found".
    """
    if not st.session_state.pop(STARTED_KEY, False):
        choose_page()
        del st.session_state[STARTED_KEY]
        st.rerun()
