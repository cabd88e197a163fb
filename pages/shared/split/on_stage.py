"""The Split page on a projector: who is never seen, and what a random split would promise."""

from functools import partial

import pandas as pd

from lymph.data.scan import classes_of, usable
from lymph.data.sources import DataSet
from lymph.facts import class_colours
from pages.shared import loading, state
from pages.shared.split import leak_view
from pages.shared.split.board import show_board
from pages.shared.split.choosing import choose_split
from pages.shared.split.verdict import say, show_numbers
from pages.shared.stage.deck import Slide


def slides(data_set: DataSet) -> list[Slide]:
    """Return the page's slides."""
    table = usable(loading.picture_table(data_set))
    who = Slide("Which patients does the model never see?", partial(show_split, data_set, table))
    if loading.found(data_set).source.caveat:
        return [who]
    meter = partial(leak_view.show_on_slide, data_set)
    return [who, Slide("How much would a random split inflate accuracy?", meter)]


def show_split(data_set: DataSet, table: pd.DataFrame) -> None:
    """Draw the ways to split, the numbers, the patients in their sets and the verdict."""
    settings = choose_split(data_set)
    split = loading.make_split(data_set, table, settings)
    facts = loading.split_facts(data_set, table, split, settings)
    if not facts.untrainable:
        state.mark_done("split")
    caveat = loading.found(data_set).source.caveat
    show_numbers(split, facts, caveat)
    say(facts, caveat)
    if not caveat:
        show_board(data_set, table, split, settings, class_colours(classes_of(table)))
