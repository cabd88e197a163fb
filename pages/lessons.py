"""Lessons: what went wrong in the notebook, guessed, run, seen and fixed."""

from functools import partial
from itertools import zip_longest
from pathlib import Path

import pandas as pd
import streamlit as st

from lymph.data import sources
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.lessons.catalogue import LESSONS, lesson_of
from lymph.lessons.lesson import STEPS, Lesson
from pages.shared import loading
from pages.shared.frame import begin_on_pictures, show_caveat, show_error
from pages.shared.glossary import show_glossary
from pages.shared.lessons import way
from pages.shared.lessons.scene import Scene, runs_of, scene_of
from pages.shared.lessons.slides import parts_of
from pages.shared.navigation import ensure_app, on_stage
from pages.shared.sidebar import being_drawn, wait_until_drawn
from pages.shared.stage.deck import Slide, show_page
from pages.shared.stage.view import use_slide
from pages.shared.turning import mark_place

QUESTION = "What went wrong, and how would you have noticed?"
INTRODUCTION = (
    f"{len(LESSONS)} lessons, from a real course notebook and from published studies. In each of"
    " them you guess first, watch it happen live on the pictures you have loaded, and then see the"
    " lines that fix it."
)
STYLES = Path(__file__).parent / "shared" / "lessons" / "lessons.css"


def page() -> None:
    slug = way.lesson_in_address()
    if on_stage() and not slug:
        show_page(
            "lessons",
            QUESTION,
            lambda data_set: [Slide(QUESTION, partial(offer_lessons, data_set))],
        )
        return
    try:
        lesson = lesson_of(slug) if slug else None
        if lesson and on_stage():
            use_slide()
        data_set = begin_on_pictures(lesson.question if lesson else QUESTION)
        if data_set is None:
            return
        if is_drawn_still(data_set):
            if lesson:
                wait_until_drawn()
            offer_lessons(data_set)
            return
        st.html(STYLES)
        table = loading.picture_table(data_set)
        if not (lesson and on_stage()):
            show_caveat(loading.found(data_set).source.caveat)
        if lesson:
            show_lesson(lesson, data_set, table)
        else:
            list_lessons(data_set, table)
    except LymphError as error:
        show_error(error)
        st.button("All lessons", on_click=way.leave, key="all_lessons")


def is_drawn_still(data_set: DataSet) -> bool:
    """Tell whether a data set's pictures are still being drawn."""
    return data_set.path == sources.demo_folder() and being_drawn()


def offer_lessons(data_set: DataSet) -> None:
    """Draw the lessons, which can be read before there are pictures."""
    st.html(STYLES)
    table = None if is_drawn_still(data_set) else loading.picture_table(data_set)
    list_lessons(data_set, table)


def list_lessons(data_set: DataSet, table: pd.DataFrame | None) -> None:
    """Draw the lessons; without a table none of them has been run."""
    st.write(INTRODUCTION)
    # A slide is scaled as a whole, and Streamlit would count the columns of its size on the screen.
    grid = st.grid(4 if on_stage() else "auto", min_column_width=280, key="lessons")
    slugs = tuple(lesson.slug for lesson in LESSONS)
    runs = () if table is None else runs_of(slugs, data_set, table)
    for lesson, run in zip_longest(LESSONS, runs):
        with grid.cell().container(border=True, key=f"lesson_card_{lesson.slug}"):
            st.header(f"{lesson.number}. {lesson.title}", anchor=False)
            st.write(lesson.question)
            kept = run is not None and run.figures() is not None
            st.caption("✓ has been run here" if kept else f"runs in about {lesson.seconds} s")
            st.button("Open", on_click=way.go, args=(lesson.slug,), key=f"open_{lesson.slug}")


def show_lesson(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    scene, step = scene_of(lesson, data_set, table), way.step_in_address()
    parts = parts_of(scene, step)
    if scene.stage:
        slide = way.slide_in_address(len(parts))
        with st.container(key="slide"):
            parts[slide - 1]()
        show_keys(scene, step, slide, len(parts))
        return
    show_keys(scene, step, 1, 1)
    with st.container(key="lesson_body"):
        for part in parts:
            part()


def show_keys(scene: Scene, step: int, slide: int, slides: int) -> None:
    """Draw where one is in the lesson, every step a button, and the way back and on."""
    lesson = scene.lesson
    before, after = place_before(scene, step, slide), place_after(lesson, step, slide, slides)
    waiting = step == 1 and slide == slides and not scene.stage and way.guess_of(lesson) is None
    ends = step == len(STEPS) and slide == slides
    label = "Next lesson" if ends else "Guess first" if waiting else "Next"
    with st.container(horizontal=True, key="lesson_keys", vertical_alignment="center", gap="small"):
        st.button("Back", on_click=way.go, args=before or (lesson.slug,), key="back",
                  shortcut="Left", disabled=before is None)  # fmt: skip
        st.button(label, on_click=way.go, args=after, key="next", type="primary",
                  shortcut="Right", disabled=waiting)  # fmt: skip
        mark_place(f"{lesson.slug} {step:d} {slide:d}", "back", "next")
        show_steps(lesson, step)
        if scene.stage and slides > 1:
            st.caption(f"Slide {slide} of {slides}")
        st.button("Start over", on_click=way.start_over, args=(lesson.slug,), key="reset",
                  shortcut="Home", type="tertiary")  # fmt: skip
        st.button("All lessons", on_click=way.leave, key="all_lessons", type="tertiary")
        if not scene.stage:
            show_glossary(lesson.terms, "Words used here", "lesson_terms")


def show_steps(lesson: Lesson, step: int) -> None:
    """Draw the steps as buttons that lead to them."""
    with st.container(horizontal=True, key="lesson_steps", gap=None, width="content"):
        for place, name in enumerate(STEPS, start=1):
            st.button(
                f"**{place} {name}**" if place == step else f"{place} {name}",
                on_click=way.go,
                args=(lesson.slug, place),
                type="tertiary",
                key=f"step_{place}{'_now' if place == step else ''}",
            )


def place_before(scene: Scene, step: int, slide: int) -> tuple[str, int, int] | None:
    """Return lesson, step and slide before a place; None before the first of all."""
    lesson = scene.lesson
    if slide > 1:
        return lesson.slug, step, slide - 1
    if step > 1:
        count = len(parts_of(scene, step - 1)) if scene.stage else 1
        return lesson.slug, step - 1, count
    return (LESSONS[lesson.number - 2].slug, len(STEPS), 1) if lesson.number > 1 else None


def place_after(lesson: Lesson, step: int, slide: int, slides: int) -> tuple[str, int, int]:
    """Return lesson, step and slide after a place; after the last lesson comes the first."""
    if slide < slides:
        return lesson.slug, step, slide + 1
    if step < len(STEPS):
        return lesson.slug, step + 1, 1
    return LESSONS[lesson.number % len(LESSONS)].slug, 1, 1


ensure_app()
page()
