"""The map of a run's feature space: one point a picture."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import PINK_LINE, VIOLET_LINE, quiet
from lymph.facts import OKABE_ITO
from lymph.text import SET_TITLES

# What the points can be coloured by, as people read it.
COLOURINGS = ("class", "patient", "set", "right or wrong")

# A map has no unit: only what lies near what can be read from it.
AXES = {
    "pca": ("first principal component (no unit)", "second principal component (no unit)"),
    "tsne": ("t-SNE, first direction (no unit)", "t-SNE, second direction (no unit)"),
}
FADED = 0.15

MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "x", "hexagon")


def embedding_groups(table: pd.DataFrame, by: str) -> pd.Series:
    """Return the name of each picture's group, for a prediction table and one of ``COLOURINGS``."""
    if by == "right or wrong":
        right = table["label"] == table["predicted"]
        return right.map({True: "right", False: "wrong"})
    if by == "set":
        return table["set"].replace(SET_TITLES)
    return table["label" if by == "class" else "patient"]


def embedding_chart(
    table: pd.DataFrame,
    places: np.ndarray,
    by: str,
    class_colours: Mapping[str, str],
    method: str = "pca",
    chosen: Collection[str] = (),
) -> go.Figure:
    """Draw the map; a point's ``customdata`` is its picture.

    Parameters
    ----------
    table : DataFrame
        Prediction table, N rows.
    places : ndarray, shape (N, 2)
    by : str
        One of ``COLOURINGS``; groups differ in mark as well as in colour.
    class_colours : mapping
        Class to colour.
    method : str
        ``pca`` or ``tsne``: how the places were found, for the titles of the axes.
    chosen : collection of str
        Pictures whose points stay strong while the others fade; empty fades none.
    """
    groups = embedding_groups(table, by)
    names = sorted(groups.unique())
    figure = go.Figure()
    for number, name in enumerate(names):
        own = (groups == name).to_numpy()
        rows = table[own]
        figure.add_scatter(
            x=places[own, 0],
            y=places[own, 1],
            mode="markers",
            name=written(name),
            customdata=rows[["picture"]].to_numpy(),
            text=[
                f"{written(row.label)}, patient {written(row.patient)}<br>{written(row.picture)}"
                for row in rows.itertuples()
            ],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "size": 9,
                "opacity": _opacities(rows["picture"], chosen),
                "color": _colour(by, name, number, class_colours),
                "symbol": MARKS[(number // len(OKABE_ITO) if by == "patient" else number) % 8],
            },
        )
    quiet(figure, 480)
    legend = {"orientation": "h", "y": 1.01, "yanchor": "bottom"}
    figure.update_layout(showlegend=len(names) <= 8, legend=legend, dragmode="select")
    across, up = AXES[method]
    figure.update_xaxes(showticklabels=False, showgrid=False, title_text=across)
    figure.update_yaxes(showticklabels=False, showgrid=False, title_text=up)
    return figure


def _opacities(pictures: pd.Series, chosen: Collection[str]) -> float | list[float]:
    if not chosen:
        return 0.85
    return np.where(pictures.isin(list(chosen)), 0.95, FADED).tolist()


def _colour(by: str, name: str, number: int, class_colours: Mapping[str, str]) -> str:
    if by == "class":
        return class_colours[name]
    if by == "right or wrong":
        return VIOLET_LINE if name == "right" else PINK_LINE
    return OKABE_ITO[number % len(OKABE_ITO)]
