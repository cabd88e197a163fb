"""A page as slides: one question and one thing to look at on each, with keys to go on and back."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import streamlit as st

from lymph.data.sources import DataSet
from pages.shared import state
from pages.shared.frame import told
from pages.shared.navigation import (
    FILES,
    STAGE_KEY,
    START,
    TITLES,
    data_in_address,
    put_in_address,
    switch_page,
)
from pages.shared.stage.view import use_deck
from pages.shared.turning import mark_place

SLIDE_KEY = "slide"
WANTED_KEY = "slide_wanted"
# In the order of the menu; after the last page comes the first.
PAGES = {"": START, **FILES}
LAST = "99"


class Slide(NamedTuple):
    """One slide: the question over it, and what draws the answer."""

    question: str
    draw: Callable[[], object]


def show_page(name: str, question: str, slides: Callable[[DataSet], Sequence[Slide]]) -> None:
    """Show a page that needs pictures as slides; without any, a slide that says so."""
    turn_if_wanted()
    data_set = state.current_data_set()
    made: Sequence[Slide] = ()
    if data_set is not None:
        with told():
            made = slides(data_set)
    show_slides(name, made or [Slide(question, say_nothing)])


def say_nothing() -> None:
    """Say on a slide that there is nothing to show yet."""
    st.write("There is nothing to show here yet: leave the stage to prepare it.")


def show_slides(name: str, slides: Sequence[Slide]) -> None:
    """Show one slide of a page, the one in the address, and the keys below it.

    Parameters
    ----------
    name : str
        Of the page, as in its address; empty for the start.
    slides : sequence of Slide
        At least one.
    """
    turn_if_wanted()
    use_deck()
    place = slide_in_address(len(slides))
    slide = slides[place - 1]
    st.title(slide.question, anchor=False)
    with st.container(key="slide"), told():
        slide.draw()
    show_keys(name, place, len(slides))


def slide_in_address(count: int) -> int:
    """Return the slide to show, 1 to ``count``; a later one in the address is the last."""
    text = st.query_params.get(SLIDE_KEY, "1")
    number = int(text) if text.isdecimal() and len(text) < 9 else 1
    return min(max(number, 1), count)


def show_keys(name: str, place: int, count: int) -> None:
    """Draw the way back and on: the page's other slides, then the pages beside it."""
    names = list(PAGES)
    at = names.index(name)
    before, after = names[at - 1], names[(at + 1) % len(names)]
    with st.container(horizontal=True, key="slide_keys", vertical_alignment="center", gap="small"):
        if place > 1:
            _button("Back", "back", go, place - 1)
        else:
            _button(f"Back to {title_of(before)}", "back", want_page, before, LAST)
        if place < count:
            _button("Next", "next", go, place + 1)
        else:
            _button(f"On to {title_of(after)}", "next", want_page, after, "1")
        mark_place(f"{name} {place:d}", "back", "next")
        if count > 1:
            st.caption(f"Slide {place:d} of {count:d}")


def _button(label: str, key: str, act: Callable[..., None], *args: object) -> None:
    """Draw a key of the slide. It acts before the page is drawn: a slide that is left takes time.

    What it does is never asked of its value: the button of the next slide has the same key, and
    would be pressed as well.
    """
    kind: Literal["primary", "secondary"] = "primary" if key == "next" else "secondary"
    shortcut = "Right" if key == "next" else "Left"
    st.button(label, on_click=act, args=args, key=key, type=kind, shortcut=shortcut)


def title_of(name: str) -> str:
    """Return what the menu calls a page."""
    return TITLES[name][0] if name else "Start"


def go(place: int) -> None:
    """Show another slide of the same page."""
    put_in_address(SLIDE_KEY, [str(place)] if place > 1 else [])


def want_page(name: str, slide: str) -> None:
    """Ask for a slide of another page; no page can be switched before one runs."""
    st.session_state[WANTED_KEY] = (name, slide)


def turn_to(name: str, slide: str) -> None:
    """Go to a slide of another page, on the same pictures."""
    switch_page(PAGES[name], {**data_in_address(), STAGE_KEY: "1", SLIDE_KEY: slide})


def turn_if_wanted() -> None:
    """Go to the page that a key of the last slide has asked for."""
    if wanted := st.session_state.pop(WANTED_KEY, None):
        turn_to(*wanted)
