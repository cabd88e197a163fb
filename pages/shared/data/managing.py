"""What can be done with a data set as a whole: rename it, read it again, remove it."""

import streamlit as st

from lymph.classroom import pictures
from lymph.data import sources
from lymph.data.above import Above, folder_above
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.text import brief
from pages.shared import loading, state
from pages.shared.frame import plain, show_error
from pages.shared.visitor import data_sets, who


def manage(data_set: DataSet) -> None:
    """Draw what this visitor may do with the data set at hand; nothing where that is nothing."""
    if not pictures.may_change_pictures(who(), data_set):
        return
    drawn = data_set.name == sources.DEMO_NAME
    with st.popover("Manage this data set", icon=":material/tune:", key="manage"):
        if not drawn:
            rename_data_set(data_set)
        if not data_set.copy:  # what is read again is read for everybody who sees it
            st.button(
                "Read the folder again",
                on_click=loading.read_again,
                args=(data_set.path,),
                key="read_again",
                help="For files that were changed in their place. New files are seen without it.",
            )
        if not drawn and st.button("Remove this data set", key="remove_data_set"):
            confirm_removal(data_set)


def rename_data_set(data_set: DataSet) -> None:
    with st.form("rename_form", border=False):
        name = st.text_input(
            "Name", data_set.name, max_chars=sources.LONGEST_NAME, key=f"name_{data_set.name}"
        )
        if st.form_submit_button("Rename", key="rename") and name != data_set.name:
            try:
                pictures.rename_pictures(who(), data_set, name)
            except LymphError as error:
                show_error(error)
                return
            st.rerun()


@st.dialog("Remove this data set?")
def confirm_removal(data_set: DataSet) -> None:
    """Ask before a data set is taken off the list, and an upload with it off the disk."""
    st.write(plain(data_set.name))
    st.write(
        "Uploaded pictures are deleted for good, and so are the patients, exclusions and saved"
        " splits of a copy. A folder that was opened stays where it is. Runs keep their figures."
    )
    with st.container(horizontal=True):
        gone = st.button(
            "Remove it", type="primary", on_click=remove, args=(data_set,), key="remove_for_good"
        )
        if gone or st.button("Keep it", key="keep_data_set"):
            st.rerun()


def remove(data_set: DataSet) -> None:
    """Remove a data set; what cannot be removed is said in passing."""
    try:
        pictures.remove_pictures(who(), data_set)
    except LymphError as error:
        st.toast(plain(str(error)))


# ---- a folder of one class ---------------------------------------------------------------------


def offer_folder_above(data_set: DataSet) -> None:
    """Offer the folder above in place of one that holds pictures of a single class."""
    above = _above(data_set)
    if above is None:
        return
    listed = [plain(brief(name, 30)) for name in above.classes]
    beside = f"{', '.join(listed[:-1])} and {listed[-1]}"
    with st.container(border=True, key="folder_above"):
        st.write(
            f"This folder seems to hold one class only, {plain(data_set.path.name)}. The folder"
            f" above, {plain(above.folder.name)}, holds {beside}."
        )
        if st.button("Open the folder above", type="primary", key="open_above"):
            open_above(data_set, above)


def _above(data_set: DataSet) -> Above | None:
    """Return the folder above where this visitor may open it and has not done so yet."""
    parent = data_set.path.parent
    if sources.is_upload(data_set.path) or not pictures.may_open_folder(who(), str(parent)):
        return None
    if any(one.path == parent for one in data_sets()):
        return None
    try:
        return folder_above(data_set.path, loading.found(data_set))
    except LymphError:
        return folder_above(data_set.path, None)


def open_above(data_set: DataSet, above: Above) -> None:
    """Open the folder above; the one class goes off the list unless it is somebody else's."""
    try:
        opened = pictures.open_folder(who(), str(above.folder))
    except LymphError as error:
        show_error(error)
        return
    if pictures.may_change_pictures(who(), data_set):
        remove(data_set)
    state.want_data_set(opened.name, new=True)
    st.rerun()
