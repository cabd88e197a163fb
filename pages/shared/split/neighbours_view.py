"""What lies next to a picture in the features of the leak meter, beside its accuracy."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lymph.charts import neighbour_bars
from lymph.evaluation import INDEX_WORDS, Robustness, interval_text, robustness_words
from pages.shared.frame import plain


def show_neighbours(result: Mapping[str, Any], title: str) -> None:
    """Draw what the nearest neighbours share; nothing of a measurement that has none.

    Parameters
    ----------
    result : mapping
        Of a measurement of the leak.
    title : str
        What the features are called.
    """
    found = result.get("neighbours")
    if not found:
        return
    told = Robustness(**found)
    st.markdown(f"**What do these features hold close together?** {plain(robustness_words(told))}")
    st.plotly_chart(
        neighbour_bars({title: found}), key="neighbour_bars", config={"displayModeBar": False}
    )
    interval = ""
    if told.index_interval:
        interval = f" Its 95 % interval over patients: {interval_text(told.index_interval)}."
    st.caption(
        f"{INDEX_WORDS}{interval} After de Jong et al. 2025 (arXiv 2501.18055), with patients in"
        " place of medical centres. The whisker is the 95 % interval over patients."
    )
