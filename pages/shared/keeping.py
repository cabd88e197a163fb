"""What can be kept of a run: its predictions, charts, report, model, and the code behind it."""

import streamlit as st

from pages.shared.judging import Judged, base_of


def show_downloads(judged: Judged) -> None:
    """Offer everything that can be kept of a run."""
    st.caption(base_of(judged))
