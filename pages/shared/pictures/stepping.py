"""From picture to picture in a viewer, by buttons and by the arrow keys."""

import streamlit as st

from pages.shared.turning import mark_place


def choose_place(place_key: str, count: int, key: str) -> int:
    """Draw the buttons to the neighbours and return the place that is shown.

    Parameters
    ----------
    place_key : str
        Where the session keeps the place.
    count : int
        Of pictures; 1 or more.
    key : str
        Beginning of the buttons' keys.
    """
    place = min(st.session_state.get(place_key, 0), count - 1)
    with st.container(horizontal=True, key=f"{key}_stepping"):
        for name, step, shortcut in (("previous", -1, "Left"), ("next", 1, "Right")):
            st.button(
                name.capitalize(),
                key=f"{key}_{name}",
                on_click=_step,
                args=(place_key, place + step),
                disabled=not 0 <= place + step < count,
                shortcut=shortcut,
            )
        mark_place(f"{place:d} of {count:d}", f"{key}_previous", f"{key}_next")
    return place


def _step(place_key: str, place: int) -> None:
    st.session_state[place_key] = place
