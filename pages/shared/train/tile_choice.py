"""Does a linear probe see a picture whole, or in tiles at full resolution?"""

import streamlit as st

from pages.shared.frame import plain

WHOLE = 0
SIDES = (WHOLE, 224, 350)
TOLD = (
    "Each picture is cut into tiles of {side} x {side} pixels at full resolution; bare glass is"
    " left out. Its answer is the mean over its tiles; the Classify page maps them."
)


def choose_tiles() -> int | None:
    """Draw the choice; return the side of the tiles in pixels, or None for whole pictures."""
    side = st.segmented_control(
        "What it sees",
        SIDES,
        default=WHOLE,
        format_func=lambda side: f"Tiles of {side} pixels" if side else "Whole pictures",
        required=True,
        key="tiles",
        persist_state="session",
        help="On the 309 published pictures, with patients apart, tiles did no better than whole"
        " pictures, which are the default.",
    )
    if side:
        st.caption(plain(TOLD.format(side=side)))
    return side or None
