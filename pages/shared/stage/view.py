"""The stage: what goes away, the line of header, and the keys."""

from pathlib import Path

import streamlit as st

from pages.shared import state
from pages.shared.beside import text_beside
from pages.shared.frame import SYNTHETIC_NOTICE, escape
from pages.shared.navigation import STAGE_KEY, on_stage, put_in_address

HOME = Path(__file__).parent
PAGE_STYLES, SLIDE_STYLES = HOME / "stage.css", HOME / "slide.css"
DECK_STYLES = HOME / "deck.css"

_mount = st.components.v2.component(
    "lymph.keys",
    html="<span hidden></span>",
    js=text_beside(__file__, "keys.js"),
)


def offer_stage() -> None:
    """Draw the button that brings a page onto the stage."""
    st.button(
        "Show on the projector",
        on_click=put_in_address,
        args=(STAGE_KEY, ["1"]),
        key="stage_enter",
        icon=":material/present_to_all:",
        help="Large type and no sidebar. Escape leads back.",
    )


def leave_stage() -> None:
    """Show the page as it is on one's own screen."""
    put_in_address(STAGE_KEY, [])


def show_header(name: str) -> None:
    """Draw the line of header that every page has on stage: its name, the data set, the way out."""
    st.html(PAGE_STYLES)
    data_set = state.current_data_set()
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key="stage_header",
    ):
        shown = escape(data_set.name) if data_set else "no pictures yet"
        notice = SYNTHETIC_NOTICE if data_set and data_set.synthetic else ""
        st.html(
            f'<div class="lymph-stage-name"><b>{escape(name)}</b><span>{shown}</span>'
            f"<small>{notice}</small></div>"
        )
        st.button("Leave (Esc)", on_click=leave_stage, key="stage_leave", type="tertiary")


def listen_for_keys() -> None:
    """Let keys and a presenter's clicker press the buttons of the page."""
    _mount(key="stage_keys", data={"stage": on_stage()})


def use_slide() -> None:
    """Make the page a slide of 16:9 that fits the screen and never scrolls."""
    st.html(SLIDE_STYLES)


def use_deck() -> None:
    """Make the page a slide that shows a page's own figures, not a lesson's text."""
    use_slide()
    st.html(DECK_STYLES)
