"""The chart of a lesson that is running: what it has measured so far, step by step."""

from collections.abc import Sequence
from typing import Protocol

import plotly.graph_objects as go

from lymph.charts.lesson_chart import BROKEN, FIXED, LessonChart
from lymph.charts.names import written
from lymph.charts.style import quiet
from lymph.facts import OKABE_ITO

# Of more courses than this only the last is named; those before it fade.
NAMED = 4
FADED = "rgba(128, 128, 128, 0.45)"
TYPE, LARGE_TYPE = 14, 20


class Measured(Protocol):
    """One step of one course, as :class:`lymph.lessons.progress.Point`."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def measure(self) -> str: ...
    @property
    def value(self) -> float: ...


def growing_chart(points: Sequence[Measured], large: bool = False) -> LessonChart:
    """Draw the courses of a run as far as they have come, on axes that hold the whole of them.

    Parameters
    ----------
    points : sequence
        At least one, in the order in which they were measured; values in percent.
    large : bool
        Type for a projector.
    """
    names = list(dict.fromkeys(point.name for point in points))
    colours = [BROKEN, FIXED, *(c for c in OKABE_ITO if c not in (BROKEN, FIXED))]
    figure = go.Figure()
    for place, name in enumerate(names):
        own = [point for point in points if point.name == name]
        shown = len(names) <= NAMED or name == names[-1]
        colour = colours[place % len(colours)] if len(names) <= NAMED else FIXED
        figure.add_scatter(
            x=[point.step for point in own],
            y=[point.value for point in own],
            name=written(name),
            mode="lines+markers",
            showlegend=shown,
            line={"color": colour if shown else FADED, "width": 3 if shown else 1.5},
            marker={"size": 7 if shown else 4},
            cliponaxis=False,
            hovertemplate=f"{written(name)}: %{{y:.0f}} %<extra></extra>",
        )
    last = points[-1]
    size = LARGE_TYPE if large else TYPE
    quiet(figure, 300)
    figure.update_layout(
        showlegend=True,
        font_size=size,
        legend={
            "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left",
            "font_size": size,
        },
        margin_t=16,
    )  # fmt: skip
    longest = max(point.steps for point in points)
    figure.update_xaxes(
        title_text=last.unit, title_font_size=size, tickfont_size=size, showgrid=False,
        range=[0.5, longest + 0.5], dtick=1 if longest <= 13 else 5,
    )  # fmt: skip
    figure.update_yaxes(range=[0, 104], dtick=25, ticksuffix=" %", tickfont_size=size)
    title = last.measure[0].upper() + last.measure[1:]
    words = f"{title}; {last.name}, {last.unit} {last.step} of {last.steps}: {last.value:.0f} %"
    return LessonChart(title, figure, words)
