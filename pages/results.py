"""Results: how often a model is right, and for whom."""

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lymph.charts import SELECTION, confusion_chart
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.evaluation import cell_pictures, choose_set, paired_difference
from lymph.facts import class_colours
from lymph.runs import Run
from pages.shared import state, training
from pages.shared.frame import begin, counted, next_step, plain, show_error
from pages.shared.galleries import Item, gallery
from pages.shared.navigation import ensure_app
from pages.shared.training import interval_words

QUESTION = "How often is it right, and for whom?"
SETS_TOLD = {"test": "Test", "val": "Validation", "train": "Train", "out-of-fold": "Out of fold"}
LEVELS = {"pictures": "Per picture", "patients": "Per patient"}
MODES = {"counts": "Counts", "shares": "Shares"}


def page() -> None:
    data_set = state.current_data_set()
    begin(QUESTION, data_set)
    if data_set is None:
        next_step("There are no pictures yet.", "data", "Add pictures")
        return
    try:
        run = training.choose_run(data_set, "Run", "results_choice")
        if run is None:
            next_step("No model has learned from these pictures yet.", "train", "Train a model")
            return
        state.mark_done("results")
        show_results(data_set, run)
    except LymphError as error:
        show_error(error)
        training.offer_newest_run()


def show_results(data_set: DataSet, run: Run) -> None:
    main, side = st.columns([3, 1], gap="large")
    with side:
        set_name, level, mode, other = choose_view(data_set, run)
    with main:
        if other is None:
            cell = show_run(run, set_name, level, mode, "first")
        else:
            cell = show_both(run, other, set_name, level, mode)
    if cell is not None:
        show_cell(*cell, set_name, level)
    next_step(
        "Next: ask the model about a picture it has never seen.", "classify", "Classify a picture"
    )


def choose_view(data_set: DataSet, run: Run) -> tuple[str, str, str, Run | None]:
    names = training.set_names(training.predictions_of(run))
    set_name = st.segmented_control(
        "Pictures",
        names,
        default=names[0],
        format_func=SETS_TOLD.get,
        required=True,
        key="set_name",
    )
    level = st.segmented_control(
        "Counted",
        list(LEVELS),
        default="pictures",
        format_func=LEVELS.get,
        required=True,
        key="level",
    )
    mode = st.segmented_control(
        "Shown as", list(MODES), default="counts", format_func=MODES.get, required=True, key="mode"
    )
    others = {r.id: r for r in training.finished_runs(data_set) if r.id != run.id}
    other = None
    if others:
        chosen = st.selectbox(
            "Compare with",
            list(others),
            index=None,
            format_func=lambda run_id: training.title_of(others[run_id]),
            placeholder="choose a second run",
            key="compare_with",
        )
        other = others.get(chosen)
    return set_name, level, mode, other


Cell = tuple[Run, str, str]


def show_run(run: Run, set_name: str, level: str, mode: str, key: str) -> Cell | None:
    """Show one run's figures and matrix; return the cell that was clicked."""
    figures = training.report_of(run, set_name)
    show_numbers(run, figures)
    show_warnings(figures)
    chart = confusion_chart(
        figures[level]["confusion"],
        figures["classes"],
        mode,
        dark=st.context.theme.type == "dark",
        unit=level,
    )
    chart_key = f"confusion_{key}_{set_name}_{level}"
    event = st.altair_chart(
        chart, width="stretch", on_select=partial(remember_side, key), key=chart_key
    )
    st.caption("Click a cell to see the pictures behind it.")
    show_classes(figures[level]["per_class"])
    picked = event["selection"].get(SELECTION) or []
    return (run, picked[0]["true"], picked[0]["predicted"]) if picked else None


def show_both(run: Run, other: Run, set_name: str, level: str, mode: str) -> Cell | None:
    cells = []
    sides = zip(st.columns(2, gap="medium"), (run, other), ("first", "second"), strict=True)
    for place, shown, key in sides:
        with place:
            st.caption(plain(training.title_of(shown)))
            try:
                cells.append(show_run(shown, set_name, level, mode, key))
            except LymphError as error:
                cells.append(None)
                show_error(error)
    show_difference(run, other, set_name)
    first, second = cells
    # Both matrices may keep a selection; the one that was clicked last is meant.
    if st.session_state.get("clicked_side") == "second":
        return second or first
    return first or second


def remember_side(key: str) -> None:
    """Remember which of the two matrices was clicked last."""
    st.session_state["clicked_side"] = key


def show_difference(run: Run, other: Run, set_name: str) -> None:
    """Say whether the two runs differ, where they were judged on the same pictures."""
    tables = [training.predictions_of(either) for either in (run, other)]
    names = ("the left run", "the right run")
    try:
        difference = paired_difference(*tables, set_name=set_name, names=names)
    except LymphError as error:
        st.info(plain(str(error)))
    else:
        st.info(plain(difference.sentence))


def show_numbers(run: Run, figures: dict[str, Any]) -> None:
    pictures, patients = figures["pictures"], figures["patients"]
    right = round(patients["accuracy"] * patients["n"])
    with st.grid(2, min_column_width=190, key=f"quality_{run.path.name}"):
        with st.container(gap=None):
            st.metric("Right, per picture", f"{100 * pictures['accuracy']:.0f} %")
            st.caption(f"{interval_words(pictures['interval'])}, {pictures['n']} pictures")
        with st.container(gap=None):
            st.metric("Right, per patient", f"{right} of {patients['n']}")
            st.caption(f"{interval_words(patients['interval'])}, {patients['n']} patients")
    st.caption(
        f"{SETS_TOLD[figures['set']]} pictures, split by {run.split().by}. Balanced accuracy"
        f" {100 * pictures['balanced_accuracy']:.0f} %, macro F1 {pictures['macro_f1']:.2f}. Always"
        f" saying the largest class would be right on {100 * pictures['baseline']:.0f} %."
    )


def show_warnings(figures: dict[str, Any]) -> None:
    leaked = figures.get("leaked_test_share")
    warnings = list(figures["warnings"])
    if leaked:
        st.error(f"**This split leaks.** {plain(warnings.pop(0))}")
    if warnings:
        with st.expander(f"Read these figures with care ({len(warnings)})"):
            for warning in warnings:
                st.write(f"- {plain(warning)}")


def show_classes(per_class: dict[str, dict[str, float]]) -> None:
    table = pd.DataFrame.from_dict(per_class, orient="index")
    table.index.name = "class"
    table[["precision", "recall"]] *= 100
    number = st.column_config.NumberColumn
    st.dataframe(
        table.reset_index(),
        hide_index=True,
        column_config={
            "class": "Class",
            "precision": number("Precision", format="%.0f %%"),
            "recall": number("Recall", format="%.0f %%"),
            "f1": number("F1", format="%.2f"),
            "support": "Number",
        },
    )


def show_cell(run: Run, true: str, predicted: str, set_name: str, level: str) -> None:
    chosen = choose_set(training.predictions_of(run), set_name)
    rows = cell_pictures(chosen, true, predicted, by_patient=level == "patients")
    verb = "rightly called" if true == predicted else "called"
    with st.container(key="cell_pictures"):
        people = rows["patient"].nunique()
        words = f"{plain(true)} {verb} {plain(predicted)}: {counted(len(rows), 'picture')}"
        words += f", {counted(people, 'patient')}"
        st.subheader(words, anchor=False)
        if rows.empty:
            st.write("No picture is in this cell.")
            return
        items = [item_of(row, predicted) for row in rows.to_dict("records")]
        gallery(Path(run.config.data), items, class_colours(run.classes), key="cell")


def item_of(row: dict[str, Any], predicted: str) -> Item:
    probability = row[f"p_{row['predicted']}"]
    note = f"is {row['label']}, called {row['predicted']} ({100 * probability:.0f} %)"
    return Item(row["picture"], row["label"], f"{note}, patient {row['patient']}")


ensure_app()
page()
