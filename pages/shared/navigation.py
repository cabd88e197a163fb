"""The pages, their addresses, and the way to them."""

from collections.abc import Mapping
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.visitor import data_sets

START = "pages/start.py"
FILES = {
    "data": "pages/data.py",
    "split": "pages/split.py",
    "train": "pages/train.py",
    "results": "pages/results.py",
    "runs": "pages/runs.py",
    "classify": "pages/classify.py",
    "lessons": "pages/lessons.py",
}
# Icons that Streamlit brings along: emoji are boxes on machines without a font for them. The tab's
# icon is set before them, or the browser would ask an outside server for one of these.
TITLES = {
    "data": ("Data", ":material/photo_library:"),
    "split": ("Split", ":material/call_split:"),
    "train": ("Train", ":material/show_chart:"),
    "results": ("Results", ":material/target:"),
    "runs": ("Runs", ":material/folder_open:"),
    "classify": ("Classify", ":material/search:"),
    "lessons": ("Lessons", ":material/lightbulb:"),
}
# What a phone opens to take part in a vote; no menu leads there.
VOTE, VOTE_FILE = "vote", "pages/vote.py"
# The way from data to an answer; the other pages lie beside it.
STEPS = ("data", "split", "train", "results", "classify")
# The data set in the address and in the session.
DATA_KEY = "data"
# In the address of a page that is shown on a projector.
STAGE_KEY = "stage"
# Set by app.py at the start of every run, taken away by the page that runs in it.
STARTED_KEY = "app_started"


def choose_page() -> StreamlitPage:
    """Set up the navigation and return the page that the address asks for."""
    st.session_state[STARTED_KEY] = True
    st.set_page_config(page_title="lymph", page_icon="🔬", layout="wide")
    rooms = [
        st.Page(FILES[path], title=title, icon=icon, url_path=path)
        for path, (title, icon) in TITLES.items()
    ]

    start = st.Page(START, title="Start", icon=":material/home:", default=True)
    vote = st.Page(VOTE_FILE, title="Vote", url_path=VOTE, visibility="hidden")
    return st.navigation([start, *rooms, vote])


def go_to(step: str) -> NoReturn:
    """Switch to a page; of the address the data set goes along, and whether it is on stage."""
    stage = {STAGE_KEY: "1"} if on_stage() else {}
    switch_page(FILES[step], {**data_in_address(), **stage})


def on_stage() -> bool:
    """Tell whether the page is shown on a projector."""
    return st.query_params.get(STAGE_KEY) == "1"


def data_in_address() -> dict[str, str]:
    """Return the data set as it stands in the address: the first one is left out there."""
    known, chosen = data_sets(), st.session_state.get(DATA_KEY)
    return {DATA_KEY: chosen} if chosen and known and chosen != known[0].name else {}


def put_in_address(name: str, values: list[str]) -> None:
    """Write a parameter, or take it away where there is no value, unless it is so already.

    Whatever changes the address on the way is a step that the browser's Back returns to.
    """
    if st.query_params.get_all(name) == values:
        return
    if values:
        st.query_params[name] = values
    else:
        st.query_params.pop(name, None)


def switch_page(file: str, query: Mapping[str, str | list[str]]) -> NoReturn:
    """Switch to a page with these parameters in its address.

    Streamlit lets nobody write or clear a parameter that a widget is bound to, and one that is
    gone for a moment stays gone in the browser's history: Back would lead to another data set. So
    the widgets let go of the address first; those of the new page take it up again.
    """
    context = get_script_run_ctx()
    assert context is not None, "a page is switched while a page runs"
    with context.session_state.query_params() as address:
        for name in query:
            if (binding := address.get_binding_for_param(name)) is not None:
                address.unbind_widget(binding.widget_id)
    st.switch_page(file, query_params=query)


def ensure_app() -> None:
    """Bring a page that Streamlit ran without ``app.py`` back into the app.

    Until ``st.navigation`` has been called once, or a server has said otherwise
    (:func:`pages.shared.server.ahead.spare_first_visit`), a folder ``pages/`` is taken for
    Streamlit's old page mode: a deep link then runs the page's file alone, or, where the file is
    named otherwise than its address, says "Page not found".
    """
    if not st.session_state.pop(STARTED_KEY, False):
        choose_page()
        del st.session_state[STARTED_KEY]
        st.rerun()
