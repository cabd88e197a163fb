"""Split: which patients the model never sees."""

import pandas as pd
import streamlit as st

from lymph.data.scan import classes_of, usable
from lymph.data.sources import DataSet
from lymph.facts import class_colours
from pages.shared import loading, state
from pages.shared.frame import begin_on_pictures, told
from pages.shared.navigation import ensure_app, on_stage
from pages.shared.split import audit_view, leak_view
from pages.shared.split.board import show_board, tests_patients_alone, undo_moves
from pages.shared.split.choosing import choose_split
from pages.shared.split.kept import keep_and_load
from pages.shared.split.on_stage import slides
from pages.shared.split.verdict import (
    show_advice,
    show_balance,
    show_downloads,
    show_numbers,
    show_twins,
    show_verdict,
)
from pages.shared.stage.deck import show_page
from pages.shared.state import SplitSettings

QUESTION = "Which patients does the model never see?"


def page() -> None:
    if on_stage():
        show_page("split", QUESTION, slides)
        return
    data_set = begin_on_pictures(QUESTION)
    if data_set is not None:
        with told():
            table = usable(loading.picture_table(data_set))
            settings = choose_split(data_set)
            with told():
                show_split(data_set, table, settings)
            keep_and_load(data_set, table, settings)
    audit_view.show_audit()  # which needs no pictures


def show_split(data_set: DataSet, table: pd.DataFrame, settings: SplitSettings) -> None:
    split = loading.make_split(data_set, table, settings)
    facts = loading.split_facts(data_set, table, split, settings)
    if not facts.untrainable:
        state.mark_done("split")
    caveat = loading.found(data_set).source.caveat
    colours = class_colours(classes_of(table))
    show_numbers(split, facts, caveat)
    if not caveat:  # without patients there is nobody to show
        show_board(data_set, table, split, settings, colours)
    if settings.by == "hand" and settings.moves:
        st.button(
            "Undo all moves", on_click=undo_moves, args=(data_set, settings), key="undo_moves"
        )
    show_verdict(facts, caveat)
    show_advice(facts)
    show_twins(data_set, table, split)
    if not tests_patients_alone(split):
        with st.expander("Is every class balanced across sets?", key="balance"):
            show_balance(table, facts, colours)
    if not caveat:
        with st.expander("Leak meter", key="leak_meter"):
            leak_view.show_meter(data_set)
    show_downloads(split, facts)


ensure_app()
page()
