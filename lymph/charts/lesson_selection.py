"""The charts of the lesson on choosing among models."""

from collections.abc import Mapping

import plotly.graph_objects as go

from lymph.charts.lesson_chart import (
    BROKEN,
    FIXED,
    HEIGHT,
    MARK,
    Dot,
    Figures,
    LessonChart,
    dots,
)
from lymph.charts.style import percent_axis, quiet
from lymph.text import whole_percent


def selection_charts(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    """Draw the models of the first deal on test and fresh patients, and the means of all deals."""
    means = dots(
        [
            Dot("best,<br>test", figures["best"], BROKEN),
            Dot("same,<br>fresh", figures["again"], FIXED),
            Dot("all,<br>fresh", figures["all"], MARK),
        ]
    )
    title = f"Mean accuracy over {figures['deals']} splits: best on the test, then the same and all"
    title += " models on fresh patients"
    values = ", ".join(whole_percent(figures[key]) for key in ("best", "again", "all"))
    words = f"{title}: {values}"
    return [_first_deal(figures), LessonChart(title, means, words)]


def _first_deal(figures: Figures) -> LessonChart:
    figure = go.Figure()
    first = figures["first"]
    best = max(range(len(first)), key=lambda place: first[place][0])
    # The chosen one is drawn last, over the others.
    for place in sorted(range(len(first)), key=lambda place: place == best):
        pair, chosen = first[place], place == best
        figure.add_scatter(
            x=[0, 1],
            y=pair,
            mode="lines+markers",
            line={"color": BROKEN if chosen else MARK, "width": 4 if chosen else 1.5},
            marker={"size": 14 if chosen else 8},
            opacity=1 if chosen else 0.6,
            cliponaxis=False,
            hovertemplate=f"model {place + 1}: %{{y:.0%}}<extra></extra>",
        )
    quiet(figure, HEIGHT)
    percent_axis(figure)
    ticks = [
        f"{name}, {figures[key]['patients']} patients"
        for key, name in (("test", "test"), ("fresh", "fresh"))
    ]
    figure.update_xaxes(tickvals=[0, 1], ticktext=ticks, range=[-0.3, 1.3], showgrid=False)
    told = " to ".join(whole_percent(share) for share in first[best])
    title = "Accuracy of each model in the first split; thick: the one that the test chooses"
    return LessonChart(title, figure, f"{title}, from {told}")
