"""Charts of what was measured in the pixels: the stain map and a picture's intensities."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import quiet
from lymph.facts import OKABE_ITO

# More points than this make the page slow and tell no more.
MOST_POINTS = 4_000
MOST_NAMES = 40
# Width and height of a name, as shares of the chart.
NAME_SIZE = (0.08, 0.05)

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down", "cross")

AXES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "stain": (
        ("haematoxylin", "haematoxylin (blue), mean optical density"),
        ("eosin", "eosin (pink), mean optical density"),
    ),
    "hue": (("hue", "mean hue, degrees"), ("brightness", "mean brightness, 0 to 255")),
    "components": (
        ("component_1", "first principal component of the colours (no unit)"),
        ("component_2", "second principal component of the colours (no unit)"),
    ),
}


def stain_map(
    points: pd.DataFrame, colours: Mapping[str, str], axes: str = "stain", by: str = "label"
) -> go.Figure:
    """Draw every picture as a point by what was measured in it.

    Parameters
    ----------
    points : DataFrame
        Columns ``picture label patient`` and the two measures of the axes.
    colours : mapping
        Class to colour.
    axes : str
        ``stain``, ``hue`` or ``components`` (of the colour statistics).
    by : str
        ``label`` or ``patient``: what the colours tell. Patients have a mark of their own too, and
        their name stands in the middle of their points where there is room for it.

    Returns
    -------
    Figure
        One trace a class or patient; ``customdata`` of a point is its picture.
    """
    (across, across_title), (up, up_title) = AXES[axes]
    if len(points) > MOST_POINTS:
        points = points.sample(MOST_POINTS, random_state=0)
    figure = go.Figure()
    for place, (name, rows) in enumerate(points.groupby(by, sort=True)):
        colour = colours[str(name)] if by == "label" else OKABE_ITO[place % len(OKABE_ITO)]
        symbols = place if by == "label" else place // len(OKABE_ITO)
        named = rows[["picture", "label", "patient"]].to_numpy()
        figure.add_scatter(
            x=rows[across],
            y=rows[up],
            mode="markers",
            name=written(name),
            marker={
                "color": colour,
                "size": 9,
                "opacity": 0.75,
                "symbol": SYMBOLS[symbols % len(SYMBOLS)],
                "line": {"width": 0.5, "color": "rgba(128,128,128,0.8)"},
            },
            customdata=named,
            text=[
                f"{written(label)}, patient {written(patient)}<br>{written(picture)}"
                for picture, label, patient in named
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    quiet(figure, 520)
    figure.update_layout(
        showlegend=by == "label", legend={"orientation": "h", "y": 1.01, "yanchor": "bottom"}
    )
    figure.update_layout(dragmode="select", margin={"t": 36})
    figure.update_xaxes(title_text=across_title, fixedrange=False)
    figure.update_yaxes(title_text=up_title, fixedrange=False)
    if by == "patient" and points["patient"].nunique() <= MOST_NAMES:
        _name_patients(figure, points, across, up)
    return figure


def _name_patients(figure: go.Figure, points: pd.DataFrame, across: str, up: str) -> None:
    """Write names beside the patients that stand apart; where two would overlap, only one."""
    middles = points.groupby("patient")[[across, up]].median()
    span = (points[[across, up]].max() - points[[across, up]].min()).replace(0, 1)
    places = ((middles - middles.median()) / span).to_numpy()
    named: list[np.ndarray] = []
    for row in np.argsort(-np.abs(places).max(axis=1), kind="stable"):
        if any((np.abs(places[row] - other) < NAME_SIZE).all() for other in named):
            continue
        named.append(places[row])
        figure.add_annotation(
            x=middles[across].iloc[row],
            y=middles[up].iloc[row],
            text=f"<b>{written(middles.index[row])}</b>",
            showarrow=False,
            font_size=11,
            yshift=12,
        )


CHANNELS = {"red": "#D55E00", "green": "#009E73", "blue": "#0072B2"}


def intensity_histogram(pixels: np.ndarray) -> go.Figure:
    """Draw how often each intensity occurs in each channel.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3) or (H, W)
    """
    figure = go.Figure()
    grey = pixels.ndim == 2
    channels = {"grey": "#808080"} if grey else CHANNELS
    flat = pixels.reshape(-1, 1 if grey else 3)
    for place, (name, colour) in enumerate(channels.items()):
        counts = np.bincount(flat[:, place], minlength=256)
        figure.add_scatter(
            x=np.arange(256),
            y=counts / max(1, len(flat)),
            mode="lines",
            name=name,
            line={"color": colour, "width": 1.5},
            hovertemplate=f"{name} %{{x}}: %{{y:.2%}} of pixels<extra></extra>",
        )
    quiet(figure, 170)
    figure.update_layout(showlegend=not grey, legend={"orientation": "h", "y": 1.2})
    figure.update_xaxes(range=[0, 255], tickvals=[0, 64, 128, 192, 255], title_text="intensity")
    figure.update_yaxes(visible=False)
    return figure


def zoomable(address: str, width: int, height: int) -> go.Figure:
    """Draw a picture that can be zoomed and moved with the mouse.

    Parameters
    ----------
    address : str
        ``data:`` address of the picture.
    width, height : int
        In pixels; the axes count them, rows downwards.
    """
    figure = go.Figure()
    figure.add_layout_image(
        source=address,
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    quiet(figure, 560)
    # Streamlit draws no empty figure: one point without a mark spans the picture.
    figure.add_scatter(x=[0, width], y=[0, height], mode="markers", marker_opacity=0)
    figure.update_traces(hoverinfo="skip")
    figure.update_yaxes(constraintoward="top")
    figure.update_layout(dragmode="pan", margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure.update_xaxes(visible=False, range=[0, width], fixedrange=False, constrain="domain")
    figure.update_yaxes(
        visible=False, range=[height, 0], fixedrange=False, scaleanchor="x", constrain="domain"
    )
    return figure
