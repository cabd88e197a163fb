"""What every page begins with, and what it shows when there is nothing to show."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.text import printable
from pages.shared import state
from pages.shared.navigation import go_to

SYNTHETIC_NOTICE = "Synthetic set: every picture is computer drawn, none is from a patient."

STYLES = """
<style>
.lymph-notice {display:inline-block; padding:.15rem .6rem; border-radius:1rem; font-size:.85rem;
  border:1px solid color-mix(in srgb, currentColor 35%, transparent);}
.lymph-picture {margin:0; position:relative; line-height:0;}
.lymph-picture img {width:100%; height:auto; border-radius:4px; border:3px solid var(--edge, grey);}
.lymph-badge {display:inline-block; padding:.1rem .45rem; border-radius:3px; font-size:.78rem;
  font-weight:650; line-height:1.25; background:var(--edge, grey); color:var(--ink, white);
  max-width:100%; box-sizing:border-box; overflow-wrap:anywhere;}
.lymph-legend {display:flex; flex-wrap:wrap; gap:.3rem;}
.lymph-picture .lymph-badge {position:absolute; left:3px; top:3px; border-radius:3px 0 4px 0;}
[class*="_open_"] button {padding:.15rem 0 0; min-height:0; font-size:.86rem;}
.lymph-caption {font-size:.82rem; line-height:1.3; opacity:.8;
  overflow-wrap:anywhere;}
.lymph-patient {display:grid; grid-template-columns:9.5rem 1fr; gap:.25rem .8rem; padding:.45rem 0;
  border-top:1px solid color-mix(in srgb, currentColor 14%, transparent); align-items:start;}
.lymph-patient .who {font-size:.9rem; line-height:1.4;}
.lymph-patient .who small {opacity:.75; white-space:nowrap;}
.lymph-line {display:flex; flex-wrap:wrap; gap:3px;}
.lymph-thumb {position:relative; line-height:0;}
.lymph-thumb img {height:32px; width:auto; border-radius:2px; border:2px solid transparent;}
.lymph-thumb.val img {border:2px dashed #8F6FD0;}
.lymph-thumb.test img {border:2px solid #D6478B;}
.lymph-thumb b {position:absolute; right:2px; bottom:2px; font-size:.62rem; line-height:1;
  padding:1px 3px; border-radius:2px; color:#fff; background:#6B4BAE;}
.lymph-thumb.test b {background:#B8326F;}
.lymph-sibling {margin:0; display:flex; flex-direction:column; gap:2px; line-height:0;}
.lymph-sibling img {height:72px; width:auto; border-radius:3px;}
.lymph-steps {font-size:.9rem; line-height:1.75;}
.lymph-steps .open {opacity:.6;}
@media (max-width:640px) {.lymph-patient {grid-template-columns:1fr;} .stButton kbd {display:none;}
  [data-testid="stColumn"]:has(> * .st-key-choosers_first) {order:-1;}}
.st-key-other_runs button {justify-content:start; text-align:start;}
.st-key-other_runs button p {text-decoration:underline; text-underline-offset:.2em;}
</style>
"""


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

    Every text that a user, a file or an address brought goes through here on its way into what
    Streamlit takes for Markdown (any label, option, message or caption), and through ``escape``
    on its way into HTML.
    """
    return MARKS.sub(r"\\\1", CHANGED_LATE.sub(WORD_JOINER, printable(text)))


def escape(text: object) -> str:
    """Make text that someone else wrote safe inside HTML."""
    return html.escape(printable(text), quote=True)


def begin(question: str, data_set: DataSet | None, notice: str = SYNTHETIC_NOTICE) -> None:
    """Draw the page's question and, where the pictures are not real, say so."""
    st.html(STYLES)
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
    """Show what a user can mend in the place of the part of a page that it spoils."""
    try:
        yield
    except LymphError as error:
        show_error(error)


def show_error(error: LymphError) -> None:
    """Show what went wrong and how to mend it; the words may hold names that a user chose."""
    st.error(plain(str(error)))
