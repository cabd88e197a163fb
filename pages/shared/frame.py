"""What every page begins with, and what it shows when there is nothing to show."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.text import printable
from pages.shared import state
from pages.shared.navigation import go_to

SYNTHETIC_NOTICE = "Synthetic set: every picture is computer drawn, none is from a patient."

STYLES = Path(__file__).with_name("frame.css")


# What Streamlit changes in finished text, escaped or not, each cut in two where an invisible mark
# is set: addresses, mails, icons and arrows.
CHANGED_LATE = re.compile(
    r"(?<=:)(?=[\w/+-])|(?<=www)(?=\.)|(?<=@)(?=\S)"
    r"|(?<=(?<!\S)<-)(?=>(?!\S))|(?<=(?<!\S)[-<>~])(?=[-=>](?!\S))",
    re.IGNORECASE,
)
WORD_JOINER = "\u2060"
MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^&=])")


def plain(text: object) -> str:
    """Make text that someone else wrote show as it stands: no Markdown, maths, links or icons.

    No line breaks between a number and its percent sign.

    Every text that a user, a file or an address brought goes through here on its way into what
    Streamlit takes for Markdown (any label, option, message or caption), and through ``escape``
    on its way into HTML.
    """
    return MARKS.sub(
        r"\\\1", CHANGED_LATE.sub(WORD_JOINER, printable(text).replace(" %", "\u00a0%"))
    )


def escape(text: object) -> str:
    """Make text that someone else wrote safe inside HTML."""
    return html.escape(printable(text), quote=True)


def style() -> None:
    """Bring what every page's looks share; it takes no place."""
    st.html(STYLES)


def begin(question: str, data_set: DataSet | None, notice: str = SYNTHETIC_NOTICE) -> None:
    """Draw the page's question and, where the pictures are not real, say so."""
    st.title(question, anchor=False)
    if data_set is not None and data_set.synthetic:
        st.html(f'<span class="lymph-notice">{notice}</span>')


def begin_on_pictures(question: str, notice: str = SYNTHETIC_NOTICE) -> DataSet | None:
    """Begin a page that needs pictures; without any, offer the way to them and return None."""
    data_set = state.current_data_set()
    begin(question, data_set, notice)
    if data_set is None:
        next_step("There are no pictures yet.", "data", "Add pictures")
    return data_set


def offer_training() -> None:
    """Say that there is no trained model yet and offer the way to one."""
    next_step("No model has learned from these pictures yet.", "train", "Train a model")


def next_step(text: str, step: str, label: str) -> None:
    """Say what comes next and offer the button that leads there."""
    with st.container(border=True, key=f"next_{step}"):
        st.write(text)
        if st.button(label, type="primary", key=f"go_{step}"):
            go_to(step)


def show_caveat(caveat: str) -> None:
    """Say what goes with every figure of pictures whose patients nobody knows."""
    if caveat:
        st.warning(plain(caveat))


@contextmanager
def told() -> Iterator[None]:
    """Show what a user can put right in the place of the part of a page that it spoils."""
    try:
        yield
    except LymphError as error:
        show_error(error)


def show_error(error: LymphError) -> None:
    """Show what went wrong and how to fix it; the words may hold names that a user chose."""
    st.error(plain(str(error)))
