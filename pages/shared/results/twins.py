"""The honest run beside its leaky twin: the same model, with patients apart and without."""

import streamlit as st

from lymph import reports, runs
from lymph.data.scan import usable
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.evaluation import Tested, gap_sentence, interval_words, why_not_subtracted
from lymph.runs import Run, RunRecord
from pages.shared import loading, training
from pages.shared.frame import escape, plain
from pages.shared.judging import Judged, base_of, side_of
from pages.shared.navigation import (
    FILES,
    data_in_address,
    go_to,
    on_stage,
    put_in_address,
    switch_page,
)
from pages.shared.results.choosing import current
from pages.shared.results.matrix import show_matrix
from pages.shared.state import SplitSettings, keep_split_settings
from pages.shared.stated import show_stated

VIEW, TWINS = "view", "twins"
NAMES = {True: "the leaky run", False: "the honest run"}


def twin_for(data_set: DataSet, run: Run) -> RunRecord | None:
    """Return the run to set beside one, or None."""
    return runs.twin_of(record_for(run), training.finished_records(data_set))


def record_for(run: Run) -> RunRecord:
    return runs.with_figures(runs.record_of(run))


def offer_twin(data_set: DataSet, run: Run, key: str = "twin") -> None:
    """Offer the honest run beside a leaky one; beside an honest one its leaky twin, if any."""
    record, twin = record_for(run), twin_for(data_set, run)
    if not runs.leaks(record):
        if twin is not None and st.button("Show what a leak would have promised", key=key):
            open_twins(run)
    elif twin is not None:
        if st.button("Show the honest run beside it", key=key, type="primary"):
            open_twins(run)
    elif hindered := why_no_honest_twin(data_set):
        st.caption(plain(f"No honest twin can be trained on this data set. {hindered}"))
    elif st.button("Train its honest twin, split by patient", key=key):
        keep_split_settings(data_set, SplitSettings())
        go_to("train")


def why_no_honest_twin(data_set: DataSet) -> str:
    """Say why the pictures cannot be split by patient, or nothing where they can."""
    try:
        loading.make_split(data_set, usable(loading.picture_table(data_set)), SplitSettings())
    except LymphError as error:
        return str(error)
    return ""


def offer_pair(data_set: DataSet, key: str) -> None:
    """Offer the newest leaky run with its honest twin, where both have been trained."""
    known = training.finished_records(data_set)
    pairs = (one for one in known if runs.leaks(one) and runs.twin_of(one, known))
    leaky = next(pairs, None)
    if leaky and st.button("Show an honest run beside its leaky twin", key=key):
        open_twins(leaky.run)


def open_twins(run: Run) -> None:
    """Go to the view of a run and its twin."""
    switch_page(FILES["results"], {**data_in_address(), "run": run.id, VIEW: TWINS})


def wanted() -> bool:
    """Tell whether the address asks for this view."""
    return st.query_params.get(VIEW) == TWINS


def leave() -> None:
    """Go back to the results of the one run."""
    put_in_address(VIEW, [])


def twins_of(data_set: DataSet, run: Run) -> tuple[Judged, Judged] | None:
    """Return the leaky and the honest run, each on the set to judge it by; None without a twin."""
    twin = twin_for(data_set, run)
    if twin is None:
        return None
    both = (run, twin.run) if runs.leaks(record_for(run)) else (twin.run, run)
    leaky, honest = (Judged(one, training.sets_judged(one)[0], "pictures") for one in both)
    return leaky, honest


def show_twins(leaky: Judged, honest: Judged) -> None:
    """Draw both runs: figure, matrix, what each was tested on, and why they differ."""
    st.button("Back to one run", on_click=leave, key="leave_twins", icon=":material/arrow_back:")
    sides = show_pair(leaky, honest)
    st.header("What each was tested on", anchor=False)
    st.table(reports.beside_table(sides, "pictures").map(plain).set_index(""))
    st.markdown("\n".join(f"- {plain(words)}" for words in why_not_subtracted(*sides)))


def show_pair(leaky: Judged, honest: Judged) -> list[Tested]:
    """Draw figure and matrix of both runs, and say how far apart they are."""
    sides = [side_of(one, NAMES[one is leaky]) for one in (leaky, honest)]
    st.html(f'<p class="lymph-first">{escape(gap_sentence(sides[1], sides[0]))}</p>')
    with st.grid(2, min_column_width=330, key="twins", gap="large"):
        for place, judged in enumerate((leaky, honest)):
            with st.container(gap="small"):
                show_side(judged, judged is leaky, place)
    return sides


def show_side(judged: Judged, leaky: bool, place: int) -> None:
    section, chosen = judged.section, current()
    st.header("Pictures assigned at random" if leaky else "Patients kept apart", anchor=False)
    st.metric("Classified correctly, per picture", f"{100 * section['accuracy']:.0f} %")
    st.caption(interval_words(section["interval"]))
    if on_stage():  # whose figure it is: the rest stays on one's own screen
        st.caption(base_of(judged))
    else:
        show_stated(section)
        st.caption(f"{plain(training.title_of(judged.run))}  \n{base_of(judged)}")
    show_matrix(
        section["confusion"],
        judged.report["classes"],
        "counts",
        judged.unit,
        chosen,
        f"twin_{place}",
        judged.run.id,
    )
