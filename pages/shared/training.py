"""Runs as the pages need them: those of one data set, their names, the classifier of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from lymph import runs
from lymph.classroom import pictures
from lymph.data.sources import DataSet, is_synthetic
from lymph.errors import LymphError, RunError
from lymph.evaluation import interval_words, report
from lymph.facts import PATIENTS_UNKNOWN
from lymph.predictions import sets_of
from lymph.reports.tables import honest_rank, people_text
from lymph.runs import Catalogue, Run, RunRecord
from lymph.splits import leak_report
from lymph.text import SET_WORDS
from lymph.training.folder import PREDICTIONS
from pages.shared.frame import plain
from pages.shared.loading import progress_bar
from pages.shared.navigation import put_in_address
from pages.shared.state import TRAIN_KEY, runs_started
from pages.shared.visitor import who

if TYPE_CHECKING:
    from lymph.inference import Classifier

RESULTS_KEY = "results_run"
CLASSIFY_KEY = "classify_run"
CATALOGUE_KEY = "catalogue"


# Letters that every machine has: emoji are boxes where no font holds them.
STATE_MARKS = {
    "queued": "… waiting",
    "running": "● running",
    "finished": "✓ finished",
    "stopped": "■ stopped",
    "failed": "✕ failed",
    "lost": "? lost",
}

PROBE_WORDS = (
    "Each picture goes once through the first three stages of ResNet-50, enlarged, each colour"
    " channel with its own contrast; the features are kept for every later run. A logistic"
    " regression learns from them, and each patient weighs the same. How strongly it is held back"
    " (regularisation) has a default; inner folds over the training patients replace it where"
    " another value is clearly better. The test is never used."
)

LAST_BLOCK_WORDS = (
    "The head begins with the solution of a linear probe; then it goes on learning together with"
    " the last block of ResNet-50, at a low rate. All before that block is frozen, its batch"
    " statistics too, and sees each picture once, each colour channel with its own contrast, so"
    " that there is no augmentation. The last epoch is kept: validation chooses nothing."
)


def look_again() -> None:
    """Forget, as a page begins, what the last one knew of the runs."""
    st.session_state.pop(CATALOGUE_KEY, None)


def _catalogue() -> Catalogue:
    """Return what is known of all runs, looked at once for a page: six files a run are asked."""
    if CATALOGUE_KEY not in st.session_state:
        st.session_state[CATALOGUE_KEY] = runs.read_catalogue()
    return st.session_state[CATALOGUE_KEY]


def all_records() -> list[RunRecord]:
    """Return what is known of every run, newest first."""
    return _catalogue().records


def records_of(data_set: DataSet) -> list[RunRecord]:
    """Return what is known of the runs that learned from a data set, newest first."""
    root = str(data_set.path.resolve())
    return [one for one in _catalogue().records if one.config.data == root]


def judged_records(data_set: DataSet) -> list[RunRecord]:
    """Return the runs of a data set with their figures.

    Those of runs that an earlier version made are computed once, with a progress bar.
    """
    records = records_of(data_set)
    lacking = [record for record in records if record.lacks_figures]
    if not lacking:
        return records
    with progress_bar("Computing the figures of older runs") as progress:
        for done, record in enumerate(lacking, start=1):
            runs.with_figures(record)
            progress(done, len(lacking))
    look_again()
    return records_of(data_set)


def finished_records(data_set: DataSet) -> list[RunRecord]:
    """Return the runs with a result, newest first; archived ones are left out."""
    judged = judged_records(data_set)
    return [one for one in judged if one.summary is not None and not one.about.archived]


def has_finished_run(data_set: DataSet) -> bool:
    """Tell whether any model has learned from a data set; a broken run folder counts as none."""
    known = records_of(data_set)
    return any(one.finished and not one.trouble and not one.about.archived for one in known)


def show_unreadable(data_set: DataSet) -> None:
    """Say which runs cannot be read, in whole or in part, and what to do."""
    sentences = list(_catalogue().unreadable)
    for record in records_of(data_set):
        sentences += [words for words in (record.trouble, *record.doubts) if words]
    if sentences:
        few = len(sentences) <= 3
        title = f"Runs that cannot be read in full ({len(sentences)})"
        with st.expander(title, expanded=few, key="unreadable"):
            for sentence in sentences:
                st.write(f"- {plain(sentence)}")


@st.cache_data(show_spinner=False, max_entries=64)
def validates_on_known(run_id: str) -> bool:
    """Tell whether a run's validation pictures come from patients that it trains on.

    Where the pictures are gone a split by picture is taken to leak, as nearly all do.
    """
    run = runs.open_run(run_id)
    split, config = run.split(), run.config
    if split.folds is not None or split.by == "patient":
        return split.by == "picture"
    try:
        return leak_report(config.source.usable(), split, "val").leaked_test_pictures > 0
    except LymphError:
        return True


def title_of(run: Run | RunRecord) -> str:
    """Name a run for people: the name it was given, model, split and when."""
    return runs.full_title(run if isinstance(run, RunRecord) else runs.record_of(run))


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def classifier_of(run_id: str, changed: float) -> "Classifier":
    """Load the model of a run; at most two stay in memory."""
    # Loaded late: torch takes seconds to import and only this needs it.
    from lymph.inference import load_classifier

    return load_classifier(runs.open_run(run_id))


def changed(run: Run) -> float:
    """Return when a run's predictions were written: what is cached of them ends with it."""
    try:
        return (run.path / PREDICTIONS).stat().st_mtime
    except OSError:
        return 0.0


@st.cache_resource(show_spinner=False, max_entries=40)
def predictions_at(path: str, written: float) -> pd.DataFrame:
    """Return the prediction table of a run's folder as it was written then.

    It is handed out uncopied, since a copy of a large one costs a click: do not change it.
    """
    return runs.open_run(path).predictions()


def predictions_of(run: Run) -> pd.DataFrame:
    """Return a run's prediction table; do not change it."""
    return predictions_at(str(run.path), changed(run))


# Pages read it at every figure, and a copy of all of them took longer than what is said of one.
@st.cache_resource(show_spinner="Counting", max_entries=200)
def _report(path: str, written: float, set_name: str) -> dict[str, Any]:
    drawn = is_synthetic(runs.open_run(path).config.data)
    return report(predictions_at(path, written), set_name, drawn)


def report_of(run: Run, set_name: str) -> dict[str, Any]:
    """Return every figure of one set of a run; do not change it."""
    return _report(str(run.path), changed(run), set_name)


@st.cache_resource(show_spinner=False, max_entries=200)
def _sets(path: str, written: float) -> list[str]:
    return sets_of(predictions_at(path, written))


def sets_judged(run: Run) -> list[str]:
    """Return the sets that a run has answered, the one to judge by first; do not change it."""
    return _sets(str(run.path), changed(run))


def judged_by_test(run: Run) -> dict[str, Any]:
    """Return the figures of the set to judge a run by first."""
    return report_of(run, sets_judged(run)[0])


def _rank(record: RunRecord) -> tuple[bool, bool, float]:
    assert record.summary is not None  # it is finished
    return honest_rank(record.summary.judged)


def choose_run(data_set: DataSet, label: str, key: str, single: bool = False) -> Run | None:
    """Draw the chooser of a finished run; the choice stands in the address.

    With ``single`` only runs of one split are offered, since a cross-validation has no one model,
    and where the address names none the best honest one is first, not the one looked at last.
    """
    known, first = _offered(data_set, single)
    if not known:
        return None
    ids, titles = list(known), runs.titles_of(known.values())
    chosen = st.selectbox(
        label, ids, index=ids.index(first), format_func=titles.__getitem__, key=key
    )
    remember_run(CLASSIFY_KEY if single else RESULTS_KEY, chosen)
    return known[chosen].run


def run_shown(data_set: DataSet, single: bool = False) -> Run | None:
    """Return the run that :func:`choose_run` would offer first, for a slide without a chooser."""
    known, first = _offered(data_set, single)
    return known[first].run if known else None


def _offered(data_set: DataSet, single: bool) -> tuple[dict[str, RunRecord], str]:
    """Return the runs to choose from, by id, and the one to show first."""
    offered = finished_records(data_set)
    known = {record.id: record for record in offered if not single or not record.split.folds}
    asked = st.query_params.get("run") if single else run_in_address(RESULTS_KEY)
    if asked and asked not in known:
        other = runs.with_figures(runs.record_of(runs.open_known(asked)))
        pictures.check_may_look(who(), Path(other.config.data))
        if other.trouble:
            raise RunError(other.trouble)
        if other.finished:
            known = {other.id: other, **known}
    if asked in known:
        return known, asked
    if single and known:
        return known, max(known, key=lambda run_id: _rank(known[run_id]))
    return known, _first_to_show(known)


def _first_to_show(known: dict[str, RunRecord]) -> str:
    """Return the run whose results are shown where none was asked for, or nothing.

    It is the newest that this visitor has started, else the newest that does not leak: a figure
    that cannot be believed is the first thing that nobody should see.
    """
    started = runs_started()
    own = (run_id for run_id in known if run_id in started)
    sound = (run_id for run_id, record in known.items() if not runs.leaks(record))
    return next(own, None) or next(sound, None) or next(iter(known), "")


def quality_sentence(run: Run) -> str:
    """Say how good a run's model is: set, split, patients, interval, and whether it was drawn."""
    set_name = sets_judged(run)[0]
    figures = report_of(run, set_name)
    pictures = figures["pictures"]
    drawn = "computer-drawn " if is_synthetic(run.config.data) else ""
    words = (
        f"This model classifies {100 * pictures['accuracy']:.0f} % of {pictures['n']} {drawn}"
        f"{SET_WORDS[set_name]} pictures from {people_text(figures)} correctly"
        f" ({interval_words(pictures['interval'])}), split by {run.split().by}."
    )
    if figures.get("leaked_test_share"):
        return words + " It has trained on the same patients, so this figure is too optimistic."
    return words + (f" {PATIENTS_UNKNOWN}" if figures.get("patients_unknown") else "")


def run_in_address(key: str) -> str | None:
    """Return the id of the run to show: from the address, else the one looked at last here.

    None means that none was ever chosen, an empty string that a new one is wanted.
    """
    chosen = st.query_params.get("run", st.session_state.get(key))
    if chosen:
        remember_run(key, chosen)
    return chosen


def remember_run(key: str, run_id: str) -> None:
    """Keep the run to show in the address and for the time another page is open."""
    st.session_state[key] = run_id
    put_in_address("run", [run_id] if run_id else [])


def forget_runs() -> None:
    """Forget which runs were looked at: they learned from other pictures than those now chosen."""
    for key in (RESULTS_KEY, TRAIN_KEY):
        st.session_state.pop(key, None)
    put_in_address("run", [])


def offer_other_run() -> None:
    """Offer a way out when the run in the address is not there or cannot be read."""
    st.button("Show another run", on_click=remember_run, args=(RESULTS_KEY, ""), key="other_run")
