"""Split: which patients the model never sees."""

import json
from typing import Any

import pandas as pd
import streamlit as st

from lymph import splits
from lymph.charts import SET_TITLES, set_balance
from lymph.data.scan import classes_of, usable
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.facts import class_colours
from lymph.splits import Split
from pages.shared import loading, state
from pages.shared.frame import begin, counted, escape, next_step, plain, show_error
from pages.shared.galleries import badge, short_name
from pages.shared.navigation import ensure_app
from pages.shared.state import SplitSettings

QUESTION = "Which patients does the model never see?"
WAYS = {
    "patient": "By patient",
    "notebook": "As in the notebook",
    "picture": "By picture, at random",
}
WAYS_TOLD = {
    "patient": "Every patient stands in one set only, and each class is shared out evenly.",
    "notebook": "The split of the course's notebook: 6 test patients and 3 for validation.",
    "picture": "Every picture is drawn by lot, so that patients end up on both sides.",
}
SETS_TOLD = {
    "test": "the model never sees these patients; its quality is judged on them",
    "val": "choose the best epoch; the model does not learn from them",
    "train": "the model learns from these",
}


def page() -> None:
    data_set = state.current_data_set()
    begin(QUESTION, data_set)
    if data_set is None:
        next_step("There are no pictures yet.", "data", "Add pictures")
        return
    try:
        table = usable(loading.picture_table(data_set))
        main, side = st.columns([3, 1], gap="large")
        with side:
            settings = choose_split(data_set)
        with main:
            show_split(data_set, table, settings)
    except LymphError as error:
        show_error(error)


def choose_split(data_set: DataSet) -> SplitSettings:
    kept = state.split_settings(data_set)
    name = data_set.name
    by = st.radio(
        "How to split",
        list(WAYS),
        index=list(WAYS).index(kept.by),
        format_func=WAYS.__getitem__,
        captions=list(WAYS_TOLD.values()),
        key=f"split_by_{name}",
    )
    settings = kept._replace(by=by)
    if by != "notebook":
        seed = st.number_input(
            "Seed", 0, 9999, kept.seed, key=f"split_seed_{name}", help="Another seed, another draw."
        )
        with st.expander("Sizes of the sets", key="split_sizes"):
            val = st.slider(
                "Validation, %", 5, 40, round(100 * kept.val), 5, key=f"split_val_{name}"
            )
            test = st.slider("Test, %", 5, 40, round(100 * kept.test), 5, key=f"split_test_{name}")
            st.caption(f"Train: {100 - val - test} %")
        settings = SplitSettings(by, int(seed), val / 100, test / 100)
    state.keep_split_settings(data_set, settings)
    return settings


def show_split(data_set: DataSet, table: pd.DataFrame, settings: SplitSettings) -> None:
    split = loading.make_split(table, settings)
    state.mark_done("split")
    show_answer(table, split)
    colours = class_colours(classes_of(table))
    st.subheader("Is every class shared out evenly?", anchor=False)
    figure = set_balance(splits.summary(table, split), colours)
    st.plotly_chart(figure, key="set_balance", config={"displayModeBar": False})
    show_patients(data_set, table, split, colours)
    st.download_button(
        "Download split.json",
        json.dumps(split.to_json(), indent=2),
        "split.json",
        "application/json",
        key="download_split",
    )
    next_step("Next: let a model learn from the training pictures.", "train", "Go to training")


def show_answer(table: pd.DataFrame, split: Split) -> None:
    leak = splits.leak_report(table, split)
    sets = splits.summary(table, split)["sets"]
    if split.by == "patient":
        unseen = sets["test"]["patients"]
    else:
        unseen = sets["test"]["patients"] - len(leak.leaked_patients)
    with st.grid(3, min_column_width=150, key="split_numbers"):
        st.metric("Patients never seen", unseen)
        st.metric("Test pictures", leak.test_pictures)
        st.metric("Of these, leaked", leak.leaked_test_pictures)
    with st.container(key="leak_sentence"):
        if leak.leaked_test_pictures:
            st.error(f"### {plain(leak.sentence)}")
            st.write(
                "The model can recognise these patients by the colour of their slide instead of"
                " their disease, so its test score will flatter it."
            )
        else:
            st.success(f"### {plain(leak.sentence)}")


def show_patients(
    data_set: DataSet, table: pd.DataFrame, split: Split, colours: dict[str, str]
) -> None:
    rows = table.assign(set=split.assign(table))
    addresses = loading.thumbnails(data_set.path, list(table["picture"]), height=64)
    rows["address"] = addresses
    if split.by == "picture":
        st.subheader("Every patient, one row", anchor=False)
        st.html(
            '<div class="lymph-caption">no border: train · dashed violet, V: validation · pink, T:'
            " test</div>"
        )
        st.html(patient_rows(rows, colours, marked=True))
        return
    for name in ("test", "val", "train"):
        part = rows[rows["set"] == name]
        if len(part):
            people = part["patient"].nunique()
            st.subheader(f"{SET_TITLES[name]}: {counted(people, 'patient')}", anchor=False)
            st.caption(SETS_TOLD[name])
            st.html(patient_rows(part, colours, marked=False))


def patient_rows(rows: pd.DataFrame, colours: dict[str, str], marked: bool) -> str:
    """Return one line of thumbnails a patient, as HTML; ``marked`` tells the set of each."""
    lines = []
    for (label, patient), own in rows.groupby(["label", "patient"]):
        thumbs = "".join(thumb(row, marked) for row in own.itertuples())
        lines.append(
            f'<div class="lymph-patient"><div class="who">{badge(label, colours[label])}'
            f" <b>{escape(patient)}</b> <small>{counted(len(own), 'picture')}</small></div>"
            f'<div class="lymph-line">{thumbs}</div></div>'
        )
    return "".join(lines)


def thumb(row: Any, marked: bool) -> str:
    letter = {"val": "<b>V</b>", "test": "<b>T</b>"}.get(row.set, "") if marked else ""
    kind = row.set if marked else ""
    title = f"{short_name(row.picture)}, {SET_TITLES[row.set]}"
    return (
        f'<span class="lymph-thumb {kind}" title="{escape(title)}">'
        f'<img src="{row.address}" alt="{escape(title)}">{letter}</span>'
    )


ensure_app()
page()
