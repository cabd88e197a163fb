"""A run as it learns: the bar, the numbers, the curves and the validation pictures, in one view.

The view asks the server by itself (``pages.shared.train.route``), so the page's script runs again
only where something else on the page changes, and at the end.
"""

import streamlit as st

from lymph.charts import MATRIX_CSS
from lymph.runs import Run
from pages.shared.beside import text_beside
from pages.shared.navigation import go_to
from pages.shared.train.route import addresses
from pages.shared.train.standing import body_of, head_of
from pages.shared.training import RESULTS_KEY, remember_run

_mount = st.components.v2.component(
    "lymph.live",
    html=text_beside(__file__, "live.html"),
    css=MATRIX_CSS + text_beside(__file__, "live.css"),
    js=text_beside(__file__, "live.js"),
)


def show_live(run: Run) -> None:
    """Draw how a run stands and let the view follow it; at its end go on to the results.

    It goes on by itself where the visitor has seen the run end and has not scrolled, clicked or
    pressed a key since it began, after some seconds in which any of these still stops it.

    Raises
    ------
    LymphError
        When the run cannot be read.
    """
    dark = st.context.theme.type == "dark"
    head, body = head_of(run), body_of(run, dark=dark)
    data = {"run": run.id, "dark": dark, "head": head, "body": body, **addresses(run)}
    told = _mount(
        data=data, key="live", on_go_change=_nothing, on_chapter_change=_nothing, width="stretch"
    )
    if told.go:
        remember_run(RESULTS_KEY, run.id)
        go_to("results")


def _nothing() -> None:
    """Let a report of the view do no more than draw the page again."""
