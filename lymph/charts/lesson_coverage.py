"""The charts of the lesson on intervals."""

from collections.abc import Mapping

import plotly.graph_objects as go

from lymph.charts.lesson_chart import BROKEN, FIXED, HEIGHT, MARK, Figures, LessonChart
from lymph.charts.style import percent_axis, quiet

PALE = 0.5
TITLES = {"picture": "Pictures counted", "patient": "Patients counted"}
COLOURS = {"picture": BROKEN, "patient": FIXED}


def coverage_charts(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    """Draw the first tests' intervals, those that miss the truth strong and the others pale."""
    return [_intervals(figures, by) for by in ("picture", "patient")]


def _intervals(figures: Figures, by: str) -> LessonChart:
    figure, truth = go.Figure(), figures["truth"]
    missed = 0
    for place, test in enumerate(figures["shown"], start=1):
        low, high = test[by]
        misses = not low - 1e-9 <= truth <= high + 1e-9
        missed += misses
        figure.add_scatter(
            x=[place, place, place],
            y=[low, test["accuracy"], high],
            mode="lines+markers",
            opacity=1 if misses else PALE,
            line={"color": COLOURS[by], "width": 3},
            marker={"size": [0, 8 if misses else 5, 0], "symbol": "x" if misses else "circle"},
            hovertemplate=f"test {place}: %{{y:.0%}}<extra></extra>",
        )
    figure.add_hline(y=truth, line={"dash": "dash", "width": 1.5, "color": MARK})
    quiet(figure, HEIGHT)
    percent_axis(figure)
    figure.update_xaxes(title_text="test", showgrid=False)
    shown = len(figures["shown"])
    title = f"{TITLES[by]}: {missed} of these {shown} tests miss (✕); dashed: the true accuracy"
    return LessonChart(title, figure, title)
