"""The two numbers that answer the page's question, and what makes them worthless."""

import streamlit as st

from lymph.evaluation import interval_words
from lymph.reports.tables import mark_title, people_text, right_text
from lymph.text import SET_TITLES
from pages.shared.frame import plain
from pages.shared.judging import Judged
from pages.shared.stated import show_stated


def show_numbers(judged: Judged) -> None:
    """Show the two numbers that answer the page's question."""
    report = judged.report
    pictures, patients = report["pictures"], report["patients"]
    unknown = report.get("patients_unknown")
    mark = f" · {judged.mark}" if judged.mark else ""
    with st.grid(2, min_column_width=190, key="quality"):
        with st.container(gap=None):
            st.metric(
                f"Classified correctly, per picture{mark}", f"{100 * pictures['accuracy']:.0f} %"
            )
            st.caption(f"{interval_words(pictures['interval'])}, {pictures['n']} pictures")
            show_stated(pictures)
        with st.container(gap=None):
            st.metric(f"Classified correctly, per patient{mark}", right_text(report))
            if not unknown:
                st.caption(f"{interval_words(patients['interval'])}, {people_text(report)}")
                show_stated(patients)
    of_patients = f" and {100 * patients['baseline']:.0f} % of the patients"
    st.caption(
        f"{SET_TITLES[judged.set_name]} set, split by {judged.run.split().by}. Always saying the"
        f" largest class would be correct on {100 * pictures['baseline']:.0f} % of the pictures"
        f"{'' if unknown else of_patients}."
    )


def show_leak(judged: Judged) -> None:
    """Say in red what makes the figures worthless; it is the first of the warnings."""
    if judged.mark:
        title = mark_title(judged.report)
        st.error((f"**{title}** " if title else "") + plain(judged.report["warnings"][0]))
