"""The charts of the lesson on a list called patients."""

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
from lymph.charts.style import percent_axis, quiet
from lymph.text import whole_percent

LOOKS = {
    "names": ("folds over the list", BROKEN),
    "patient": ("folds over patients", FIXED),
}


def patient_names_charts(
    figures: Figures, classes: Mapping[str, str], stop: int
) -> list[LessonChart]:
    """Draw the share of leaked test pictures in each fold, and the accuracy of both splits."""
    figure = go.Figure()
    for key, (name, colour) in LOOKS.items():
        shares = figures[key]["by_fold"]
        figure.add_bar(
            x=[f"fold {place}" for place in range(1, len(shares) + 1)], y=shares, name=name,
            marker_color=colour, text=[whole_percent(share) for share in shares],
            textposition="outside", textfont_size=14, cliponaxis=False,
            hovertemplate=f"{name}, %{{x}}: %{{y:.0%}}<extra></extra>",
        )  # fmt: skip
    quiet(figure, HEIGHT)
    percent_axis(figure)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.08, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin_t=30,
    )
    figure.update_xaxes(showgrid=False)
    tests = {key: figures[key]["test"] for key in LOOKS}
    pair = dots(
        [
            Dot(
                name.replace("over ", "over<br>"),
                tests[key]["accuracy"],
                colour,
                tests[key]["interval"],
            )
            for key, (name, colour) in LOOKS.items()
        ]
    )
    first = "Test pictures whose patient also trains, by fold"
    second = "Accuracy of the same linear model, out of fold, with its 95 % interval"
    shares = f"{whole_percent(figures['names']['leaked'])} with the list, "
    shares += f"{whole_percent(figures['patient']['leaked'])} over patients"
    told = ", ".join(
        f"{name} {whole_percent(tests[key]['accuracy'])}" for key, (name, _) in LOOKS.items()
    )
    return [
        LessonChart(first, figure, f"{first}: {shares}"),
        LessonChart(second, pair, f"{second}: {told}"),
    ]
