"""A chart on a page: it can be kept as a picture, and says in words what it shows."""

import plotly.graph_objects as go
import streamlit as st

from pages.shared.navigation import on_stage

# The camera keeps a chart as PNG; nothing is asked of the network.
CHART = {"displaylogo": False, "modeBarButtons": [["toImage"]]}

# As deck.css writes the words of a chart: Plotly leaves room for the type that it knows of.
SLIDE_TYPE = 17


def sized(figure: go.Figure, height: int) -> go.Figure:
    """Return on stage a copy of a chart with a slide's type and this height; else the chart."""
    if not on_stage():
        return figure
    return go.Figure(figure).update_layout(
        height=height, font_size=SLIDE_TYPE, legend_font_size=SLIDE_TYPE
    )


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a chart that can be kept as PNG; ``alt`` is read to those who cannot see it."""
    config = {**CHART, "toImageButtonOptions": {"filename": key}}
    st.plotly_chart(figure, key=key, config=config, alt=alt)
