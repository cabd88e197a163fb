"""Does a model see a picture whole, or in tiles at full resolution?"""

import streamlit as st

from lymph.models import MODELS
from pages.shared.frame import plain

WHOLE = 0
# The first is the side that the recipes of "Compare recipes" have.
SIDES = {"linear-probe": (224, 350), "cnn": (128, 224), "resnet50": (224,)}
TOLD = (
    "Each picture is cut into tiles of {side} x {side} pixels at full resolution; bare glass is"
    " left out. Its answer is the mean over its tiles; the Classify page maps them."
)
# What was measured on the 309 published pictures, patients apart; see docs/measurements.md.
MEASURED = {
    "linear-probe": "On the 309 published pictures, with patients apart, tiles did no better than"
    " whole pictures, which are the default.",
    "cnn": "On the 309 published pictures, with patients apart, tiles of 128 pixels did no better"
    " than whole pictures, which are the default.",
    "resnet50": "What tiles are worth with ResNet-50 was not measured; whole pictures are the"
    " default.",
}
ONE_TILE = " In an epoch a picture is learned from by one of its tiles, drawn at random."


def choose_tiles(model: str) -> int | None:
    """Draw the choice; return the side of the tiles in pixels, or None for whole pictures."""
    side = st.segmented_control(
        "What it sees",
        (WHOLE, *SIDES[model]),
        default=WHOLE,
        format_func=lambda side: f"Tiles of {side} pixels" if side else "Whole pictures",
        required=True,
        key="tiles" if MODELS[model].frozen else f"tiles_{model}",
        persist_state="session",
        help=MEASURED[model],
    )
    if side:
        st.caption(plain(TOLD.format(side=side) + ("" if MODELS[model].frozen else ONE_TILE)))
    return side or None
