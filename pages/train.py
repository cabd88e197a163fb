"""Train: how well a model learns, seen while it does; and which recipe to believe."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lymph.data.sources import DataSet
from lymph.runs import Run
from pages.shared.frame import begin_on_pictures, told
from pages.shared.navigation import ensure_app, on_stage
from pages.shared.stage.deck import show_page
from pages.shared.state import TRAIN_KEY
from pages.shared.train.beginning import choose_and_start
from pages.shared.train.following import followed_run, show_run
from pages.shared.train.listing import list_runs
from pages.shared.train.on_stage import slides
from pages.shared.train.recipes_view import show_recipes
from pages.shared.training import remember_run, show_unreadable

QUESTION = "How well does it learn?"
VIEWS = ("Train a model", "Compare recipes")


def page() -> None:
    if on_stage():
        show_page("train", QUESTION, slides)
        return
    data_set = begin_on_pictures(QUESTION)
    if data_set is None:
        return
    if choose_view() == VIEWS[1]:
        with told():
            show_recipes(data_set)
    else:
        show_training(data_set)


def choose_view() -> str:
    """Choose between one model and all recipes; a link can lead to either."""
    return st.segmented_control(
        "What to do",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="train_view",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
    )


def show_training(data_set: DataSet) -> None:
    """Draw the run that is followed, the way to another one, and those that were made."""
    run, place = None, st.empty()
    with told():
        run = followed_run()
        if run is not None:
            follow(data_set, run, place)
    taken = bool(st.session_state.get(TRAIN_KEY))
    if run is None and taken:
        st.button("Train a new model", on_click=remember_run, args=(TRAIN_KEY, ""), key="new_run")
    with told():
        started = choose_and_start(data_set)
        if started is not None:
            if taken:  # what has the place of the new run was drawn already
                st.rerun()
            run = started
            follow(data_set, run, place)
    with told():
        list_runs(data_set, run)
    show_unreadable(data_set)


def follow(data_set: DataSet, run: Run, place: DeltaGenerator) -> None:
    """Draw the run that is followed, above the form for another one."""
    with place.container():
        show_run(data_set, run)
        st.header("Train another model", anchor=False)


ensure_app()
page()
