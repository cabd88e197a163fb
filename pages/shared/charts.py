"""A chart on a page: it can be kept as a picture, and says in words what it shows."""

import plotly.graph_objects as go
import streamlit as st

# The camera keeps a chart as PNG; nothing is asked of the network.
CHART = {"displaylogo": False, "modeBarButtons": [["toImage"]]}


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a chart that can be kept as PNG; ``alt`` is read to those who cannot see it."""
    config = {**CHART, "toImageButtonOptions": {"filename": key}}
    st.plotly_chart(figure, key=key, config=config, alt=alt)
