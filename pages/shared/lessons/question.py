"""The first step of a lesson: what happened, and a guess, of one's own or of the whole class."""

from collections.abc import Callable

import streamlit as st

from lymph.classroom.votes import vote_on
from lymph.text import parted
from pages.shared.lessons.scene import Scene
from pages.shared.lessons.vote import show_bars, show_controls
from pages.shared.lessons.way import LETTERS, guess_of, keep_guess
from pages.shared.visitor import who

# Letters of a slide, in type that the last row can read.
SLIDE_LETTERS = 520


def text_parts(text: str, stage: bool) -> list[Callable[[], None]]:
    """Return what draws a text: whole, or on stage in parts that fill a slide each."""
    return [_saying(page) for page in (parted(text, SLIDE_LETTERS) if stage else [text])]


def _saying(page: str) -> Callable[[], None]:
    def say() -> None:
        st.markdown(page)

    return say


def show_guesses(scene: Scene) -> None:
    """Draw the answers to choose from, or the bars of a vote that is closed, and the vote."""
    answers = vote_place = st.container()
    if scene.stage:
        answers, vote_place = st.columns([1.75, 1], gap="large", vertical_alignment="center")
    vote = vote_on(who(), scene.lesson.slug, len(scene.lesson.choices))
    with answers:
        if vote is not None and not vote.open and vote.total:
            show_bars(vote, scene.lesson.choices)
        else:
            _show_buttons(scene)
    with vote_place:
        show_controls(scene.lesson, vote)


def _show_buttons(scene: Scene) -> None:
    lesson, guessed = scene.lesson, guess_of(scene.lesson)
    st.markdown("**What is your guess?**")
    with st.container(gap="small", key="lesson_guesses"):
        # Buttons, not a radio: its input would swallow the keys that lead on.
        for place, choice in enumerate(lesson.choices):
            st.button(
                f"**{LETTERS[place]}**  {choice}",
                on_click=keep_guess,
                args=(lesson, place),
                type="primary" if place == guessed else "secondary",
                width="stretch" if scene.stage else "content",
                key=f"guess_{lesson.slug}_{place}",
                shortcut=str(place + 1),
            )
