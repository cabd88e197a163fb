"""Where a run's pictures lie in its feature space; the points are chosen like everything else."""

from collections.abc import Collection
from functools import partial

import numpy as np
import streamlit as st

from lymph.charts import COLOURINGS, embedding_chart, whole_percent
from lymph.errors import LymphError
from lymph.evaluation import Selection
from lymph.explain import Embedding, NeighbourRates, neighbour_rates, project, run_features
from lymph.facts import class_colours
from lymph.runs import Run, open_run
from pages.shared import training
from pages.shared.charts import sized
from pages.shared.frame import show_error
from pages.shared.results.choosing import keep

BY = dict(zip(COLOURINGS, ("Class", "Patient", "Set", "Correct or wrong"), strict=True))
LAYOUTS = {"pca": "PCA", "tsne": "t-SNE"}
LAYOUTS_TOLD = {
    "pca": "PCA: the two directions in which the features differ most.",
    "tsne": "t-SNE: neighbours stay together; distances between groups say nothing.",
}


@st.cache_data(show_spinner="Laying out the map", max_entries=8)
def _map(run_id: str, changed: float, method: str) -> tuple[Embedding, np.ndarray, NeighbourRates]:
    embedding = run_features(open_run(run_id))
    table = embedding.table
    labels, patients = (table[name].to_numpy(str) for name in ("label", "patient"))
    rates = neighbour_rates(embedding.features, labels, patients)
    return embedding, project(embedding.features, method), rates


def show_embedding(run: Run, key: str, pictures: Collection[str] = ()) -> None:
    """Draw the map of a run's pictures in its feature space; chosen points choose everywhere.

    Below it stands the number that matters: whether the nearest picture shares the patient, and
    whether the nearest one of *another* patient shares the class. ``pictures`` are those that are
    chosen now.
    """
    left, right = st.columns(2)
    with left:
        by = st.segmented_control(
            "Colour by",
            COLOURINGS,
            default="class",
            format_func=BY.__getitem__,
            required=True,
            key=f"{key}_by",
        )
    with right:
        method = st.segmented_control(
            "Layout",
            list(LAYOUTS),
            default="pca",
            format_func=LAYOUTS.__getitem__,
            required=True,
            key=f"{key}_layout",
        )
    try:
        embedding, places, rates = _map(run.id, training.changed(run), method)
    except LymphError as error:
        show_error(error)
        return
    colours = class_colours(run.classes)
    figure = embedding_chart(embedding.table, places, by, colours, method, pictures)
    st.plotly_chart(
        sized(figure, 250),
        key=f"{key}_map",
        on_select=partial(choose_points, f"{key}_map"),
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False},
        alt=f"Map of {len(embedding.table)} pictures in the feature space, coloured by {by}",
    )
    st.caption(f"{LAYOUTS_TOLD[method]} Click a point or drag a box to choose pictures.")
    _show_rates(rates, len(embedding.table))


def choose_points(chart: str) -> None:
    """Choose the pictures of the points; a chart that is drawn anew reports none."""
    points = st.session_state[chart]["selection"]["points"]
    if points:
        keep(Selection("picture", tuple(sorted({str(p["customdata"][0]) for p in points}))))


def _show_rates(rates: NeighbourRates, pictures: int) -> None:
    left, middle, right = st.columns(3)
    left.metric("Nearest picture: same patient", whole_percent(rates.same_patient))
    if np.isnan(rates.same_class_other_patient):
        return
    middle.metric(
        "Nearest of another patient: same class",
        whole_percent(rates.same_class_other_patient),
    )
    right.metric("The same by chance", whole_percent(rates.chance))
    st.caption(
        f"Over all {pictures:d} pictures of the run, training pictures included. Where patients lie"
        " together and the classes of different patients do not, the model has learned the stain."
    )
