"""The last two steps of a lesson: the lines that fix it, and what to take home."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lymph.lessons.notebook import make_notebook
from pages.shared import loading
from pages.shared.lessons.scene import Scene


def fix_parts(scene: Scene) -> list[Callable[[], None]]:
    """Return what the step of the lines is made of."""
    parts = [partial(_show_lines, scene)]
    if scene.lesson.slug == "stale-optimiser" and scene.figures:
        parts.append(partial(_show_refusal, scene.figures["refusal"]))
    return parts


def _show_lines(scene: Scene) -> None:
    broken, mended = st.columns(2)
    with broken:
        st.subheader("✗ Broken", anchor=False)
        st.code(scene.lesson.broken, language="python", wrap_lines=True)
    with mended:
        st.subheader("✓ Fixed", anchor=False)
        st.code(scene.lesson.mended, language="python", wrap_lines=True)


def _show_refusal(refusal: str) -> None:
    st.markdown("Given the old optimiser, lymph's own loop refuses to train:")
    st.code(refusal, language=None, wrap_lines=True)


def show_takeaway(scene: Scene) -> None:
    """Draw the take-away, its source, and the lesson as a notebook."""
    lesson = scene.lesson
    with st.container(border=True, key="lesson_takeaway"):
        st.markdown(lesson.takeaway)
    st.markdown(f"Source: [{lesson.source}]({lesson.source_address})")
    st.download_button(
        "Download this lesson as a notebook",
        make_notebook(lesson, loading.found(scene.data_set).source),
        f"lymph-lesson-{lesson.number}-{lesson.slug}.ipynb",
        "application/x-ipynb+json",
        key="download_lesson",
    )
