"""The runs on the same pictures, each a line that opens it."""

import streamlit as st

from lymph.classroom.owners import owners, thing_of
from lymph.data.sources import DataSet
from lymph.runs import Run, RunRecord
from pages.shared import state
from pages.shared.frame import plain
from pages.shared.navigation import FILES
from pages.shared.state import TRAIN_KEY
from pages.shared.training import STATE_MARKS, records_of, remember_run, title_of
from pages.shared.visitor import starters, who

LISTED = 12


def list_runs(data_set: DataSet, shown: Run | None) -> None:
    """List the runs of a data set but the one that is shown: one's own first, then what goes on."""
    others = [one for one in records_of(data_set) if shown is None or one.path != shown.path]
    if not others:
        return
    title = "Other runs on these pictures" if shown else "Runs on these pictures"
    st.header(title, anchor=False)
    names, own = starters(), _own_runs(others)
    others.sort(key=lambda record: (record.id not in own, record.status.over))
    with st.container(gap="xsmall", key="other_runs"):
        for record in others[:LISTED]:
            name = names.get(thing_of(record.path), "")
            whose = "yours · " if record.id in own else f"{plain(name)} · " if name else ""
            st.button(
                f"{_state_words(record)} · {whose}{plain(title_of(record))}",
                type="tertiary",
                on_click=remember_run,
                args=(TRAIN_KEY, record.id),
                key=f"show_{record.id}",
            )
        if len(others) > LISTED:
            st.page_link(FILES["runs"], label=f"All {len(others)} other runs")


def _state_words(record: RunRecord) -> str:
    status = record.status
    progress = f" {status.epoch} of {status.epochs}" if not status.over else ""
    return STATE_MARKS[status.state] + progress


def _own_runs(records: list[RunRecord]) -> set[str]:
    """Return the ids of the runs that this visitor has started, now or at an earlier visit."""
    visitor = who()
    if visitor.free:
        return state.runs_started()
    started = owners()
    return {record.id for record in records if started.get(thing_of(record.path)) == visitor.id}
