"""No text of a user, a file or an address is Markdown, HTML or a crash on any page."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lymph.text import brief, printable
from pages.shared.frame import WORD_JOINER, escape, plain
from tests.pages.parameters import PAGES
from tests.pages.texts import COUNTS, OURS, Judge, Module, modules

HEAD = "import streamlit as st\nfrom pages.shared.frame import escape, plain\n"


def test_every_text_on_a_page_is_ours_or_was_made_plain() -> None:
    """A text that goes to Streamlit as it came fails here, with its line and the part to blame.

    Wrap what somebody chose in ``plain`` (``escape`` inside HTML). Write a number with a format, as
    ``{count:d}``; what is ours and cannot be seen to be is listed in ``texts.py``.
    """
    judge = Judge(modules())
    assert [str(fault) for fault in judge.faults()] == []
    assert (OURS | COUNTS) - judge.used == set(), "listed, but no longer shown on any page"


@pytest.mark.parametrize(
    "code",
    [
        "def f(name):\n    st.warning(name)\nf(run.about.name)",
        "st.write('a', run.name)",
        "st.markdown(f'**{row.patient}**')",
        "st.markdown('- ' + error.args[0])",
        "st.html(f'<b>{plain(name)}</b>' for name in names)",
        "st.caption(escape(name))",
        "words = 'a'\nfor doubt in doubts:\n    words += doubt\nst.caption(words)",
        "st.segmented_control('Class', classes)",
        "st.radio('Class', classes, format_func=str)",
        "st.pills('Class', classes, format_func=lambda name: name)",
        "st.button('a', help=run.name)",
        "st.image(pixels, caption=name)",
        "st.progress(0.5, file.name)",
        "st.metric('Patients', run.about.note)",
        "left.subheader(name)",
        "def words(run):\n    return run.name if run else ''\nst.info(words(run))",
        "st.table(frame)",
        "st.tabs([plain(a), b])",
    ],
)
def test_a_text_that_was_forgotten_is_found(code: str) -> None:
    assert len(Judge([Module(PAGES / "sample.py", HEAD + code)]).faults()) == 1


@pytest.mark.parametrize(
    "code",
    [
        "def f(name):\n    st.warning(name)\nf('a')\nf(plain(run.name))",
        "WORDS = {}\nst.markdown(f'**{plain(row.patient)}** {share:.0%} {WORDS[a]}')",
        "st.html(''.join(f'<b>{escape(name)}</b>' for name in names))",
        "st.segmented_control('Class', classes, format_func=plain)",
        "st.selectbox('Class', classes)",
        "def words(run):\n    return plain(run.name) if run else ''\nst.info(words(run))",
        "for label, way in (('a', x), ('b', y)):\n    st.button(label)",
        "st.table(frame.map(plain))",
    ],
)
def test_a_text_that_was_made_plain_is_not(code: str) -> None:
    assert Judge([Module(PAGES / "sample.py", HEAD + code)]).faults() == []


@given(st.text())
@example("0\r%")
@example("12 %, 3  %")
def test_plain_and_escape_keep_every_letter_that_shows(text: str) -> None:
    """Taking the backslashes and joiners away gives the text, on one line, without what hides.

    But for a space before a percent sign: there it keeps the two together.
    """
    shown, told = printable(text), plain(text)
    assert not set(shown) & set(map(chr, [*range(32), *range(127, 160), 0x202E, 0x2060]))
    assert told.encode().decode() == told and escape(text).encode().decode() == escape(text)
    kept = told.replace(WORD_JOINER, "")
    letters, escaped = [], False
    for letter in kept:
        if letter == "\\" and not escaped:
            escaped = True
            continue
        letters.append(letter)
        escaped = False
    assert "".join(letters) == shown.replace(" %", "\xa0%") and len(brief(text, 10)) <= 10


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("http://a.b/c", "http:|//a.b/c"),
        ("WWW.a.b", "WWW|.a.b"),
        ("a@b.c", "a@|b.c"),
        (":material/home:", ":|material/home:"),
        ("a -> b", "a -|> b"),
        ("a <-> b", "a <-|> b"),
        ("-- preset", "-|- preset"),
        ("--preset: x", "--preset: x"),
    ],
)
def test_what_streamlit_changes_after_escapes_is_cut(text: str, cut: str) -> None:
    """It makes links, icons and arrows of finished text, where a backslash is gone already."""
    assert plain(text).replace("\\", "") == cut.replace("|", WORD_JOINER)
