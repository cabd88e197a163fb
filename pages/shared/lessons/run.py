"""The second step of a lesson: it runs live and its chart grows; prepared results are offered."""

import time
from datetime import datetime

import streamlit as st

from lymph.charts.lesson_growing import growing_chart
from lymph.classroom import jobs
from lymph.errors import LymphError
from lymph.jobs.status import Status
from lymph.lessons.live import is_slow, start_lesson, stop_lesson
from lymph.lessons.prepared import ABOUT
from pages.shared import loading
from pages.shared.frame import plain, told
from pages.shared.lessons.scene import Scene
from pages.shared.lessons.way import forget_prepared, show_prepared
from pages.shared.loading import duration
from pages.shared.visitor import is_own, starter_of, who
from pages.shared.waiting import waiting_words

CHART_HEIGHT = {True: 330, False: 300}
LIVE_SECONDS = 1.0


def show_run(scene: Scene) -> None:
    """Draw the run as it is, and again every second until it is over."""
    lesson = scene.lesson
    status = scene.run.status()
    over = status is None or status.over
    st.markdown(f"{lesson.task} About {lesson.seconds} s on two cores, no graphics card.")

    def live() -> None:
        _draw(scene)
        now = scene.run.status()
        if (now is None or now.over) != over:
            st.rerun()

    st.fragment(live, run_every=None if over else LIVE_SECONDS)()


def _draw(scene: Scene) -> None:
    status = scene.run.status()
    if status is None:
        with st.container(horizontal=True, gap="small"):
            _start_button("Run it live", scene)
            _offer_prepared(scene)
        return
    if not status.over:
        _show_progress(scene, status)
        return
    finished = status.state == "finished" and scene.run.figures() is not None
    if finished:
        when = datetime.fromtimestamp(scene.run.when()).strftime("%d %b %H:%M")
        st.success(f"Done in {duration(status.seconds)}, on {when}. Next: the answer.")
        _show_growth(scene)
    elif status.state == "failed":
        st.error(plain(status.error))
    else:
        st.info("The run was stopped before its end.")
    with st.container(horizontal=True, gap="small"):
        _start_button("Run it again", scene, again=finished)
        if not finished:
            _offer_prepared(scene)


def _show_progress(scene: Scene, status: Status) -> None:
    running = f"Running: {100 * status.share:.0f} %"
    words = waiting_words(scene.run.folder) if status.state == "queued" else running
    with st.container(key="lesson_progress", gap="small"):
        st.progress(min(1.0, status.share), words)
        if starter := starter_of(scene.run.folder):
            st.caption(plain(starter))
    _show_growth(scene)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if is_own(scene.run.folder):
            st.button("Stop", on_click=_stop, args=(scene,), key="stop_lesson")
        if is_slow(status, scene.lesson.seconds, time.time()):
            st.markdown("This takes longer than usual here.")
        _offer_prepared(scene)


def _show_growth(scene: Scene) -> None:
    """Draw what the lesson has measured so far; a lesson without steps has its bar only."""
    points = scene.run.points()
    if not points:
        return
    chart = growing_chart(points, scene.stage)
    st.markdown(f"**{chart.title}**")
    st.plotly_chart(
        chart.figure,
        height=CHART_HEIGHT[scene.stage],
        key="lesson_growing",
        alt=chart.words,
        config={"displayModeBar": False},
    )


def _offer_prepared(scene: Scene) -> None:
    st.button(
        "Show prepared results",
        on_click=show_prepared,
        args=(scene.lesson.slug,),
        key="show_prepared",
        help=ABOUT,
    )


def _start_button(label: str, scene: Scene, again: bool = False) -> None:
    run = scene.run
    if again and not is_own(run.folder):
        return
    if st.button(label, type="secondary" if again else "primary", key="run_lesson"):
        source = loading.found(scene.data_set).source
        forget_prepared()
        with told():
            if again:
                jobs.restart_job(who(), run.folder, start_lesson, run, source, True)
            else:
                jobs.start_job(who(), run.folder, start_lesson, run, source)
            st.rerun()


def _stop(scene: Scene) -> None:
    """Stop a lesson, or say why it cannot be stopped."""
    try:
        jobs.change_job(who(), scene.run.folder, stop_lesson, scene.run)
    except LymphError as error:
        st.toast(plain(str(error)))
