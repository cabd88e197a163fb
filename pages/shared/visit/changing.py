"""Changing patients, exclusions and saved splits: in a class in a copy of one's own."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from lymph.classroom import pictures
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from pages.shared import state
from pages.shared.frame import plain
from pages.shared.visitor import who


def change_pictures(data_set: DataSet, action: Callable[..., Any], *given: object) -> DataSet:
    """Change what is decided about a data set, and go on in a copy where one was made for it.

    Raises
    ------
    LymphError
        As ``action``, and where the copy cannot be made.
    """
    own = pictures.change_pictures(who(), data_set, action, *given)
    if own != data_set:
        state.take_split_along(data_set, own)
        state.want_data_set(own.name)
        st.toast(
            f"Your change is in a copy of your own, {plain(own.name)}. The lecturer's data set"
            " stays as it is."
        )
    return own


def change_on_click(data_set: DataSet, action: Callable[..., Any], *given: object) -> None:
    """Change what is decided about a data set as a button is pressed; say what cannot be done."""
    try:
        change_pictures(data_set, action, *given)
    except LymphError as error:
        st.toast(plain(str(error)))


def say_whose(data_set: DataSet) -> None:
    """Say before a change where it will count, if that is not the data set at hand."""
    if not pictures.may_change_pictures(who(), data_set):
        st.caption(
            "This data set is the lecturer's. What you change goes to a copy of your own: patients,"
            " exclusions and saved splits are copied, the pictures are not."
        )
