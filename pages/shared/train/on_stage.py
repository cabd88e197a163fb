"""The Train page on a projector: ways to train, the run as it learns, and the recipes."""

from functools import partial

import streamlit as st

from lymph.data.sources import DataSet
from lymph.runs import Run
from pages.shared.frame import plain
from pages.shared.stage.deck import Slide
from pages.shared.train import recipes_view
from pages.shared.train.beginning import choose_and_start
from pages.shared.train.following import followed_run, show_end
from pages.shared.train.live import show_live
from pages.shared.training import title_of

QUESTION = "How well does it learn?"


def slides(data_set: DataSet) -> list[Slide]:
    """Return the page's slides: of the run that is followed or a new one, and of recipes if any."""
    shown = slides_of_run(data_set)
    if (finished := recipes_view.finished_last(data_set)) is not None:
        compare = partial(recipes_view.show_on_slide, finished)
        shown.append(Slide(recipes_view.QUESTION, compare))
    return shown


def slides_of_run(data_set: DataSet) -> list[Slide]:
    """Return the slides of the run that is followed, and the way to another one."""
    run = followed_run()
    begin = partial(start_on_slide, data_set)
    if run is None:
        return [Slide(QUESTION, begin)]
    shown = [Slide(QUESTION, partial(show_learning, run))]
    if run.status().state == "finished":
        end = partial(show_end, data_set, run)
        shown.append(Slide("How good is it on patients it has never seen?", end))
    return [*shown, Slide("Train another model", begin)] if run.status().over else shown


def start_on_slide(data_set: DataSet) -> None:
    """Draw the ways to train and the button; a run that was started has the slide then."""
    if choose_and_start(data_set) is not None:
        st.rerun()


def show_learning(run: Run) -> None:
    """Draw the run as it learns: bar, numbers, curves, and the validation matrix."""
    status = run.status()
    with st.container(key="run_progress"):
        show_live(run)
    for sentence in [status.error, *status.warnings]:
        if sentence:
            st.warning(plain(sentence))
    st.caption(plain(title_of(run)))
