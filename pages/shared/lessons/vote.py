"""The vote of a class on a lesson's question: the lecturer's part, and the page of the phones."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from lymph.classroom.settings import class_settings
from lymph.classroom.votes import (
    Vote,
    clear_vote,
    close_vote,
    guess,
    latest_question,
    open_vote,
    vote_on,
)
from lymph.classroom.who import Visitor
from lymph.errors import LymphError
from lymph.lessons.catalogue import lesson_of
from lymph.lessons.lesson import Lesson
from pages.shared.frame import escape, plain
from pages.shared.lessons.way import LETTERS
from pages.shared.navigation import VOTE
from pages.shared.visitor import who

STYLES = Path(__file__).with_name("vote.css")
PHONE_STYLES = Path(__file__).with_name("phone.css")
COUNT_SECONDS, PHONE_SECONDS = 1.0, 2.0
NO_CLASS = (
    "A class can vote with its phones. Start lymph with `python -m lymph serve`, join with the"
    " lecturer's key, and this page shows a QR code."
)


# ---- the lecturer's screen -----------------------------------------------------------------------


def show_controls(lesson: Lesson, vote: Vote | None) -> None:
    """Draw how the vote stands: for the lecturer with a QR code, and the way to open and close."""
    visitor = who()
    if visitor.free:
        st.caption(NO_CLASS)
    elif visitor.lecturer:
        st.html(STYLES)
        with st.container(key="vote", gap="small"):
            _show_lecturer(lesson, vote)
    elif vote is not None and vote.open:
        st.caption("The class is voting: your guess counts.")


def _show_lecturer(lesson: Lesson, vote: Vote | None) -> None:
    if vote is None:
        st.caption("Let the class guess with their phones before you run it.")
        _button("Ask the class", open_vote, lesson, primary=True)
        return
    if vote.open:
        _show_code()
    _count(lesson, vote)
    with st.container(horizontal=True, gap="small"):
        if vote.open:
            _button("Close and show the bars", close_vote, lesson, primary=True)
        else:
            _button("Open again", open_vote, lesson)
        _button("Clear", clear_vote, lesson, shortcut=None)


def _button(
    label: str,
    action: Callable[[Visitor, str], None],
    lesson: Lesson,
    primary: bool = False,
    shortcut: str | None = "V",
) -> None:
    st.button(
        label,
        on_click=_change,
        args=(action, lesson.slug),
        type="primary" if primary else "secondary",
        shortcut=shortcut,
        key=f"vote_{action.__name__.removesuffix('_vote')}",
    )


def _change(action: Callable[[Visitor, str], None], slug: str) -> None:
    try:
        action(who(), slug)
    except LymphError as error:
        st.toast(plain(str(error)))


def _show_code() -> None:
    # Loaded late: only a class needs it.
    from lymph.classroom.qr import as_picture

    settings = class_settings()
    if settings is not None:
        address = f"{settings.address}/{VOTE}"
        st.image(as_picture(address), width=230, alt="QR code of the address below")
        st.html(f'<div class="lymph-vote-address">{escape(address)}</div>')


def _count(lesson: Lesson, vote: Vote) -> None:
    """Draw how many have guessed, and count on while the vote is open."""

    def draw() -> None:
        now = vote_on(who(), lesson.slug, len(lesson.choices))
        total = now.total if now is not None else 0
        st.html(f'<div class="lymph-vote-count"><b>{total:d}</b> {_noun(total)}</div>')

    st.fragment(draw, run_every=COUNT_SECONDS if vote.open else None)()


def _noun(total: int) -> str:
    return "guess" if total == 1 else "guesses"


def show_bars(vote: Vote, choices: Sequence[str]) -> None:
    """Draw how many guessed each answer."""
    st.html(STYLES)
    rows = []
    for place, choice in enumerate(choices):
        count = vote.counts[place]
        share = count / max(1, vote.total)
        chosen = " own" if place == vote.own else ""
        rows.append(
            f'<li class="{chosen}"><span class="letter">{LETTERS[place]}</span>'
            f'<span class="answer">{escape(choice)}</span>'
            f'<span class="bar"><i style="width:{100 * share:.1f}%"></i></span>'
            f'<span class="count">{count:d} <small>{100 * share:.0f} %</small></span></li>'
        )
    st.html(f'<ul class="lymph-vote-bars">{"".join(rows)}</ul>')


# ---- the phones ----------------------------------------------------------------------------------


def show_phone() -> None:
    """Draw what a phone sees: the question that is asked now, and its answers in large buttons."""
    st.html(STYLES)
    st.html(PHONE_STYLES)
    if class_settings() is None:
        st.title("Vote", anchor=False)
        st.write(NO_CLASS)
        return
    with st.container(key="vote_phone"):
        st.fragment(_follow, run_every=PHONE_SECONDS)()


def _follow() -> None:
    slug = latest_question()
    lesson = lesson_of(slug) if slug else None
    vote = vote_on(who(), slug, len(lesson.choices)) if lesson else None
    if lesson is None or vote is None:
        st.title("The vote has not begun", anchor=False)
        st.write("Keep this page open: the question appears as soon as it is asked.")
        return
    st.title(lesson.question, anchor=False)
    if not vote.open:
        st.write(f"The vote is closed, with {vote.total:d} {_noun(vote.total)}.")
        show_bars(vote, lesson.choices)
        return
    for place, choice in enumerate(lesson.choices):
        st.button(
            f"**{LETTERS[place]}**  {choice}",
            on_click=_guess,
            args=(lesson, place),
            type="primary" if place == vote.own else "secondary",
            width="stretch",
            key=f"vote_{lesson.slug}_{place}",
        )
    if vote.own is None:
        st.write("Tap the answer that you think is right.")
    else:
        st.write(f"You guessed {LETTERS[vote.own]}. You can change it until the vote is closed.")


def _guess(lesson: Lesson, place: int) -> None:
    try:
        guess(who(), lesson.slug, place, len(lesson.choices))
    except LymphError as error:
        st.toast(plain(str(error)))
