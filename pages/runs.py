"""Runs: all models that have learned from a data set, beside one another."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lymph import reports, runs
from lymph.charts import overlaid_curves
from lymph.classroom import jobs
from lymph.classroom.owners import thing_of, whose_words
from lymph.classroom.who import LECTURER
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.evaluation import letters_of
from lymph.facts import OKABE_ITO
from lymph.runs import Run, RunRecord
from lymph.text import counted
from pages.shared import training
from pages.shared.charts import draw
from pages.shared.frame import begin_on_pictures, offer_training, plain, show_error, told
from pages.shared.navigation import ensure_app, go_to, on_stage
from pages.shared.results.twins import offer_pair, offer_twin
from pages.shared.stage.deck import Slide, show_page
from pages.shared.visitor import is_own, starters, who

QUESTION = "What has been tried, and what came of it?"
SHARES = ("Test", "Validation")
COMPARABLE = (
    "Accuracies are per picture. The letter before one names the pictures that it was measured on:"
    " only figures with the same letter can be compared, and they sort by letter first."
)
LEAK = "⚠"
# In pixels: of a percentage with its letter and mark, and of most names.
TEST_WIDTH, NAME_WIDTH = 90, 300
ON_STAGE, MOST_ON_STAGE = ["Name", "Test", "Validation", "Leaks"], 8


def page() -> None:
    if on_stage():
        show_page(
            "runs", QUESTION, lambda data_set: [Slide(QUESTION, partial(list_on_stage, data_set))]
        )
        return
    data_set = begin_on_pictures(QUESTION)
    if data_set is None:
        return
    try:
        known = training.judged_records(data_set)
        if known:
            show_runs(data_set, known)
        else:
            offer_training()
    except LymphError as error:
        show_error(error)
    training.show_unreadable(data_set)


def list_on_stage(data_set: DataSet) -> None:
    """Draw the newest runs with their figures, large; leaky ones come last."""
    known = [one for one in training.judged_records(data_set) if not one.about.archived]
    known.sort(key=runs.leaks)
    if not known:
        offer_training()
        return
    table = table_of(known).reindex(columns=ON_STAGE).head(MOST_ON_STAGE)
    st.table(table.fillna("–").map(plain).set_index("Name"))
    st.caption(COMPARABLE)
    offer_pair(data_set, "twins")


def show_runs(data_set: DataSet, known: list[RunRecord]) -> None:
    archived = [record for record in known if record.about.archived]
    shown = [record for record in known if not record.about.archived]
    if archived and st.toggle(f"Show {len(archived)} archived", key="show_archived"):
        shown = known
    chosen = choose_rows(shown)
    st.caption(f"{COMPARABLE} Choose rows to see more.")
    if not chosen:
        offer_pair(data_set, "twins")
        return
    if len(chosen) > 1:
        compare(chosen)
    show_learning(chosen)
    for record in chosen:
        if runs.leaks(record):
            offer_twin(data_set, record.run, f"twin_{record.path.name}")
        show_settings(record, opened=len(chosen) == 1)


def table_of(shown: list[RunRecord]) -> pd.DataFrame:
    """Return what the table says of some runs."""
    table = pd.DataFrame([row_of(record) for record in shown])
    titles = runs.titles_of(shown)
    table["Name"] = [titles[record.id] for record in shown]
    letters = letters_of_tests(shown)
    for name in SHARES:
        told = [
            reports.lettered_percent(share, letter)
            for share, letter in zip(table[name], letters[name], strict=True)
        ]
        table[name] = pd.Series(told, index=table.index)
    # A leaky figure is marked itself: a phone shows the column of leaks only when it is scrolled.
    table.loc[table["Leaks"].str.startswith(LEAK), "Test"] += f" {LEAK}"
    return table


def choose_rows(shown: list[RunRecord]) -> list[RunRecord]:
    """Draw the table; a click on a heading sorts, on a row chooses."""
    table = table_of(shown)
    # The accuracy first: behind names of any length a phone shows it only when it is scrolled.
    table.insert(0, "Test", table.pop("Test"))
    if names := starters():
        starters_of = [names.get(thing_of(record.path), LECTURER) for record in shown]
        table.insert(2, "Started by", starters_of)
    config = {"Minutes": st.column_config.NumberColumn("Minutes", format="%.1f")}
    config["Leaks"] = st.column_config.TextColumn("Leaks", width=92)
    # Not pinned: Streamlit writes pinned columns in a pale grey.
    config["Test"] = st.column_config.TextColumn("Test", width=TEST_WIDTH)
    config["Name"] = st.column_config.TextColumn("Name", width=NAME_WIDTH)
    event = st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        height="content" if len(table) <= 25 else "auto",
        on_select="rerun",
        selection_mode="multi-row",
        # A run that goes on has no test yet, and a cross-validation no one validation figure.
        placeholder="–",
        key="runs_table",
    )
    return [shown[place] for place in event["selection"]["rows"] if place < len(shown)]


def letters_of_tests(shown: list[RunRecord]) -> dict[str, list[str]]:
    """Give each test and each validation set a letter, the same one to the same pictures."""
    tests = [record.summary.tests if record.summary else {} for record in shown]
    tested = [next(iter(of_sets.values()), "") for of_sets in tests]
    letters = letters_of([*tested, *(of_sets.get("val", "") for of_sets in tests)])
    return {"Test": letters[: len(shown)], "Validation": letters[len(shown) :]}


def row_of(record: RunRecord) -> dict[str, Any]:
    if record.summary is None:
        return reports.run_row(record, None, None)
    return reports.run_row(record, record.summary.judged, record.summary.validated or None)


def compare(chosen: list[RunRecord]) -> None:
    finished = [record for record in chosen if record.summary is not None][:4]
    if len(finished) < 2:
        return
    if st.button(f"Compare {counted(len(finished), 'run')}", type="primary", key="compare_runs"):
        first, *others = finished
        training.remember_run(training.RESULTS_KEY, first.id)
        st.session_state["compare_with"] = [record.id for record in others]
        go_to("results")


def show_learning(chosen: list[RunRecord]) -> None:
    """Draw the learning curves of the chosen runs over one another."""
    curves, titles = {}, runs.titles_of(chosen)
    for record in chosen:
        with told():
            metrics = record.run.metrics()
            if len(metrics):
                curves[titles[record.id]] = metrics
    if curves:
        st.header("How they learned" if len(curves) > 1 else "How it learned", anchor=False)
        words = "Validation and training loss of the chosen runs over the epochs"
        draw(overlaid_curves(curves, OKABE_ITO), "overlaid_curves", words)
        if len({validated_on(record) for record in chosen}) > 1:
            st.caption(
                "These runs were validated on different pictures: compare the shapes of their"
                " validation curves, not their heights."
            )


def validated_on(record: RunRecord) -> tuple[str, str, str]:
    """Return what is the same for runs that were validated on the same pictures.

    It is of the split, so that a run that goes on has it too.
    """
    split = record.run.split()
    sets = split.to_json()
    of = sets["folds"] if split.folds is not None else sorted(sets["sets"]["val"])
    return record.config.data, split.by, str(of)


def show_settings(record: RunRecord, opened: bool) -> None:
    """Draw what can be changed of a run: name, note, place; and deleting it."""
    run, about, stem = record.run, record.about, record.path.name
    with st.expander(plain(training.title_of(record)), expanded=opened, key=f"about_{stem}"):
        if not is_own(run.path):
            st.write(plain(about.note) or "No note.")
            st.caption(plain(whose_words(run.path)))
            return
        with st.form(f"about_form_{stem}", border=False):
            name = st.text_input("Name", about.name, max_chars=120, key=f"name_{stem}")
            note = st.text_area("Note", about.note, max_chars=4000, key=f"note_{stem}")
            if st.form_submit_button("Save"):
                written = {"name": name.strip(), "note": note.strip()}
                # What another visitor has written meanwhile stays, but for what is changed here.
                change(run, {k: text for k, text in written.items() if text != vars(about)[k]})
        with st.container(horizontal=True, key=f"actions_{stem}"):
            title = "Restore" if about.archived else "Archive"
            if st.button(title, key=f"archive_{stem}"):
                change(run, {"archived": not about.archived})
            if st.button("Delete", key=f"delete_{stem}"):
                confirm_delete(run)


def change(run: Run, said: dict[str, str | bool]) -> None:
    """Change what is said of a run, or say why it cannot be changed."""
    with told():
        jobs.change_job(who(), run.path, runs.change_about, run, **said)
        st.rerun()


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Ask before a run is deleted for good."""
    st.write(plain(training.title_of(run)))
    st.write("Model, predictions and curves are deleted for good. The pictures stay.")
    with st.container(horizontal=True):
        forever = st.button(
            "Delete for good", type="primary", on_click=delete, args=(run,), key="delete_for_good"
        )
        if forever or st.button("Keep it", key="keep_run"):
            st.rerun()


def delete(run: Run) -> None:
    """Delete a run; what stays or cannot be deleted is said in passing."""
    try:
        left = jobs.change_job(who(), run.path, runs.delete_run, run)
    except LymphError as error:
        st.toast(plain(str(error)))
        return
    if left:
        st.toast(f"Other files stay in the run's folder: {plain(', '.join(left))}")
    if st.session_state.get(training.RESULTS_KEY) == run.id:
        training.remember_run(training.RESULTS_KEY, "")


ensure_app()
page()
