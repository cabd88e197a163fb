"""From place to place by two buttons, by the arrow keys and by a clicker, each press once."""

import streamlit as st

from pages.shared.frame import escape


def mark_place(place: str, back: str, forward: str) -> None:
    """Tell ``stage/keys.js`` where one stands and which buttons lead back and on from there.

    Streamlit runs a button as it was drawn last, and takes two quick presses as one. With this
    mark, drawn after the buttons, the browser holds a press back until the one before it has led
    to another place.

    Parameters
    ----------
    place : str
        Different for each place that the buttons lead to.
    back, forward : str
        The keys of the two buttons.
    """
    st.html(
        f'<i class="lymph-place" data-place="{escape(place)}" data-turns="{back} {forward}"'
        " hidden></i>"
    )
