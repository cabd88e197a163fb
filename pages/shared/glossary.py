"""The field's terms, at hand on every page."""

from collections.abc import Sequence

import streamlit as st

from lymph.glossary import GLOSSARY


def show_glossary(
    terms: Sequence[str] | None = None, label: str = "Glossary", key: str = "glossary"
) -> None:
    """Draw a popover with the terms, all of them or some, in alphabetical order."""
    chosen = sorted(terms or GLOSSARY, key=str.lower)
    with st.popover(label, key=key), st.container(height="content" if terms else 420, border=False):
        st.markdown("\n\n".join(f"**{term}**: {GLOSSARY[term]}" for term in chosen))
