"""Why a model said so, drawn: where it looked, tile by tile, and the pictures it knows like this.

Used for dropped pictures and for those of a data set alike. The explanation lies over the picture,
as strong as one likes; heat maps and tile answers are cached by the picture's content.
"""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from lymph.charts import percent, whole_percent
from lymph.errors import LymphError
from lymph.explain import TileView, heat_layer, laid_over, tile_layer
from lymph.facts import class_colours
from lymph.models import MODELS
from lymph.runs import Run
from lymph.text import counted
from pages.shared import loading, training
from pages.shared.frame import escape, plain, show_error, told
from pages.shared.pictures.galleries import badge, short_name
from pages.shared.pictures.picture import show_layered

ALONE, LOOKED, TILES = "Picture", "Where it looked", "Tile by tile"
NEAREST, INSIDE = "Most similar", "Inside"
# The models whose layers are shown.
OPENED = ("cnn", "resnet50")

# Said of a heat map through an encoder that sees tiles.
TILED_WORDS = (
    " The encoder sees tiles, so the map is made tile by tile; of a transformer it shows the places"
    " as they are before its last block."
)

# A projector shows no more; a larger picture only takes longer to send.
SHOWN = (1400, 1400)
# A layer is smooth: at this side it is as good as at full size, and a tenth to send.
LAYER_SIDE = 320

TILES_KEY = "tile_views"
TILES_KEPT = 16


class Layer(NamedTuple):
    """A layer's name, how many maps it has, and the first of them drawn, uint8 H x W."""

    name: str
    maps: int
    drawn: np.ndarray


def content_key(pixels: np.ndarray) -> str:
    """Name a picture's content for the caches."""
    shape = str(pixels.shape).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(pixels).tobytes()).hexdigest()[:32]


# Of a dropped picture: what was made of it is the visitor's own, and goes with the visit.
@st.cache_data(show_spinner="Looking for what the model looked at", max_entries=16, scope="session")
def _heat(run_id: str, changed: float, content: str, place: int, _pixels: np.ndarray) -> np.ndarray:
    # Loaded late: torch stands behind it.
    from lymph.explain.gradcam import grad_cam

    classifier = training.classifier_of(run_id, changed)
    return grad_cam(classifier.model, classifier.spec, _pixels, place, classifier.largest)


def _tiles(run: Run, pixels: np.ndarray) -> TileView:
    """Answer the tiles once; they are kept in the session, since a cache cannot show progress."""
    kept: dict[tuple, TileView] = st.session_state.setdefault(TILES_KEY, {})
    key = (run.id, training.changed(run), content_key(pixels))
    if key not in kept:
        classifier = training.classifier_of(run.id, training.changed(run))
        with loading.progress_bar("Tiles answered") as progress:
            kept[key] = classifier.view_tiles(pixels, progress)
        while len(kept) > TILES_KEPT:
            kept.pop(next(iter(kept)))
    return kept[key]


@st.cache_data(show_spinner=False, max_entries=16, scope="session")
def _nearest(run_id: str, changed: float, content: str, _pixels: np.ndarray) -> pd.DataFrame:
    return training.classifier_of(run_id, changed).nearest(_pixels)


@st.cache_data(show_spinner=False, max_entries=4, scope="session")
def _layers(
    run_id: str, changed: float, content: str, _pixels: np.ndarray
) -> tuple[np.ndarray, list[Layer]]:
    """Return the first filters, and the layers as drawn: ResNet-50's own maps are 20 MB."""
    from lymph.explain.layers import activations, first_filters, mosaic

    classifier = training.classifier_of(run_id, changed)
    found = activations(classifier.model, classifier.spec, _pixels)
    drawn = [Layer(each.name, len(each.maps), mosaic(each.maps[:24])) for each in found]
    return first_filters(classifier.model), drawn


def show_explanation(
    run: Run,
    name: str,
    pixels: np.ndarray,
    predicted: str,
    key: str,
    show_answer: Callable[[], None] | None = None,
) -> None:
    """Draw a picture with the explanation of its answer over it, and the controls beside it.

    Parameters
    ----------
    run : Run
        A cross-validation keeps no one model that could be asked: then the picture stands alone.
    name : str
        Of the picture; only shown.
    pixels : ndarray of uint8, shape (H, W, 3)
    predicted : str
        The class explained first.
    key : str
        Beginning of the widgets' keys.
    show_answer : callable, optional
        Draws what stands first beside the picture.
    """
    asked = run.split().folds is None
    view = choose_view(run, key) if asked else ALONE
    picture, side = st.columns([2.3, 1], gap="medium")
    with side:
        if show_answer is not None:
            show_answer()
        if not asked:
            st.caption("A cross-validation has one model per fold; train one split to see reasons.")
    small = _for_screen(pixels)
    with picture:
        try:
            draw = {LOOKED: _show_heat, TILES: _show_tiles}.get(view, _show_alone)
            draw(run, name, pixels, small, predicted, side, key)
        except LymphError as error:  # before the picture was drawn: it needs no reason
            _show_alone(run, name, pixels, small, predicted, side, key)
            show_error(error)
    with told():
        if view == NEAREST:
            _show_nearest(run, pixels)
        elif view == INSIDE:
            _show_layers(run, pixels)


def choose_view(run: Run, key: str) -> str:
    """Draw the chooser of what is shown with the picture."""
    views = [ALONE, LOOKED, TILES, NEAREST]
    if run.config.model in OPENED:
        views.append(INSIDE)
    return st.segmented_control(
        "Why it said so", views, default=LOOKED, required=True, key=f"{key}_view", wrap=True
    )


def _for_screen(pixels: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(pixels)
    picture.thumbnail(SHOWN)
    return np.asarray(picture)


def _layer_size(small: np.ndarray) -> tuple[int, int]:
    """Return height and width of a layer: smooth as it is, the browser stretches it well."""
    share = min(1.0, LAYER_SIDE / max(small.shape[:2]))
    return max(1, round(share * small.shape[0])), max(1, round(share * small.shape[1]))


def _show_alone(
    run: Run, name: str, pixels: np.ndarray, small: np.ndarray, predicted: str, side: Any, key: str
) -> None:
    show_layered(small, None, f"{name}, called {predicted}", f"{key}_picture")


def _show_heat(
    run: Run, name: str, pixels: np.ndarray, small: np.ndarray, predicted: str, side: Any, key: str
) -> None:
    label = side.segmented_control(
        "What speaks for",
        run.classes,
        default=predicted,
        format_func=plain,
        required=True,
        key=f"{key}_class_{predicted}",
        wrap=True,
    )
    model = (run.id, training.changed(run))
    heat = _heat(*model, content_key(pixels), run.classes.index(label), pixels)
    layer = heat_layer(heat, *_layer_size(small))
    alt = f"{name}, called {predicted}: yellow where the picture speaks for {label}"
    opacity = show_layered(small, layer, alt, f"{key}_picture")
    with side:
        if not heat.any():
            st.info(f"Nothing in this picture speaks for {plain(label)}.")
        st.caption(
            f"Yellow: what raised {plain(label)} most (Grad-CAM). It shows where the model looked,"
            " not whether it was right." + _tiled_words(run)
        )
        file_name = f"{short_name(name)}-{label}-grad-cam.png"
        _offer_png(lambda: laid_over(small, layer, opacity), file_name, f"{key}_heat_png")


def _show_tiles(
    run: Run, name: str, pixels: np.ndarray, small: np.ndarray, predicted: str, side: Any, key: str
) -> None:
    view = _tiles(run, pixels)
    if not view.tiles:
        st.info("Every tile of this picture is blank.")
        return
    colours = class_colours(run.classes)
    layer = tile_layer(view, [colours[name] for name in run.classes], *_layer_size(small))
    alt = f"{name}: coloured by the class that each place says"
    opacity = show_layered(small, layer, alt, f"{key}_picture")
    blank = f" {view.blank:d} blank tiles were skipped." if view.blank else ""
    with side:
        st.html("".join(_tile_words(run, view)))
        st.caption(plain(_tiles_told(run, view, blank)))
        file_name = f"{short_name(name)}-tiles.png"
        _offer_png(lambda: laid_over(small, layer, opacity), file_name, f"{key}_tiles_png")


def _tiled_words(run: Run) -> str:
    if run.config.architecture:
        return TILED_WORDS
    return " The model sees tiles, so the map is made tile by tile." if run.config.tiles else ""


def _tiles_told(run: Run, view: TileView, blank: str) -> str:
    side = run.config.tiles
    if side:
        return (
            f"The model's own view: it answered by these {counted(view.tiles, 'tile')} of {side}"
            f" pixels, and a picture's answer is their mean.{blank}"
        )
    return (
        f"{view.tiles} overlapping tiles of 224 pixels.{blank} {_magnification(run)}: trust the"
        " whole picture's answer first."
    )


def _magnification(run: Run) -> str:
    if MODELS[run.config.model].frozen:
        return "A tile is seen as large as in the whole picture, but it is a small part of it"
    return (
        "The model learned from whole pictures made small, so a tile shows it a magnification that"
        " it has not met"
    )


def _tile_words(run: Run, view: TileView) -> list[str]:
    colours = class_colours(run.classes)
    return [
        '<div class="lymph-caption" style="opacity:1;padding:.15rem 0">'
        f"{badge(name, colours[name])}"
        f" mean {percent(mean)}, first in {whole_percent(share)} of the tiles</div>"
        for name, mean, share in zip(run.classes, view.mean, view.shares, strict=True)
    ]


def _neighbour(row: Any, address: str, colours: dict[str, str]) -> str:
    return (
        f'<figure class="lymph-picture" style="--edge:{colours[row.label]}">'
        f'<img src="{address}" alt="{escape(row.label)}, {escape(row.picture)}">'
        f"{badge(row.label, colours[row.label])}</figure>"
        f'<div class="lymph-caption">patient {escape(row.patient)}<br>'
        f"distance {row.distance:.2g}</div>"
    )


def _show_nearest(run: Run, pixels: np.ndarray) -> None:
    found = _nearest(run.id, training.changed(run), content_key(pixels), pixels)
    colours = class_colours(run.classes)
    root = Path(run.config.data)
    st.write("The five most similar training pictures:")
    addresses = loading.thumbnails(root, list(found["picture"])) if len(found) else []
    grid = st.grid("auto", min_column_width=150, gap="small", key="nearest_grid")
    for row, address in zip(found.itertuples(), addresses, strict=True):
        with grid.cell():
            st.html(_neighbour(row, address, colours))
    patients = found["patient"].nunique()
    st.caption(
        f"They come from {counted(patients, 'patient')}. All from one patient is a sign that the"
        " model relies on the stain."
    )


def _show_layers(run: Run, pixels: np.ndarray) -> None:
    from lymph.explain.layers import mosaic

    filters, layers = _layers(run.id, training.changed(run), content_key(pixels), pixels)
    st.write("What the first filters look for:")
    drawn = mosaic(filters.mean(axis=1), columns=8, side=48)
    st.image(drawn, alt=f"The {len(filters)} filters of the first layer", width="content")
    for layer in layers:
        st.write(f"{layer.name}: {layer.maps:,d} maps of this picture, bright where they answer.")
        told = f"{layer.name}: the first feature maps"
        st.image(layer.drawn, width="stretch", alt=told)


def _offer_png(draw: Callable[[], np.ndarray], file_name: str, key: str) -> None:
    st.download_button(
        "Download (PNG)",
        lambda: _png(draw()),
        file_name,
        "image/png",
        on_click="ignore",
        key=key,
    )


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
