"""What is chosen on the Results page, one thing for every part of it; it is in the address."""

from typing import NamedTuple

import pandas as pd
import streamlit as st

from lymph.evaluation import Selection
from pages.shared.navigation import put_in_address

OF = "of"
CHOSEN_KEY = "chosen_pictures"
# Letters of the names of pictures that an address can take along.
LONGEST = 4_000


class Chosen(NamedTuple):
    """What is chosen now, and the pictures that it means in the set that is shown."""

    selection: Selection | None
    rows: pd.DataFrame

    @property
    def pictures(self) -> frozenset[str]:
        """Return the names of the pictures; none where nothing is chosen."""
        return frozenset(self.rows["picture"])


def current() -> Selection | None:
    """Return the choice: from the address, else the one made last in this session."""
    chosen = in_address() or st.session_state.get(CHOSEN_KEY)
    if chosen is None or not chosen.sound:
        return None
    keep(chosen)
    return chosen


def in_address() -> Selection | None:
    """Return the choice that a link brought."""
    # A parameter is named as its kind of choice.
    for kind in ("cell", "patient", "picture", "sure"):
        if values := tuple(st.query_params.get_all(kind)):
            return Selection(kind, values, st.query_params.get(OF, ""))
    return None


def keep(chosen: Selection | None) -> None:
    """Keep a choice in the address and in the session; None takes it off."""
    st.session_state[CHOSEN_KEY] = chosen
    linked = chosen if chosen is not None and fits_address(chosen) else None
    for kind in ("cell", "patient", "picture", "sure"):
        put_in_address(kind, list(linked.values) if linked and linked.kind == kind else [])
    put_in_address(OF, [linked.run] if linked and linked.run else [])


def fits_address(chosen: Selection) -> bool:
    """Tell whether a link can hold a choice: not that of a box around a thousand points."""
    return sum(map(len, chosen.values)) <= LONGEST


def toggle(chosen: Selection) -> None:
    """Choose, or take the choice off when it is made a second time."""
    keep(None if chosen == current() else chosen)
