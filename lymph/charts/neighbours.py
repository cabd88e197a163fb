"""What lies next to a picture in an encoder's features: its patient, its class, or another."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import PINK_LINE, VIOLET_LINE, quiet, whole_percent

OTHER = "#8A8A8A"
PARTS = {
    "same_patient": ("same patient", PINK_LINE),
    "same_class": ("same class, another patient", VIOLET_LINE),
    "other_class": ("another class", OTHER),
}
# A narrower part has no room for its number.
ROOM = 0.09
THICK = 0.42


def neighbour_bars(encoders: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Draw what the nearest neighbours share, and what is left when the own patient is set aside.

    Parameters
    ----------
    encoders : mapping
        From what made the features, for people, to what ``Robustness.to_json`` gives.

    Returns
    -------
    Figure
        Two bars an encoder, each of 100 %: the nearest picture, and the nearest one of another
        patient. The second has the 95 % interval over patients as a whisker and the share by chance
        as a mark.
    """
    figure = go.Figure()
    for place, (title, found) in enumerate(encoders.items()):
        top = -2.4 * place
        apart = {"same_class": found["apart"], "other_class": 1 - found["apart"]}
        name = f"<b>{written(title)}</b>: " if len(encoders) > 1 else ""
        _bar(figure, top, found, f"{name}nearest picture", first=not place)
        _bar(figure, top - 1, apart, "nearest picture of another patient", first=False)
        _doubt(figure, top - 1, found)
    rows = 2.4 * len(encoders)
    quiet(figure, int(105 + 62 * rows))
    ticks = [0, 0.25, 0.5, 0.75, 1]
    figure.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )
    figure.update_xaxes(
        title="share of the pictures",
        range=[0, 1.03],
        tickvals=ticks,
        ticktext=[whole_percent(tick) for tick in ticks],
    )
    figure.update_yaxes(visible=False, range=[0.7 - rows, 0.75])
    return figure


def _bar(figure: go.Figure, y: float, shares: Mapping[str, Any], title: str, first: bool) -> None:
    for key, (words, colour) in PARTS.items():
        if key not in shares:
            continue
        share = float(shares[key])
        figure.add_bar(
            x=[share],
            y=[y],
            orientation="h",
            width=THICK,
            name=words,
            legendgroup=key,
            showlegend=first,
            marker={"color": colour, "opacity": 0.9},
            text=whole_percent(share) if share >= ROOM else "",
            textposition="inside",
            insidetextanchor="start",
            textangle=0,
            textfont={"color": "white", "size": 14},
            hovertemplate=f"{words}: %{{x:.1%}}<extra></extra>",
        )
    figure.add_annotation(
        x=0, y=y + 0.25, text=title, showarrow=False, xanchor="left", yanchor="bottom"
    )


def _doubt(figure: go.Figure, y: float, found: Mapping[str, Any]) -> None:
    """Mark the interval of the share that has the same class, and what chance would give."""
    share, interval = float(found["apart"]), found["apart_interval"]
    if interval:
        low, high = interval
        figure.add_scatter(
            x=[share],
            y=[y - 0.3],
            mode="markers",
            marker={"size": 6, "color": VIOLET_LINE},
            error_x={
                "symmetric": False,
                "array": [max(0.0, high - share)],
                "arrayminus": [max(0.0, share - low)],
                "thickness": 1.5,
                "color": "grey",
            },
            showlegend=False,
            hovertemplate=f"95 % interval {low:.0%} to {high:.0%}<extra></extra>",
        )
    chance = float(found["apart_by_chance"])
    figure.add_scatter(
        x=[chance, chance],
        y=[y - THICK / 2, y + THICK / 2],
        mode="lines",
        line={"width": 2, "dash": "dot", "color": "white"},
        showlegend=False,
        hovertemplate=f"by chance: {chance:.0%}<extra></extra>",
    )
    figure.add_annotation(
        x=chance, y=y - 0.36, text="by chance", showarrow=False, yanchor="top", font={"size": 12}
    )
