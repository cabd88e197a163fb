"""What every chart shares: the stain colours, thin grids, transparent grounds."""

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from lymph.text import whole_percent

HAEMATOXYLIN = "#5B3E96"
HAEMATOXYLIN_PALE = "#B39DDB"
EOSIN = "#C2417C"
EOSIN_PALE = "#F08FB4"
# Lines and their labels stand on white and on near-black alike; both reach 4:1 on either.
VIOLET_LINE = "#8465CC"
PINK_LINE = "#D6478B"
GRID = "rgba(128, 128, 128, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"


def mix(colour: str, ground: str, share: float) -> str:
    """Return the hex colour that lies ``share`` (0 to 1) of the way from ground to colour."""
    pairs = zip(_channels(colour), _channels(ground), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02X}" for a, b in pairs)


@lru_cache(maxsize=500)
def ink_on(fill: str) -> str:
    """Return black or white, whichever stands out more from a hex colour (WCAG 2 contrast)."""
    light = _luminance(fill)
    return "#FFFFFF" if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else "#000000"


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def quiet(figure: go.Figure, height: float) -> go.Figure:
    """Give a figure the look of all: no legend, no ground of its own, thin grid, small margins."""
    figure.update_layout(
        height=height,
        showlegend=False,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        # Right of the last tick half of its label has room; without any, Plotly leaves it out.
        margin={"l": 8, "r": 16, "t": 28, "b": 8},
        hoverlabel={"font_size": 13},
        bargap=0.25,
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True, fixedrange=True)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, fixedrange=True)
    return figure


def height_of(figure: go.Figure) -> float:
    """Return the height that :func:`quiet` gave a figure, in pixels."""
    layout: Any = figure.layout  # its attributes are made as they are asked for
    return layout.height


def percent_axis(figure: go.Figure) -> None:
    """Let the vertical axis run from 0 to 100 %."""
    ticks = [0, 0.25, 0.5, 0.75, 1]
    figure.update_yaxes(
        range=[0, 1.03], tickvals=ticks, ticktext=[whole_percent(tick) for tick in ticks]
    )
