"""The run that Train follows: what it says of itself, what can be done with it, and its end."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lymph import runs
from lymph.classroom import jobs, pictures
from lymph.classroom.owners import whose_words
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.runs import Run
from lymph.text import counted
from pages.shared.frame import plain, show_error, told
from pages.shared.navigation import go_to
from pages.shared.results.twins import offer_twin
from pages.shared.state import TRAIN_KEY
from pages.shared.stated import show_stated
from pages.shared.train.live import show_live
from pages.shared.training import (
    RESULTS_KEY,
    judged_by_test,
    quality_sentence,
    remember_run,
    run_in_address,
    title_of,
)
from pages.shared.visitor import is_own, starter_of, who
from pages.shared.waiting import known_to

# So many of those that wait before a run are named.
MOST_BEFORE = 5


def followed_run() -> Run | None:
    """Return the run in the address, or the one that this visitor started or looked at last.

    What others have started is listed, and never takes the place of one's own.

    Raises
    ------
    LymphError
        When there is no such run, or its pictures are another visitor's.
    """
    chosen = run_in_address(TRAIN_KEY)
    if not chosen:
        return None
    run = runs.open_known(chosen)
    pictures.check_may_look(who(), Path(run.config.data))
    return run


def show_run(data_set: DataSet, run: Run) -> None:
    """Show a run; the view follows it, the rest is drawn again when the run changes its state."""
    status = run.status()
    st.caption(plain(" · ".join(filter(None, [title_of(run), starter_of(run.path)]))))
    with told(), st.container(key="run_progress"):
        show_live(run)
    if status.error:
        st.error(plain(status.error))
    for sentence in status.warnings:
        st.warning(plain(sentence))
    for note in status.notes:
        st.info(plain(note))
    if status.state == "queued":
        _show_queue(run)
    if status.state == "finished":
        show_end(data_set, run)
    with told():
        _draw_actions(run)


def _show_queue(run: Run) -> None:
    """Name the runs before this one, and let one's own be taken out."""
    waiting = runs.queue(known_to(run.path))
    before = waiting[: waiting.index(run)] if run in waiting else waiting
    for place, other in enumerate(before[:MOST_BEFORE], start=1):
        with st.container(horizontal=True, vertical_alignment="center", key=f"queued_{other.id}"):
            if is_own(other.path):
                st.button("Take out", on_click=stop, args=(other,), key=f"out_{other.id}")
            st.write(f"{place}. {plain(title_of(other))}")
    if len(before) > MOST_BEFORE:
        st.caption(f"And {counted(len(before) - MOST_BEFORE, 'more run')} before this one.")


def show_end(data_set: DataSet, run: Run) -> None:
    """Show what the finished run is worth on its test, and whether that may be stated."""
    try:
        figures = judged_by_test(run)
    except LymphError as error:
        show_error(error)
        return
    with st.container(border=True, gap="small", key="run_end"):
        st.markdown(plain(quality_sentence(run)))
        show_stated(figures["pictures"])
        if figures.get("leaked_test_share"):
            offer_twin(data_set, run)


def _draw_actions(run: Run) -> None:
    state_now, own = run.status().state, is_own(run.path)
    with st.container(horizontal=True, key="run_actions"):
        if own and state_now in ("running", "queued"):
            st.button("Stop", on_click=stop, args=(run,), key="stop_run")
        if own and state_now in ("stopped", "failed", "lost"):
            st.button("Resume", type="primary", on_click=resume, args=(run,), key="resume_run")
        if state_now == "finished" and st.button(
            "See the results", type="primary", key="see_results"
        ):
            remember_run(RESULTS_KEY, run.id)
            go_to("results")
        if st.button("Hide this run", key="new_run"):
            remember_run(TRAIN_KEY, "")
            st.rerun()
    if not own:
        st.caption(plain(whose_words(run.path)))
    with st.expander("Settings and log", key="run_details"):
        st.json(run.config.to_json(), expanded=False)
        st.code(run.log() or "Nothing has been written yet.", language=None, height=240)


def stop(run: Run) -> None:
    """Stop a run that goes on, or take one out of the queue."""
    _attempt(lambda: jobs.change_job(who(), run.path, runs.stop_run, run))


def resume(run: Run) -> None:
    """Go on with a run that ended early."""
    _attempt(lambda: jobs.restart_job(who(), run.path, runs.resume_run, run))


def _attempt(action: Callable[[], None]) -> None:
    """Stop or resume a run; what cannot be done is said in passing."""
    try:
        action()
    except LymphError as error:
        st.toast(plain(str(error)))
