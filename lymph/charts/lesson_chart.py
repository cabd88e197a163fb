"""What every lesson's chart is, and the colours of broken and fixed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from lymph.charts.style import PINK_LINE, VIOLET_LINE, percent_axis, quiet
from lymph.text import whole_percent

Figures = Mapping[str, Any]

BROKEN, FIXED = PINK_LINE, VIOLET_LINE
MARK = "rgba(128, 128, 128, 0.9)"
HEIGHT = 360


class LessonChart(NamedTuple):
    """A figure with the line above it and the words for those who cannot see it."""

    title: str
    figure: go.Figure
    words: str


class Dot(NamedTuple):
    """A share, 0 to 1, with its interval where it has one."""

    name: str
    value: float
    colour: str
    interval: Sequence[float] | None = None


def dots(shares: Sequence[Dot]) -> go.Figure:
    """Draw shares side by side as large dots, each with its interval and its value beside it.

    Names may have a line break, ``<br>``, as they stand side by side on a projector too.
    """
    figure = go.Figure()
    for place, dot in enumerate(shares):
        low, high = dot.interval or (dot.value, dot.value)
        figure.add_scatter(
            x=[place],
            y=[dot.value],
            mode="markers+text",
            text=[f"<b>  {whole_percent(dot.value)}</b>"],
            textposition="middle right",
            textfont_size=20,
            marker={"size": 18, "color": dot.colour},
            error_y={
                "type": "data",
                "visible": dot.interval is not None,
                "symmetric": False,
                "array": [max(0.0, high - dot.value)],
                "arrayminus": [max(0.0, dot.value - low)],
                "thickness": 2.5,
                "width": 8,
                "color": MARK,
            },
            cliponaxis=False,
            hovertemplate=f"{dot.name}: %{{y:.0%}}<extra></extra>",
        )
    quiet(figure, HEIGHT)
    percent_axis(figure)
    figure.update_xaxes(
        tickvals=list(range(len(shares))), ticktext=[dot.name for dot in shares],
        range=[-0.5, len(shares) - 0.3], showgrid=False, tickangle=0,
    )  # fmt: skip
    return figure
