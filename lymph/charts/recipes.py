"""Recipes beside one another: with patients apart, and as a random split would have it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import PINK_LINE, VIOLET_LINE, quiet, whole_percent

TICKS = [0, 0.25, 0.5, 0.75, 1]
# Of a recipe's place, which is 1 high: below its title.
PLACES = {"patient": -0.44, "picture": -0.7}
ROW_HEIGHT = 80


class Side(NamedTuple):
    """How one kind of folds is drawn."""

    words: str
    colour: str
    symbol: str


SIDES = {
    "patient": Side("patients apart", VIOLET_LINE, "circle"),
    "picture": Side("random folds: patients on both sides", PINK_LINE, "diamond-open"),
}


def recipes_chart(
    recipes: Sequence[Mapping[str, Any]], largest: float, row_height: int = ROW_HEIGHT
) -> go.Figure:
    """Draw the accuracy of each recipe with its 95 % interval, once for each kind of folds.

    Parameters
    ----------
    recipes : sequence of mapping
        Each with ``title`` and, under ``patient`` and ``picture``, ``value``, ``low`` and ``high``
        (0 to 1) or None where that is not measured yet.
    largest : float
        The share of the largest class, drawn as a line.
    row_height : int
        Of a recipe, in pixels.
    """
    figure = go.Figure()
    rows = len(recipes)
    for by, side in SIDES.items():
        _dots(figure, [one.get(by) for one in recipes], side, PLACES[by])
    for place, one in enumerate(recipes):
        figure.add_annotation(
            x=0,
            y=-place - 0.14,
            text=f"<b>{written(one['title'])}</b>",
            showarrow=False,
            xanchor="left",
            font={"size": 14},
        )
    # Interrupted at the titles, which it would strike through.
    heights = [y for place in range(rows) for y in (-place - 0.3, -place - 0.86, None)]
    figure.add_scatter(
        x=[None if y is None else largest for y in heights],
        y=heights,
        mode="lines",
        line={"width": 1.5, "dash": "dot", "color": "grey"},
        name=f"always the largest class, {whole_percent(largest)}",
        hoverinfo="skip",
    )
    quiet(figure, 110 + row_height * rows)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "font_size": 13},
    )
    figure.update_xaxes(
        title="share of the pictures classified correctly",
        range=[-0.01, 1.03],
        tickvals=TICKS,
        ticktext=[whole_percent(tick) for tick in TICKS],
        tickfont_size=13,
    )
    figure.update_yaxes(visible=False, range=[-rows - 0.05, 0.05])
    return figure


def _dots(
    figure: go.Figure, cells: Sequence[Mapping[str, float] | None], side: Side, down: float
) -> None:
    known = [(place, cell) for place, cell in enumerate(cells) if cell]
    shares = [cell["value"] for _, cell in known]
    figure.add_scatter(
        x=shares,
        y=[down - place for place, _ in known],
        mode="markers",
        name=side.words,
        marker={
            "size": 12,
            "color": side.colour,
            "symbol": side.symbol,
            "line": {"width": 2.5, "color": side.colour},
        },
        error_x={
            "symmetric": False,
            "array": [cell["high"] - cell["value"] for _, cell in known],
            "arrayminus": [cell["value"] - cell["low"] for _, cell in known],
            "thickness": 2,
            "width": 5,
            "color": side.colour,
        },
        hovertemplate=f"{side.words}: %{{x:.0%}}<extra></extra>",
    )
    for place, cell in known:
        # Beside the end of the whisker, where nothing is drawn; on the left where that is the edge.
        left = cell["high"] > 0.9
        figure.add_annotation(
            x=cell["low"] if left else cell["high"],
            y=down - place,
            text=whole_percent(cell["value"]),
            showarrow=False,
            xanchor="right" if left else "left",
            xshift=-8 if left else 8,
            font={"size": 14, "color": side.colour},
        )
