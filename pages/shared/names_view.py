"""How patients are told from file names, tried out live."""

import pandas as pd
import streamlit as st

from lymph.data import choices
from lymph.data.names import COMMON_PATTERNS, Reading
from lymph.data.scan import read_patients_csv
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from pages.shared import loading, state
from pages.shared.frame import counted, show_error

EXAMPLES = 12


def show_names(data_set: DataSet, pictures: list[str]) -> None:
    """Draw the pattern with what it makes of the names, and the table that can replace it."""
    if choices.patients_csv(data_set.path):
        show_table_in_use(data_set, pictures)
        return
    st.write(
        "A patient's pictures must stay together, so the name has to tell the patient. The safe key"
        " is year and number: `sj-05-6124-R4_016.tif` is patient 05-6124, whatever the block."
    )
    pattern = choose_pattern(data_set)
    try:
        stamp = loading.folder_stamp(data_set.path)
        reading = loading.reading_of(pictures, pattern, str(data_set.path), stamp)
    except LymphError as error:
        show_error(error)
    else:
        show_reading(pictures, reading)
        kept = state.patient_pattern(data_set)
        if pattern != kept and st.button("Use this pattern", type="primary", key="use_pattern"):
            choices.keep_pattern(data_set.path, pattern)
            st.rerun()
    upload_table(data_set)


def choose_pattern(data_set: DataSet) -> str:
    key = f"pattern_{data_set.name}"
    st.pills(
        "Common ways to name files",
        list(COMMON_PATTERNS),
        key="common_pattern",
        on_change=lambda: take_common(key),
    )
    kept = state.patient_pattern(data_set)
    return st.text_input(
        "Pattern (a regular expression with a group called patient, or year and number)",
        kept,
        key=key,
        live="300ms",
    )


def take_common(key: str) -> None:
    chosen = st.session_state.get("common_pattern")
    if chosen:
        st.session_state[key] = COMMON_PATTERNS[chosen]


def show_reading(pictures: list[str], reading: Reading) -> None:
    with st.grid(3, min_column_width=130, key="reading_numbers"):
        st.metric("Names", len(pictures))
        st.metric("Patients", reading.patients)
        st.metric("Names without a patient", reading.unmatched)
    for doubt in reading.warnings:
        st.warning(doubt)
    # Unmatched names first, then names from all over the list.
    unmatched = [i for i, origin in enumerate(reading.origins) if origin is None][: EXAMPLES // 2]
    step = max(1, len(pictures) // (EXAMPLES - len(unmatched)))
    places = dict.fromkeys([*unmatched, *range(0, len(pictures), step)])
    origins = [reading.origins[i] for i in places]
    preview = pd.DataFrame({
        "Name": [pictures[i] for i in places],
        "Patient": [origin.patient if origin else "no patient" for origin in origins],
        "Slide": [origin.slide if origin else "" for origin in origins],
    })  # fmt: skip
    st.dataframe(preview.head(EXAMPLES), hide_index=True)


def upload_table(data_set: DataSet) -> None:
    with st.expander("Names do not tell the patient? Give a table", key="patients_table"):
        st.write(
            "A CSV with the columns `picture` (as `CLL/name.tif`) and `patient` takes the place of"
            " the pattern."
        )
        upload = st.file_uploader("Table of patients", type="csv", key="patients_upload")
        if upload and st.button("Use this table", type="primary", key="use_table"):
            try:
                choices.keep_patients_csv(data_set.path, upload.getvalue())
            except LymphError as error:
                show_error(error)
            else:
                st.rerun()


def show_table_in_use(data_set: DataSet, pictures: list[str]) -> None:
    file = choices.patients_csv(data_set.path)
    named = read_patients_csv(file) if file else {}
    known = sum(picture in named for picture in pictures)
    st.write(
        f"A table of your own tells the patients: {counted(len(set(named.values())), 'patient')},"
        f" for {known} of {len(pictures)} pictures."
    )
    if known < len(pictures):
        st.warning(f"{len(pictures) - known} pictures are not in the table, and are left out.")
    if st.button("Go back to the pattern", key="drop_table"):
        choices.drop_patients_csv(data_set.path)
        st.rerun()
