"""Split: which patients the model never sees."""

import json

import pandas as pd
import streamlit as st

from lymph import splits
from lymph.charts import names_fit, set_balance
from lymph.data.scan import classes_of, usable
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.facts import class_colours
from lymph.splits import Split
from pages.shared import ahead, audit_view, leak_view, loading, state
from pages.shared.frame import begin_on_pictures, next_step, plain, show_error
from pages.shared.galleries import legend
from pages.shared.loading import SplitFacts
from pages.shared.navigation import ensure_app
from pages.shared.split_kept import keep_and_load
from pages.shared.split_tiles import (
    move_by_hand,
    show_patients,
    show_tiles,
    tests_patients_alone,
)
from pages.shared.state import SplitBy, SplitSettings

QUESTION = "Which patients does the model never see?"
WAYS: dict[SplitBy, str] = {
    "patient": "By patient",
    "notebook": "As in the notebook",
    "hand": "By hand",
    "folds": "In folds",
    "one-out": "One patient out",
    "given": "The data's own split",
    "picture": "By picture, at random",
    "saved": "A saved split",
}
WAYS_TOLD = {
    "patient": "Every patient stands in one set only, and each class is shared out evenly.",
    "notebook": "The split of the course's notebook: 6 test patients and 3 for validation.",
    "hand": "Start from the split by patient and move patients with a click.",
    "folds": "Every patient is tested once, by a model that has not seen it.",
    "one-out": "As many folds as patients: each is tested alone.",
    "given": "The split that these pictures came with, in folders or a table.",
    "picture": "Every picture is drawn by lot, so that patients end up on both sides.",
    "saved": "One that was kept here under a name.",
}


def page() -> None:
    data_set = begin_on_pictures(QUESTION)
    if data_set is not None:
        show_pictures(data_set)
    audit_view.show_audit()  # which needs no pictures


def show_pictures(data_set: DataSet) -> None:
    try:
        table = usable(loading.picture_table(data_set))
        main, side = st.columns([3, 1], gap="large")
        # On a phone this column comes first, or the choice would stand below all the pictures.
        with side, st.container(key="choosers_first"):
            settings = choose_split(data_set)
        with main:
            show_split(data_set, table, settings)
        with side:
            keep_and_load(data_set, table, settings)
    except LymphError as error:
        show_error(error)


def choose_split(data_set: DataSet) -> SplitSettings:
    kept = state.split_settings(data_set)
    name = data_set.name
    saved = list(splits.list_splits(data_set.path, data_set.copy))
    there = {"saved": bool(saved), "given": bool(loading.found(data_set).set_counts())}
    ways = [way for way in WAYS if there.get(way, True)]
    by = st.radio(
        "How to split",
        ways,
        index=ways.index(kept.by) if kept.by in ways else 0,
        format_func=WAYS.__getitem__,
        captions=[WAYS_TOLD[way] for way in ways],
        key=f"split_by_{name}",
    )
    settings = kept._replace(by=by)
    if by == "saved":
        place = saved.index(kept.name) if kept.name in saved else 0
        settings = settings._replace(
            name=st.selectbox("Saved split", saved, place, key="saved_name")
        )
    elif by not in ("notebook", "one-out", "given"):
        settings = choose_numbers(name, settings)
    if by == "hand" and (settings[1:4] != kept[1:4]):
        settings = settings._replace(moves=())
    state.keep_split_settings(data_set, settings)
    return settings


def choose_numbers(name: str, settings: SplitSettings) -> SplitSettings:
    """Draw the seed, and the number of folds or the sizes of the sets."""
    seed = st.number_input(
        "Seed", 0, 9999, settings.seed, key=f"split_seed_{name}", help="Another seed, another draw."
    )
    settings = settings._replace(seed=int(seed))
    if settings.by == "folds":
        k = st.number_input("Folds", 2, 20, settings.k, key=f"split_k_{name}")
        return settings._replace(k=int(k))
    with st.expander("Sizes of the sets", key="split_sizes"):
        val = st.slider(
            "Validation, %", 5, 40, round(100 * settings.val), 5, key=f"split_val_{name}"
        )
        test = st.slider("Test, %", 5, 40, round(100 * settings.test), 5, key=f"split_test_{name}")
        st.caption(f"Train: {100 - val - test} %")
    return settings._replace(val=val / 100, test=test / 100)


def show_split(data_set: DataSet, table: pd.DataFrame, settings: SplitSettings) -> None:
    split = loading.make_split(data_set, table, settings)
    facts = loading.split_facts(data_set, table, split, settings)
    if not facts.untrainable:
        state.mark_done("split")
    caveat = loading.found(data_set).source.caveat
    show_answer(split, facts, caveat)
    show_twins(data_set, table, split)
    colours = class_colours(classes_of(table))
    if settings.by == "hand":
        move_by_hand(data_set, table, split, settings, colours)
    elif split.by == "patient" and not caveat:
        show_tiles(table, split, colours)
    if not tests_patients_alone(split):
        show_balance(table, facts, colours)
    if not caveat:  # without patients there is no leak to measure and nobody to show
        leak_view.show_meter(data_set)
        show_patients(data_set, table, split, colours)
    show_downloads(split, facts)
    next_step("Next: let a model learn from the training pictures.", "train", "Go to training")


def show_answer(split: Split, facts: SplitFacts, caveat: str) -> None:
    leak = facts.leak
    with st.grid(3, min_column_width=150, key="split_numbers"):
        if split.folds is not None:
            st.metric("Folds", len(split.folds))
        else:
            test = facts.summary["sets"]["test"]["patients"]
            unseen = test - len(leak.leaked_patients) if split.by == "picture" else test
            st.metric("Patients never seen", "unknown" if caveat else unseen)
        st.metric("Test pictures", leak.test_pictures)
        st.metric("Of these, leaked", "unknown" if caveat else leak.leaked_test_pictures)
    for sentence in facts.untrainable:
        st.error(plain(sentence))
    with st.container(key="leak_sentence"):
        if leak.leaked_test_pictures:
            st.error(f"### {plain(leak.sentence)}")
            st.write(
                "The model can recognise these patients by the colour of their slide instead of"
                " their disease, so its test score will be too optimistic."
            )
        elif caveat:
            st.warning(plain(caveat))
        elif leak.test_pictures and not facts.untrainable:
            st.success(f"### {plain(leak.sentence)}")
    for sentence in facts.advice:
        st.warning(plain(sentence))


def show_twins(data_set: DataSet, table: pd.DataFrame, split: Split) -> None:
    """Tell of pictures that look alike and stand on two sides, whoever the patients are."""
    if not loading.twins_are_known(data_set, table):
        if not st.button("Look for pictures that look alike", key="look_for_twins"):
            st.caption("Every picture is read once, which takes minutes for tens of thousands.")
            return
        loading.findings(data_set, table)
    if ahead.preparing(data_set.path) and not loading.measured(data_set, table):
        await_measures(data_set)
        return
    pairs = loading.known_twins(data_set, table)
    across = splits.twins_across(table, split, pairs)
    if not across:
        return
    st.warning(
        f"**{len(across)} pairs of pictures look the same and stand in two sets.** They leak even"
        " where the patients are right; the Quality view of the Data page leaves them out."
    )
    with st.expander("Which ones", key="twins"):
        st.dataframe(pd.DataFrame(across, columns=["One", "The other"]), hide_index=True)


@st.fragment(run_every=2.0)
def await_measures(data_set: DataSet) -> None:
    """Say that the pictures are being compared, until they are."""
    if not ahead.preparing(data_set.path):
        st.rerun()
    st.caption("Looking for pictures that look alike")


def show_balance(table: pd.DataFrame, facts: SplitFacts, colours: dict[str, str]) -> None:
    st.subheader("Is every class shared out evenly?", anchor=False)
    unit = st.segmented_control(
        "Counted in",
        ["pictures", "patients"],
        default="pictures",
        required=True,
        key="balance_unit",
        label_visibility="collapsed",
    )
    sets = facts.summary["sets"] if unit == "pictures" else facts.patients
    whole = table if unit == "pictures" else table.drop_duplicates(["patient", "label"])
    total = whole["label"].value_counts().to_dict()
    if not names_fit(colours):
        st.html(legend(colours))
    figure = loading.drawn(set_balance, {"sets": sets}, colours, total, unit)
    st.plotly_chart(figure, key="set_balance", config={"displayModeBar": False})


def show_downloads(split: Split, facts: SplitFacts) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Download split.json",
            json.dumps(split.to_json(), indent=2),
            "split.json",
            "application/json",
            key="download_split",
        )
        st.download_button(
            "Download as a table (CSV)",
            facts.csv,
            "split.csv",
            "text/csv",
            key="download_table",
        )


ensure_app()
page()
