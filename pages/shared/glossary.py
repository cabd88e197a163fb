"""The field's terms, at hand on every page, to be searched and linked to."""

from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

from lymph.glossary import GLOSSARY, search
from pages.shared.frame import plain

# In the address: the glossary opens at what it names.
TERM_KEY = "term"
SEARCH_KEY, OPENED_KEY = "glossary_search", "glossary_opened"


def show_glossary(terms: Sequence[str], label: str, key: str) -> None:
    """Draw a popover with some terms, in alphabetical order."""
    with st.popover(label, key=key), st.container(border=False):
        st.markdown(_entries(sorted(terms, key=str.lower)))


@st.fragment
def show_whole_glossary() -> None:
    """Draw a popover with all terms and a field that filters them; a link opens it at its term."""
    asked = st.query_params.get(TERM_KEY, "")
    if asked and st.session_state.get(OPENED_KEY) != asked:
        st.session_state[OPENED_KEY] = st.session_state[SEARCH_KEY] = asked
        st.session_state["glossary"] = True
    with st.popover("Glossary", key="glossary", on_change="rerun" if asked else "ignore"):
        wanted = st.text_input(
            "Search the glossary",
            key=SEARCH_KEY,
            type="search",
            placeholder="Search the glossary",
            label_visibility="collapsed",
            live="200ms",
            persist_state="session",
        )
        found = search(wanted or "")
        with st.container(height=420, border=False):
            st.markdown(_entries(found) if found else f"No term for {plain(wanted)}.")
        if wanted and found:
            st.caption(f"[Link to this search](?{TERM_KEY}={quote(wanted, safe='')})")


def _entries(terms: Sequence[str]) -> str:
    return "\n\n".join(f"**{term}**: {GLOSSARY[term]}" for term in terms)
