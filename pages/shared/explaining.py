"""Why a model said so, drawn: where it looked, tile by tile, and the pictures it knows like this.

Used for dropped pictures and for those of a data set alike. Heat maps and tile answers are cached
by the picture's content.
"""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from lymph.charts import COLOURINGS, embedding_chart, percent, whole_percent
from lymph.errors import LymphError
from lymph.explain import (
    Embedding,
    NeighbourRates,
    TileView,
    heat_overlay,
    neighbour_rates,
    project,
    run_features,
    tile_overlay,
    view_tiles,
)
from lymph.facts import class_colours
from lymph.models import MODELS
from lymph.runs import Run, open_run
from pages.shared import loading, training
from pages.shared.frame import escape, plain, show_error
from pages.shared.galleries import badge, short_name

if TYPE_CHECKING:
    from lymph.explain.layers import Activations

LOOKED, TILES, NEAREST, INSIDE = "Where it looked", "Tile by tile", "Most similar", "Inside"

# Said of a heat map through an encoder that sees tiles.
TILED_WORDS = (
    " The encoder sees tiles, so the map is made tile by tile; of a transformer it shows the places"
    " as they are before its last block."
)

# A projector shows no more; a larger picture only takes longer to send.
SHOWN = (1400, 1400)

TILES_KEY = "tile_views"
TILES_KEPT = 16


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
            whole = classifier.cut_from(pixels)
            kept[key] = view_tiles(classifier.classify, whole, progress)
        while len(kept) > TILES_KEPT:
            kept.pop(next(iter(kept)))
    return kept[key]


@st.cache_data(show_spinner=False, max_entries=16, scope="session")
def _nearest(run_id: str, changed: float, content: str, _pixels: np.ndarray) -> pd.DataFrame:
    return training.classifier_of(run_id, changed).nearest(_pixels)


@st.cache_data(show_spinner=False, max_entries=4, scope="session")
def _layers(
    run_id: str, changed: float, content: str, _pixels: np.ndarray
) -> "tuple[np.ndarray, list[Activations]]":
    from lymph.explain.layers import activations, first_filters

    classifier = training.classifier_of(run_id, changed)
    found = activations(classifier.model, classifier.spec, _pixels)
    return first_filters(classifier.model), found


def show_explanation(run: Run, name: str, pixels: np.ndarray, predicted: str, key: str) -> None:
    """Draw the explanation of one answer; the viewer chooses which, of which class, how strong.

    Parameters
    ----------
    run : Run
    name : str
        Of the picture; only shown.
    pixels : ndarray of uint8, shape (H, W, 3)
    predicted : str
        The class explained first.
    key : str
        Beginning of the widgets' keys.
    """
    views = [LOOKED, TILES, NEAREST]
    if run.config.model == "cnn":
        views.append(INSIDE)
    view = st.segmented_control(
        "Why it said so", views, default=LOOKED, required=True, key=f"{key}_view"
    )
    small = _for_screen(pixels)
    try:
        if view == LOOKED:
            _show_heat(run, name, pixels, small, predicted, key)
        elif view == TILES:
            _show_tiles(run, name, pixels, small, key)
        elif view == NEAREST:
            _show_nearest(run, pixels)
        else:
            _show_layers(run, pixels)
    except LymphError as error:
        show_error(error)


def _for_screen(pixels: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(pixels)
    picture.thumbnail(SHOWN)
    return np.asarray(picture)


def _opacity(key: str) -> float:
    return st.slider("Strength of the overlay", 0, 100, 60, 5, format="%d %%", key=key) / 100


def _show_heat(
    run: Run, name: str, pixels: np.ndarray, small: np.ndarray, predicted: str, key: str
) -> None:
    picture, side = st.columns([2.6, 1], gap="medium")
    with side:
        label = st.segmented_control(
            "What speaks for",
            run.classes,
            default=predicted,
            format_func=plain,
            required=True,
            key=f"{key}_class",
            wrap=True,
        )
        opacity = _opacity(f"{key}_heat_opacity")
    model = (run.id, training.changed(run))
    heat = _heat(*model, content_key(pixels), run.classes.index(label), pixels)
    drawn = heat_overlay(small, heat, opacity)
    alt = f"{name}: yellow where the picture speaks for {label}"
    picture.image(drawn, width="stretch", alt=alt)
    with side:
        if not heat.any():
            st.info(f"Nothing in this picture speaks for {plain(label)}.")
        st.caption(
            f"Yellow: what raised {plain(label)} most (Grad-CAM). It shows where the model looked,"
            " not whether it was right." + (TILED_WORDS if run.config.architecture else "")
        )
        _offer_png(drawn, f"{short_name(name)}-{label}-grad-cam.png", f"{key}_heat_png")


def _show_tiles(run: Run, name: str, pixels: np.ndarray, small: np.ndarray, key: str) -> None:
    view = _tiles(run, pixels)
    if not view.tiles:
        st.info("Every tile of this picture is blank.")
        return
    picture, side = st.columns([2.6, 1], gap="medium")
    with side:
        opacity = _opacity(f"{key}_tile_opacity")
        st.html("".join(_tile_words(run, view)))
    colours = class_colours(run.classes)
    drawn = tile_overlay(small, view, [colours[name] for name in run.classes], opacity)
    alt = f"{name}: coloured by the class that each place says"
    picture.image(drawn, width="stretch", alt=alt)
    blank = f" {view.blank:d} blank tiles were skipped." if view.blank else ""
    with side:
        st.caption(
            f"{view.tiles} overlapping tiles of 224 pixels.{blank} {_magnification(run)}: trust"
            " the whole picture's answer first."
        )
        _offer_png(drawn, f"{short_name(name)}-tiles.png", f"{key}_tiles_png")


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
    st.write("The five training pictures that the model holds most similar to this one:")
    addresses = loading.thumbnails(root, list(found["picture"])) if len(found) else []
    grid = st.grid("auto", min_column_width=150, gap="small", key="nearest_grid")
    for row, address in zip(found.itertuples(), addresses, strict=True):
        with grid.cell():
            st.html(_neighbour(row, address, colours))
    patients = found["patient"].nunique()
    st.caption(
        f"They come from {patients} patient{'s' if patients > 1 else ''}. All from one patient is a"
        " sign that the model goes by the stain."
    )


def _show_layers(run: Run, pixels: np.ndarray) -> None:
    from lymph.explain.layers import mosaic

    filters, layers = _layers(run.id, training.changed(run), content_key(pixels), pixels)
    title = MODELS[run.config.model].title
    st.write(f"What the first filters of the {title.lower()} look for:")
    drawn = mosaic(filters.mean(axis=1), columns=8, side=48)
    st.image(drawn, alt=f"The {len(filters)} filters of the first layer", width="content")
    for layer in layers:
        st.write(f"{layer.name}: {len(layer.maps)} maps of this picture, bright where they answer.")
        drawn = mosaic(layer.maps[:24], columns=8, side=96)
        st.image(drawn, width="stretch", alt=f"{layer.name}: the first 24 feature maps")


def _offer_png(pixels: np.ndarray, file_name: str, key: str) -> None:
    st.download_button(
        "Download (PNG)",
        lambda: _png(pixels),
        file_name,
        "image/png",
        on_click="ignore",
        key=key,
    )


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


# ---- all pictures of a run ---------------------------------------------------------------------


@st.cache_data(show_spinner="Laying out the map", max_entries=8)
def _map(run_id: str, changed: float, method: str) -> tuple[Embedding, np.ndarray, NeighbourRates]:
    embedding = run_features(open_run(run_id))
    table = embedding.table
    labels, patients = (table[name].to_numpy(str) for name in ("label", "patient"))
    rates = neighbour_rates(embedding.features, labels, patients)
    return embedding, project(embedding.features, method), rates


def show_embedding(run: Run, key: str) -> list[str]:
    """Draw the map of a run's pictures in its feature space; return those that are chosen in it.

    Beside it stands the number that matters: whether the nearest picture shares the patient, and
    whether the nearest one of *another* patient shares the class.
    """
    left, right = st.columns(2)
    with left:
        by = st.segmented_control(
            "Colour by", COLOURINGS, default="class", required=True, key=f"{key}_by"
        )
    with right:
        layouts = {"pca": "Main directions (PCA)", "tsne": "Neighbours kept (t-SNE)"}
        method = st.segmented_control(
            "Layout", list(layouts), default="pca", format_func=layouts.__getitem__, required=True,
            key=f"{key}_layout",
        )  # fmt: skip
    try:
        embedding, places, rates = _map(run.id, training.changed(run), method)
    except LymphError as error:
        show_error(error)
        return []
    figure = embedding_chart(embedding.table, places, by, class_colours(run.classes))
    chosen = st.plotly_chart(
        figure, key=f"{key}_map", on_select="rerun", selection_mode=("points", "box", "lasso")
    )
    _show_rates(rates, len(embedding.table))
    return [point["customdata"][0] for point in chosen["selection"]["points"]]


def _show_rates(rates: NeighbourRates, pictures: int) -> None:
    left, middle, right = st.columns(3)
    left.metric("Nearest: same patient", whole_percent(rates.same_patient))
    if np.isnan(rates.same_class_other_patient):
        return
    middle.metric(
        "Nearest other patient: same class",
        whole_percent(rates.same_class_other_patient),
    )
    right.metric("That by chance", whole_percent(rates.chance))
    st.caption(
        f"Over all {pictures} pictures of the run, those it trained on included. Patients that lie"
        " together while classes of other patients do not: the model has learned the stain."
    )
