"""Data: what is in the pictures, and who they are from."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lymph.classroom import pictures
from lymph.classroom.owners import for_lecturer
from lymph.classroom.settings import class_settings
from lymph.data import sources
from lymph.data.scan import classes_of
from lymph.data.sources import DataSet
from lymph.errors import ClassesUnknown, LymphError
from lymph.facts import class_colours
from lymph.text import counted
from pages.shared import loading, state
from pages.shared.data import found_view, managing, overview, quality_view, stain_view, strips
from pages.shared.data.on_stage import slides
from pages.shared.drops import content_of, done_with, opened
from pages.shared.frame import begin, next_step, plain, show_error
from pages.shared.navigation import ensure_app, on_stage
from pages.shared.place import computer, where_added_pictures_go
from pages.shared.server import ahead
from pages.shared.stage.deck import show_page
from pages.shared.training import records_of
from pages.shared.visitor import who

QUESTION = "What is in the pictures, and who are they from?"
VIEWS = {
    "overview": "Overview",
    "patients": "Patients",
    "stain": "Stain map",
    "quality": "Quality",
    "names": "What was found",
}
FOUND_ASKS = "What was found, and is it right?"


def page() -> None:
    if on_stage():
        show_page("data", QUESTION, slides)
        return
    data_set = state.current_data_set()
    begin(QUESTION, data_set)
    if data_set is None:
        st.info("There are no pictures yet. Add your own, or draw the demonstration set.")
        draw_demonstration()
        add_pictures(expanded=True)
        return
    try:
        table = loading.picture_table(data_set, decode=False)
    except ClassesUnknown:
        st.header(FOUND_ASKS, anchor=False)
        managing.offer_folder_above(data_set)
        found_view.show_found(data_set)
        if not state.is_new(data_set):
            add_pictures()
        managing.manage(data_set)
        return
    except LymphError as error:
        show_error(error)
        add_pictures(expanded=True)
        managing.manage(data_set)
        return
    overview.show_counts(loading.summary_of_pictures(data_set, table))
    offer_new_drawing(data_set)
    if state.is_new(data_set):
        # The way in is gone for once, and closed when it comes back: what was found is first.
        st.session_state["view"] = "names"
    else:
        add_pictures(expanded=state.wants_own_pictures())
    managing.manage(data_set)
    managing.offer_folder_above(data_set)
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="overview",
        format_func=VIEWS.__getitem__,
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view != "names":
        show_doubts(loading.found(data_set).doubts)
    show_view(view, data_set, table)
    next_step("Next: decide which patients the model never sees.", "split", "Go to the split")
    ahead.prepare(data_set.path)


def show_doubts(doubts: list[str]) -> None:
    """Keep what is doubtful about the pictures in sight until it is corrected."""
    if doubts:
        more = f" And {counted(len(doubts) - 1, 'more doubt')}." if len(doubts) > 1 else ""
        with st.container(horizontal=True, vertical_alignment="center", key="doubts"):
            st.warning(plain(doubts[0]) + more)
            st.button("See what was found", on_click=see_found, key="see_found")


def see_found() -> None:
    st.session_state["view"] = "names"


def show_view(view: str, data_set: DataSet, table: pd.DataFrame) -> None:
    sound = table[table["problem"] == ""]
    if view == "names" or sound.empty:
        st.header(FOUND_ASKS, anchor=False)
        found_view.show_found(data_set)
    elif view == "patients":
        st.header("Does every patient's slide have its own colour?", anchor=False)
        strips.show_strips(data_set, sound, class_colours(classes_of(sound)))
    elif view == "stain":
        st.header("Can a picture's colour tell the patient?", anchor=False)
        stain_view.show_stain_map(data_set, sound)
    elif view == "quality":
        st.header("What may be wrong with the pictures?", anchor=False)
        quality_view.show_quality(data_set, table)
    else:
        overview.show_overview(data_set, sound)
    show_unopened(data_set)
    if view != "quality":
        show_problems(table)


def show_unopened(data_set: DataSet) -> None:
    """Offer to decode the pictures of a large set that were only seen by their headers."""
    if loading.headers_only(data_set):
        st.info(
            "So far only the headers of these files were read. A truncated file is noticed when"
            " its pixels are read, which splitting and training do anyway."
        )
        if st.button("Read all pixels now", key="read_pixels"):
            loading.picture_table(data_set)
            st.rerun()


def show_problems(table: pd.DataFrame) -> None:
    problems = table.loc[table["problem"] != "", ["picture", "problem"]]
    if problems.empty:
        return
    with st.expander(f"Excluded pictures, and why ({len(problems)})", key="problems"):
        st.dataframe(
            problems,
            hide_index=True,
            column_config={"picture": "Picture", "problem": "Why it is excluded"},
        )


def draw_demonstration() -> None:
    if st.button("Draw the demonstration set", type="primary", key="make_demonstration"):
        with loading.progress_bar("Pictures drawn") as progress:
            data_set = sources.make_demonstration(progress)
        switch_to(data_set)


def offer_new_drawing(data_set: DataSet) -> None:
    """Offer to draw the demonstration set again where an earlier version drew it."""
    outdated = data_set.path == sources.demo_folder() and sources.demo_outdated()
    if not outdated or not who().may_all:
        return
    going = any(not record.status.over for record in records_of(data_set))
    with st.container(border=True, key="drawn_earlier"):
        st.write(
            "This set was drawn by an earlier version of lymph; the current one draws it closer to"
            " real slides. Runs made on the old set keep their figures, but the pictures shown with"
            " them will be the new ones: train again before you compare."
        )
        if going:
            st.caption("A run on this set is training or waiting: redraw the set when it is over.")
        if st.button("Redraw the set", key="draw_anew", disabled=going):
            with loading.progress_bar("Pictures drawn") as progress:
                for_lecturer(who(), sources.draw_anew, progress)
            st.rerun()


def add_pictures(expanded: bool = False) -> None:
    with st.expander(
        "Use your own pictures", expanded=expanded, icon=":material/add:", key="add_pictures"
    ):
        st.write(
            "One folder per class, such as `CLL/`, `FL/` and `MCL/`, or any usual arrangement: with"
            " folders of patients or of a ready split, or with a table of classes. You see what was"
            " found and can correct it. " + where_added_pictures_go()
        )
        folder, archive, drop, kaggle = st.tabs(
            ["Folder", "Zip file", "Drop a folder", "Real lymphoma set"], key="ways_to_add"
        )
        with folder:
            add_folder()
        with archive:
            add_zip()
        with drop:
            add_drop()
        with kaggle:
            add_kaggle()


def add_folder() -> None:
    settings = class_settings()
    if settings is not None:
        named = ", ".join(plain(folder) for folder in settings.folders) or "none"
        st.caption(f"Folders that can be opened, with everything below them: {named}")
    with st.form("add_folder_form", border=False):
        path = st.text_input(f"Path of a folder on {computer()}", key="folder_path")
        if st.form_submit_button("Open the folder", key="add_folder"):
            attempt(lambda: pictures.open_folder(who(), path))


def add_zip() -> None:
    upload = st.file_uploader("A zip of pictures", type="zip", key="zip_upload")
    if upload and st.button("Unpack and open", type="primary", key="add_zip"):
        with loading.progress_bar("Files unpacked") as progress:
            given = upload.name, opened(upload), progress
            attempt(lambda: pictures.upload(who(), sources.add_zip, *given), [upload])


def add_drop() -> None:
    uploads = st.file_uploader(
        "A folder of pictures",
        accept_multiple_files="directory",
        key="folder_upload",
    )
    if uploads:
        name = st.text_input("Name of this data set", "Dropped pictures", key="folder_upload_name")
        label = f"Open these {len(uploads)} pictures"
        if st.button(label, type="primary", key="add_drop"):
            files = ((upload.name, content_of(upload)) for upload in uploads)
            attempt(lambda: pictures.upload(who(), sources.add_uploads, name, files), uploads)


def add_kaggle() -> None:
    st.write(
        "374 pictures of 29 patients from the National Institute on Aging, published on Kaggle as"
        f" `{sources.KAGGLE_HANDLE}`. The download is {sources.KAGGLE_SIZE}."
    )
    if not who().may_all:
        st.caption("The lecturer downloads it, for everyone.")
    elif st.button(f"Download {sources.KAGGLE_SIZE} from Kaggle", key="add_kaggle"):
        with st.spinner("Downloading from Kaggle"):
            attempt(lambda: for_lecturer(who(), sources.fetch_kaggle))


def attempt(add: Callable[[], DataSet], uploads: Sequence[UploadedFile] = ()) -> None:
    """Add a data set and show it, or say why it cannot be added; its uploads are then freed."""
    try:
        data_set = add()
    except LymphError as error:
        show_error(error)
    else:
        done_with(uploads)
        switch_to(data_set)


def switch_to(data_set: DataSet) -> None:
    state.want_data_set(data_set.name, new=True)
    st.rerun()


ensure_app()
page()
