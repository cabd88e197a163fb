"""Splits kept under a name, and splits that come from a file."""

import pandas as pd
import streamlit as st

from lymph import splits
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from pages.shared import loading, state
from pages.shared.drops import content_of
from pages.shared.frame import plain, show_error, told
from pages.shared.state import SplitSettings
from pages.shared.visit.changing import change_pictures, say_whose


def keep_and_load(data_set: DataSet, table: pd.DataFrame, settings: SplitSettings) -> None:
    """Draw the drawer that saves the split at hand, loads one from a file, and forgets one."""
    with st.expander("Save and load", key="keep_split"):
        say_whose(data_set)
        save(data_set, table, settings)
        load(data_set, table)
        if settings.by == "saved":
            with st.popover("Forget this saved split", key="forgetting"):
                st.write("The split is deleted for good. Runs keep theirs.")
                if st.button("Forget it", type="primary", key="forget_split"):
                    forget(data_set, settings.name)


def forget(data_set: DataSet, name: str) -> None:
    with told():
        own = change_pictures(data_set, splits.delete_split, data_set.path, name)
        take(own, SplitSettings())
        st.rerun()


def save(data_set: DataSet, table: pd.DataFrame, settings: SplitSettings) -> None:
    with st.form("save_split_form", border=False):
        name = st.text_input("Name of this split", key="split_name", max_chars=60)
        if st.form_submit_button("Save the split", key="save_split"):
            try:
                made = loading.make_split(data_set, table, settings)
                _, kept = keep(data_set, name, made)
            except LymphError as error:
                show_error(error)
            else:
                st.toast(f"The split is saved as {plain(kept)}.")
                st.rerun()  # so that it stands among the ways to split


def keep(data_set: DataSet, name: str, split: splits.Split) -> tuple[DataSet, str]:
    """Save a split; return the data set that has it, and its name: numbered where it was taken."""
    names: list[str] = []
    own = change_pictures(
        data_set,
        lambda *given, copy: names.append(splits.save_split(*given, copy=copy)),
        *(data_set.path, name, split),
    )
    return own, names[0]


def load(data_set: DataSet, table: pd.DataFrame) -> None:
    upload = st.file_uploader(
        "A split from a file (split.json or CSV)", type=["json", "csv"], key="split_upload"
    )
    if not upload or not st.button("Use this file", key="use_split"):
        return
    try:
        split = splits.from_file(upload.name, content_of(upload))
        split.assign(table)
        name = upload.name.rsplit(".", 1)[0][:50]
        own, kept = keep(data_set, name, split)
    except LymphError as error:
        show_error(error)
    else:
        take(own, SplitSettings("saved", name=kept))
        st.rerun()


def take(data_set: DataSet, settings: SplitSettings) -> None:
    """Choose other settings, the widgets that show them included."""
    state.keep_split_settings(data_set, settings)
    for key in (f"split_by_{data_set.name}", "saved_name"):
        st.session_state.pop(key, None)
