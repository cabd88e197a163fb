"""The third step of a lesson: which guess came true, the figures, the charts, and why."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import streamlit as st

from lymph.charts.lessons import lesson_charts
from lymph.lessons.findings import find
from lymph.lessons.lesson import Finding
from lymph.lessons.prepared import ABOUT
from pages.shared.frame import plain
from pages.shared.lessons.play import play_with_matrix, show_views
from pages.shared.lessons.question import text_parts
from pages.shared.lessons.scene import Scene
from pages.shared.lessons.way import LETTERS, go, guess_of, show_prepared

# On stage a sentence of at most so many letters is on the slide of its numbers.
BRIEF = 200
CHART_HEIGHT, CHART_HEIGHT_WITH_SLIDER = 400, 330
WITH_SLIDER = ("class-weights", "depth")


def answer_parts(scene: Scene) -> list[Callable[[], None]]:
    """Return what the answer is made of, in order; without figures, the way to them."""
    if scene.figures is None:
        return [partial(_show_not_run, scene)]
    lesson = scene.lesson
    finding = find(lesson.slug, scene.figures)
    with_numbers = scene.stage and len(finding.sentence) <= BRIEF
    parts: list[Callable[[], None]] = [
        partial(_show_outcome, scene, finding, with_numbers),
        partial(_show_charts, scene),
    ]
    if not with_numbers:
        parts += text_parts(plain(finding.sentence), scene.stage)
    parts += text_parts(f"**Why.** {lesson.because}", scene.stage)
    if lesson.slug == "broadcast":
        parts.append(partial(play_with_matrix, list(scene.colours)))
    if lesson.slug == "colour":
        parts.append(partial(show_views, scene))
    return parts


def _show_not_run(scene: Scene) -> None:
    with st.container(border=True, key="lesson_not_run"):
        st.write("The lesson has not been run on these pictures yet.")
        with st.container(horizontal=True, gap="small"):
            st.button("Go to the run", on_click=go, args=(scene.lesson.slug, 2), key="go_run",
                      type="primary")  # fmt: skip
            st.button("Show prepared results", on_click=show_prepared, args=(scene.lesson.slug,),
                      key="show_prepared", help=ABOUT)  # fmt: skip


def _show_outcome(scene: Scene, finding: Finding, with_sentence: bool) -> None:
    if scene.prepared:
        st.warning(ABOUT)
    _show_verdict(scene, finding)
    with st.grid(len(finding.numbers), min_column_width=210, key="lesson_numbers"):
        for number in finding.numbers:
            with st.container(gap=None):
                st.metric(plain(number.label), number.value)
                st.caption(plain(number.note))
    if with_sentence:
        st.markdown(plain(finding.sentence))


def _show_verdict(scene: Scene, finding: Finding) -> None:
    lesson, guess, happened = scene.lesson, guess_of(scene.lesson), finding.happened
    answer = f"**{LETTERS[happened]}**: {lesson.choices[happened]}"
    if guess is None:
        st.markdown(f"It was {answer}.")
    elif guess == happened:
        st.success(f"You guessed it: {answer}.")
    else:
        st.info(f"You guessed {LETTERS[guess]}. It was {answer}.")


def _show_charts(scene: Scene) -> None:
    assert scene.figures is not None, "there are figures wherever charts are drawn"
    stop = _choose_stop(scene)
    charts = lesson_charts(scene.lesson.slug, scene.figures, scene.colours, stop, scene.stage)
    height: int | Literal["content"] = "content"
    if scene.stage:
        slider = scene.lesson.slug in WITH_SLIDER
        height = CHART_HEIGHT_WITH_SLIDER if slider else CHART_HEIGHT
    for place, (column, chart) in enumerate(zip(st.columns(len(charts)), charts, strict=True)):
        with column:
            with st.container(key=f"lesson_chart_title_{place}"):
                st.markdown(f"**{chart.title}**")
            st.plotly_chart(chart.figure, height=height, key=f"lesson_chart_{place}",
                            alt=chart.words, config={"displayModeBar": False})  # fmt: skip


def _choose_stop(scene: Scene) -> int:
    """Draw the slider of a lesson that has one and return its place."""
    figures = scene.figures or {}
    if scene.lesson.slug == "class-weights":
        names = [setting["name"] for setting in figures["settings"]]
        name = st.select_slider("Class weights", names, key="lesson_stop_weights")
        weights = figures["settings"][names.index(name)]["weights"]
        told = (f"{c} {w:.3g}" for c, w in zip(figures["classes"], weights, strict=True))
        st.caption(plain(f"Weights: {', '.join(told)}"))
        return names.index(name)
    if scene.lesson.slug == "depth":
        epochs = len(figures["plain"]["gradients"])
        return st.slider("Epoch", 1, max(2, epochs), 1, key="lesson_stop_depth") - 1
    return 0
