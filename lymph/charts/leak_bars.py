"""The leak meter's two bars."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from lymph.charts.style import PINK_LINE, VIOLET_LINE, percent_axis, quiet
from lymph.text import whole_percent

BARS = {"picture": "Split at random", "patient": "Patients kept apart"}
COLOURS = {"picture": PINK_LINE, "patient": VIOLET_LINE}


def leak_bars(result: Mapping[str, Any]) -> go.Figure:
    """Draw accuracy by picture and by patient, each with its seeds and its interval.

    Parameters
    ----------
    result : mapping
        What ``lymph.leak.measure_leak`` or ``measure_control`` returns.

    Returns
    -------
    Figure
        Two bars (the mean over the seeds) with the 95 % interval over patients as a whisker, one
        dot a seed, and the share of the largest class as a line.
    """
    figure = go.Figure()
    for place, (by, title) in enumerate(BARS.items()):
        part = result[by]
        low, high = part["interval"] or (part["mean"], part["mean"])
        figure.add_bar(
            x=[place],
            y=[part["mean"]],
            name=title,
            width=0.55,
            marker={"color": COLOURS[by], "opacity": 0.85},
            error_y={
                "type": "data",
                "visible": part["interval"] is not None,
                "symmetric": False,
                "array": [max(0.0, high - part["mean"])],
                "arrayminus": [max(0.0, part["mean"] - low)],
                "thickness": 1.5,
                "width": 8,
                "color": "grey",
            },
            hovertemplate=f"{title}: %{{y:.1%}}<extra></extra>",
        )
        figure.add_annotation(
            x=place,
            y=max(0.07, low / 2),
            text=f"<b>{whole_percent(part['mean'])}</b>",
            showarrow=False,
            font={"size": 26, "color": "white"},
        )
        _dots(figure, place + 0.2, part["accuracies"])
    _baseline(figure, float(result["baseline"]))
    quiet(figure, 340)
    percent_axis(figure)
    figure.update_xaxes(
        tickvals=[0, 1], ticktext=list(BARS.values()), tickfont_size=15, showgrid=False
    )
    figure.update_xaxes(range=[-0.5, 1.6])
    return figure


def _dots(figure: go.Figure, x: float, accuracies: list[float]) -> None:
    figure.add_scatter(
        x=[x] * len(accuracies),
        y=accuracies,
        mode="markers",
        marker={"size": 7, "color": "white", "line": {"width": 1.5, "color": "#333333"}},
        hovertemplate="one seed: %{y:.1%}<extra></extra>",
    )


def _baseline(figure: go.Figure, share: float) -> None:
    figure.add_hline(y=share, line={"width": 1, "dash": "dot", "color": "grey"})
    figure.add_annotation(
        x=0.5,
        y=share,
        text="largest class",
        showarrow=False,
        yanchor="bottom",
    )
