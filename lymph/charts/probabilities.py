"""What a model says of one picture."""

from collections.abc import Mapping

import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import quiet


def percent(share: float) -> str:
    """Write a probability without pretending to certainty: '< 1 %' and '> 99 %' at the ends."""
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def probability_bars(probabilities: Mapping[str, float], colours: Mapping[str, str]) -> go.Figure:
    """Draw one bar a class; the most probable one full, the others pale.

    Parameters
    ----------
    probabilities : mapping
        Class to probability, 0 to 1, in class order.
    colours : mapping
        Class to colour.
    """
    names = list(probabilities)
    values = [float(probabilities[name]) for name in names]
    best = max(range(len(names)), key=values.__getitem__)
    figure = go.Figure(
        go.Bar(
            y=[written(name) for name in names],
            x=values,
            orientation="h",
            marker={
                "color": [colours[name] for name in names],
                "opacity": [1.0 if i == best else 0.55 for i in range(len(names))],
            },
            text=[
                f"<b>{percent(value)}</b>" if i == best else percent(value)
                for i, value in enumerate(values)
            ],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    quiet(figure, 34 * len(names) + 20)
    figure.update_layout(margin={"t": 4, "b": 4, "r": 60})
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(type="category", autorange="reversed", tickfont_size=14, showgrid=False)
    return figure
