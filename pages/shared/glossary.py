"""The field's terms, at hand on every page."""

from collections.abc import Sequence
from functools import cache

import streamlit as st

from lymph.glossary import GLOSSARY


def show_glossary(
    terms: Sequence[str] | None = None, label: str = "Glossary", key: str = "glossary"
) -> None:
    """Draw a popover with the terms, all of them or some, in alphabetical order."""
    with st.popover(label, key=key), st.container(height="content" if terms else 420, border=False):
        st.markdown(_written(tuple(terms or GLOSSARY)))


@cache
def _written(terms: tuple[str, ...]) -> str:
    chosen = sorted(terms, key=str.lower)
    return "\n\n".join(f"**{term}**: {GLOSSARY[term]}" for term in chosen)
