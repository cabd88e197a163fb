"""One picture, large: zoom, stains apart, intensities, facts, and as a model will see it."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from lymph.charts import intensity_histogram, zoomable
from lymph.data.exclusions import exclude
from lymph.data.pixels import shrink
from lymph.data.read import read_header
from lymph.data.sources import DataSet
from lymph.data.stain import StainVectors, estimate_stains, stain_picture
from lymph.errors import LymphError
from lymph.models.specs import MODELS
from pages.shared import loading
from pages.shared.frame import show_error
from pages.shared.pictures.galleries import Item
from pages.shared.pictures.rows import Rows
from pages.shared.pictures.stepping import choose_place
from pages.shared.visit.changing import change_on_click

PLACE = "viewer_place"
BY_HAND = "You excluded it by hand; the Quality view of the Data page includes it again."

WAYS = {
    "picture": "Picture",
    "haematoxylin": "Haematoxylin",
    "eosin": "Eosin",
    "cnn": "As the small CNN sees it",
    "resnet50": "As the notebook's ResNet-50 sees it",
}
TOLD = {
    "picture": "Turn the wheel to zoom, drag to move, double-click to see all of it.",
    "haematoxylin": "The blue stain alone: nuclei.",
    "eosin": "The pink stain alone: cytoplasm and fibres.",
}
STAINS = ("haematoxylin", "eosin")
ESTIMATED = "The two stains' colours are estimated in this picture (Macenko et al. 2009)."
TEXTBOOK = (
    "Two stains cannot be told apart by this picture's colours: those of the textbook are used"
    " (Ruifrok and Johnston 2001)."
)


def open_picture(data_set: DataSet, rows: Rows, item: Item) -> None:
    """Open the viewer on one of the rows."""
    st.session_state[PLACE] = rows.name_of(item)
    view(data_set, rows)


@st.dialog("Picture", width="large")
def view(data_set: DataSet, rows: Rows) -> None:
    root = data_set.path
    place = choose_place(PLACE, len(rows), "viewer")
    item = rows[place]
    try:
        pixels = loading.full_picture(str(root), item.picture)
    except LymphError as error:
        st.text(item.picture)
        show_error(error)
        return
    height, width = pixels.shape[:2]
    st.text(f"{place + 1} of {len(rows)}: {item.picture}, {width} x {height} pixels")
    way = st.segmented_control(
        "Seen as",
        list(WAYS),
        default="picture",
        format_func=WAYS.__getitem__,
        required=True,
        key="viewer_way",
        label_visibility="collapsed",
    )
    stains = estimate_stains(pixels) if way in STAINS else None
    shown = (
        stain_picture(pixels, STAINS.index(way), stains.vectors) if stains else seen_as(pixels, way)
    )
    main, side = st.columns([3, 1], gap="medium")
    with main:
        st.plotly_chart(
            zoomable(loading.exact_address(shown), width, height),
            key=f"viewer_{place}_{way}",
            config={"scrollZoom": True, "displayModeBar": False},
            alt=f"{item.label}, {item.picture}: {WAYS[way]}",
        )
        st.caption(words_for(way, stains))
    with side:
        show_facts(root, item, shown)
        excluding = partial(exclude_one, data_set, item.picture)
        if st.button("Exclude this picture", key="viewer_exclude", on_click=excluding):
            st.rerun()


def exclude_one(data_set: DataSet, picture: str) -> None:
    change_on_click(data_set, exclude, data_set.path, {picture: BY_HAND})


def seen_as(pixels: np.ndarray, way: str) -> np.ndarray:
    """Return a picture as it is or as a model sees it, RGB or grey."""
    if way in MODELS:
        return shrink(pixels, MODELS[way].size, MODELS[way].grey)
    return pixels


def words_for(way: str, stains: StainVectors | None) -> str:
    """Say what is seen, and for a stain where its colour comes from."""
    if way in MODELS:
        return model_words(way)
    if stains is None:
        return TOLD[way]
    return f"{TOLD[way]} {ESTIMATED if stains.estimated else TEXTBOOK}"


def model_words(name: str) -> str:
    """Say what happens to a picture before a model sees it."""
    spec = MODELS[name]
    height, width = spec.size
    if spec.grey:
        return f"Grey, {width} x {height} pixels; then scaled from 0 to 255 to -1 to 1."
    return (
        f"Colour, {width} x {height} pixels; then each channel is shifted and scaled by the mean"
        " and the deviation of ImageNet's pictures."
    )


def show_facts(root: Path, item: Item, shown: np.ndarray) -> None:
    st.plotly_chart(
        intensity_histogram(shown),
        key="viewer_histogram",
        config={"displayModeBar": False},
        alt="How often each intensity occurs in each colour channel",
    )
    header = read_header(root / item.picture)
    suffix = Path(item.picture).suffix.lstrip(".").upper()
    st.text(f"{item.label}, {item.note}\n{header.mode}, {suffix}, {header.bytes / 1e6:.2f} MB")
