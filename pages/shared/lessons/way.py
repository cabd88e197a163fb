"""Where one stands in a lesson: lesson, step and slide are in the address, the guess is kept."""

import streamlit as st

from lymph.classroom.votes import guess, vote_on
from lymph.errors import LymphError
from lymph.lessons.lesson import STEPS, Lesson
from pages.shared.frame import plain
from pages.shared.navigation import put_in_address
from pages.shared.visitor import who

LESSON_KEY, STEP_KEY, SLIDE_KEY, PREPARED_KEY = "lesson", "step", "slide", "prepared"
GUESSES = "lesson_guesses"
LETTERS = "ABC"


def go(slug: str, step: int = 1, slide: int = 1) -> None:
    """Open a lesson at a step and a slide of it."""
    if slug != st.query_params.get(LESSON_KEY):
        put_in_address(PREPARED_KEY, [])
    put_in_address(LESSON_KEY, [slug])
    put_in_address(STEP_KEY, [str(step)])
    put_in_address(SLIDE_KEY, [str(slide)] if slide > 1 else [])


def leave() -> None:
    """Go back to the list of lessons."""
    for key in (LESSON_KEY, STEP_KEY, SLIDE_KEY, PREPARED_KEY):
        put_in_address(key, [])


def start_over(slug: str) -> None:
    """Forget the guess and begin at the question; the figures of the run stay."""
    st.session_state.get(GUESSES, {}).pop(slug, None)
    put_in_address(PREPARED_KEY, [])
    go(slug)


def lesson_in_address() -> str:
    """Return the slug of the lesson to show; nothing for the list of all."""
    return st.query_params.get(LESSON_KEY, "")


def step_in_address() -> int:
    """Return the step to show, 1 to 5; anything else in the address is the first."""
    return _place(st.query_params.get(STEP_KEY, "1"), len(STEPS), 1)


def slide_in_address(count: int) -> int:
    """Return the slide of a step to show, 1 to ``count``; a later one in the address is the last.

    What can be drawn changes while the page is open, as when a run is started over.
    """
    return _place(st.query_params.get(SLIDE_KEY, "1"), count, count)


def _place(text: str, count: int, otherwise: int) -> int:
    number = int(text) if text.isdecimal() and len(text) < 9 else 1
    return number if 1 <= number <= count else otherwise if number > count else 1


def wants_prepared() -> bool:
    """Tell whether the prepared results are to be shown in place of a run of one's own."""
    return st.query_params.get(PREPARED_KEY) == "1"


def show_prepared(slug: str) -> None:
    """Go to the answer with the results that come with lymph."""
    go(slug, 3)
    put_in_address(PREPARED_KEY, ["1"])


def forget_prepared() -> None:
    """Show one's own run again."""
    put_in_address(PREPARED_KEY, [])


def guess_of(lesson: Lesson) -> int | None:
    """Return what this visitor has guessed: in the class's vote, else in this session; or None."""
    vote = vote_on(who(), lesson.slug, len(lesson.choices))
    if vote is not None and vote.own is not None:
        return vote.own
    return st.session_state.get(GUESSES, {}).get(lesson.slug)


def keep_guess(lesson: Lesson, place: int) -> None:
    """Remember a guess for this session; while the class votes it counts there, too."""
    st.session_state.setdefault(GUESSES, {})[lesson.slug] = place
    vote = vote_on(who(), lesson.slug, len(lesson.choices))
    if vote is not None and vote.open:
        try:
            guess(who(), lesson.slug, place, len(lesson.choices))
        except LymphError as error:
            st.toast(plain(str(error)))
