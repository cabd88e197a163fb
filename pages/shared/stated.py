"""Whether a figure may be stated, beside the figure: a badge, and what the test cannot tell."""

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from lymph.evaluation import STANDARD, Verdict
from lymph.reports.tables import verdict_text
from pages.shared.frame import plain

COLOURS: dict[Verdict, Literal["green", "orange", "red"]] = {
    Verdict.CAN: "green",
    Verdict.CARE: "orange",
    Verdict.CANNOT: "red",
}
LEVELS = {"pictures": "Per picture", "patients": "Per patient"}


def show_stated(section: Mapping[str, Any]) -> None:
    """Say in a badge whether a section's accuracy may be stated, and below what it cannot tell."""
    stated = section["stated"]
    st.badge(verdict_text(section), color=COLOURS[Verdict(stated["verdict"])])
    told = " ".join(part for part in (stated["lesson"], stated["needed_words"]) if part)
    because = "; ".join(stated["reasons"])
    st.caption(plain(told or f"{because[:1].upper()}{because[1:]}."))


def show_why(report: Mapping[str, Any]) -> None:
    """Offer the reasons of both levels, and the standard that they follow."""
    with st.expander("May these figures be stated?", key="may_be_stated"):
        for level, title in LEVELS.items():
            st.markdown(f"**{title}.** {plain(report[level]['stated']['words'])}")
        st.caption(STANDARD.format(unit="pictures or patients"))
