"""What a model says of one picture, and how probable its answers are over all pictures."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import PINK_LINE, VIOLET_LINE, quiet


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


def sure_chart(bars: pd.DataFrame, chosen: tuple[str, str] | None = None) -> go.Figure:
    """Draw how many pictures were answered with which probability, right and wrong apart.

    Parameters
    ----------
    bars : DataFrame
        One row a picture: bar (0 to 9, the tenth that the probability of the answer falls in) and
        right (bool).
    chosen : (lower edge in percent, "right" or "wrong"), optional
        The bar that is chosen; the others fade.

    Returns
    -------
    Figure
        ``customdata`` of a bar is its lower edge in percent and ``right`` or ``wrong``.
    """
    figure = go.Figure()
    styles = (("wrong", False, PINK_LINE, "/"), ("right", True, VIOLET_LINE, ""))
    for name, right, colour, pattern in styles:
        counts = bars.loc[bars["right"] == right, "bar"].value_counts().reindex(range(10))
        values = counts.fillna(0).astype(int).tolist()
        keys = [(str(10 * place), name) for place in range(10)]
        figure.add_bar(
            x=[10 * place + 5 for place in range(10)],
            y=values,
            width=9,
            name="classified correctly" if right else "misclassified",
            customdata=keys,
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": "white"},
                "opacity": [1.0 if chosen in (None, key) else 0.3 for key in keys],
            },
            hovertemplate=f"{name}: %{{y}} pictures, from %{{customdata[0]}} % on<extra></extra>",
        )
    quiet(figure, 300)
    legend = {"orientation": "h", "y": 1.01, "yanchor": "bottom"}
    figure.update_layout(barmode="stack", showlegend=True, legend=legend, margin_t=36)
    ticks = list(range(0, 101, 10))
    figure.update_xaxes(
        title_text="probability of the answer, %", range=[0, 100], tickvals=ticks, showgrid=False
    )
    figure.update_yaxes(title_text="pictures")
    return figure
