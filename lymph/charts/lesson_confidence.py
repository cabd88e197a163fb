"""The charts of the lesson on confidence."""

from collections.abc import Mapping

import plotly.graph_objects as go

from lymph.charts.lesson_chart import (
    BROKEN,
    FIXED,
    HEIGHT,
    Dot,
    Figures,
    LessonChart,
    dots,
)
from lymph.charts.style import quiet
from lymph.text import whole_percent


def confidence_charts(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    """Draw confidence beside accuracy, and the calibration error by the number of patients."""
    test = figures["test"]
    pair = dots(
        [
            Dot("how sure<br>it is", figures["confidence"], BROKEN),
            Dot("how often<br>it is right", test["accuracy"], FIXED, test["interval"]),
        ]
    )
    title = f"Mean confidence and accuracy on {test['patients']} unseen patients, 95 % interval"
    values = f"{whole_percent(figures['confidence'])} and {whole_percent(test['accuracy'])}"
    return [LessonChart(title, pair, f"{title}: {values}"), _errors(figures)]


def _errors(figures: Figures) -> LessonChart:
    curve = figures["curve"]
    patients = [part["patients"] for part in curve]
    figure = go.Figure()
    for key in ("high", "low"):
        figure.add_scatter(
            x=patients, y=[part[key] for part in curve], mode="lines", line={"width": 0},
            fill="tonexty" if key == "low" else None, fillcolor="rgba(132, 101, 204, 0.25)",
            showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    lines = {"perfectly calibrated": ("mean", FIXED), "this model": ("own", BROKEN)}
    for name, (key, colour) in lines.items():
        figure.add_scatter(
            x=patients, y=[part[key] for part in curve], name=name, mode="lines+markers",
            line={"color": colour, "width": 3}, marker_size=8,
            hovertemplate=f"{name}, %{{x}} patients: %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    quiet(figure, HEIGHT)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin_t=16,
    )
    figure.update_xaxes(type="log", tickvals=patients, ticktext=[str(n) for n in patients])
    figure.update_xaxes(title_text="patients in the test", showgrid=False)
    figure.update_yaxes(rangemode="tozero", title_text="calibration error (ECE)")
    title = "Calibration error by the number of patients; band: 95 of 100 perfectly calibrated"
    words = f"{title}; {curve[0]['mean']:.2f} at {patients[0]} patients,"
    words += f" {curve[-1]['mean']:.2f} at {patients[-1]}"
    return LessonChart(title, figure, words)
