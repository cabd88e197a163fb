"""The last two steps of a lesson: the lines that fix it, and what to take home."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lymph.lessons.notebook import make_notebook
from pages.shared import loading
from pages.shared.lessons.scene import Scene


def fix_parts(scene: Scene) -> list[Callable[[], None]]:
    """Return what the step of the lines is made of."""
    parts: list[Callable[[], None]] = [partial(_show_lines, scene)]
    if scene.lesson.slug == "stale-optimiser" and scene.figures:
        parts.append(partial(_show_refusal, scene.figures["refusal"]))
    return parts


def _show_lines(scene: Scene) -> None:
    lesson = scene.lesson
    broken, fixed = [st.container(), st.container()] if scene.stage else st.columns(2)
    with broken:
        _show_code("✗ Broken", lesson.broken, scene.stage)
    with fixed:
        _show_code("✓ Fixed", lesson.fixed, scene.stage)


def _show_code(title: str, code: str, stage: bool) -> None:
    """Draw lines under their title, or on stage beside it: so they are large and none is broken."""
    name, lines = st.container(), st.container()
    if stage:
        name, lines = st.columns([1, 6], vertical_alignment="center")
    name.header(title, anchor=False)
    lines.code(code, language="python", wrap_lines=True)


def _show_refusal(refusal: str) -> None:
    st.markdown("Given the old optimiser, lymph's own loop refuses to train:")
    st.code(refusal, language=None, wrap_lines=True)


def show_takeaway(scene: Scene) -> None:
    """Draw the take-away, its source, and off stage the lesson as a notebook."""
    lesson = scene.lesson
    with st.container(border=True, key="lesson_takeaway"):
        st.markdown(lesson.takeaway)
    with st.container(key="lesson_source"):
        st.markdown(f"Source: [{lesson.source}]({lesson.source_address})")
    if scene.stage:
        return
    st.download_button(
        "Download this lesson as a notebook",
        make_notebook(lesson, loading.found(scene.data_set).source),
        f"lymph-lesson-{lesson.number}-{lesson.slug}.ipynb",
        "application/x-ipynb+json",
        key="download_lesson",
    )
