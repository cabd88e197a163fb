"""Cached figures of runs, for the pages Results and Runs; each ends when predictions change."""

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from lymph import evaluation
from lymph.errors import LymphError
from lymph.evaluation import Area, Calibration, Confidence, Selection, Tested
from lymph.reports.tables import base_text, mark_of, split_text
from lymph.runs import Run, record_of
from pages.shared import training

Key = tuple[str, float, str, str]


class Judged(NamedTuple):
    """One run seen on one set, by picture or by patient."""

    run: Run
    set_name: str
    level: str

    @property
    def key(self) -> Key:
        """Return what cached figures hang on."""
        return (str(self.run.path), training.changed(self.run), self.set_name, self.level)

    @property
    def report(self) -> dict[str, Any]:
        """Return every figure of the set."""
        return training.report_of(self.run, self.set_name)

    @property
    def section(self) -> dict[str, Any]:
        """Return the figures of the level: of pictures or of patients."""
        return self.report[self.level]

    @property
    def leaks(self) -> bool:
        """Tell whether the model has trained on patients of this set."""
        return bool(self.report.get("leaked_test_share"))

    @property
    def mark(self) -> str:
        """Return the mark of figures that cannot be trusted as they stand, or nothing."""
        return mark_of(self.report)

    @property
    def pictures(self) -> pd.DataFrame:
        """Return the prediction rows of the set."""
        return _pictures(*self.key[:3])

    @property
    def table(self) -> pd.DataFrame:
        """Return what is judged: the pictures, or one row a patient."""
        return _table(self.key)

    @property
    def unit(self) -> str:
        """Return the word for what is counted."""
        return self.level


def base_of(judged: Judged) -> str:
    """Say on what a figure stands: set, split, pictures, patients, and whether it leaks."""
    words = base_text(judged.run, judged.report)
    return words.replace(judged.mark, f":red[**{judged.mark}**]") if judged.mark else words


@st.cache_resource(show_spinner=False, max_entries=64)
def _pictures(path: str, changed: float, set_name: str) -> pd.DataFrame:
    # A resource is handed out uncopied; nobody changes it.
    return evaluation.choose_set(training.predictions_at(path, changed), set_name)


@st.cache_resource(show_spinner=False, max_entries=64)
def _table(key: Key) -> pd.DataFrame:
    pictures = _pictures(*key[:3])
    return evaluation.by_patient(pictures) if key[3] == "patients" else pictures


@st.cache_resource(show_spinner=False, max_entries=64)
def _selected(key: Key, selection: Selection) -> pd.DataFrame:
    # The map shows all pictures of the run, whichever set is chosen.
    table = _pictures(*key[:3])
    if selection.kind == "picture":
        table = training.predictions_at(*key[:2]).drop_duplicates("picture")
    return evaluation.selected_pictures(table, selection, key[3] == "patients")


def selected(judged: Judged, selection: Selection) -> pd.DataFrame:
    """Return the prediction rows that a choice means; do not change them.

    Raises
    ------
    EvaluationError
        When the run does not know what was chosen.
    """
    return _selected(judged.key, selection)


@st.cache_data(show_spinner=False, max_entries=64)
def _headline(path: str, changed: float, set_name: str) -> str:
    return evaluation.headline(training.predictions_at(path, changed), set_name)


def headline_of(judged: Judged) -> str:
    """Return the sentence to read first; it holds names as the table has them."""
    return _headline(*judged.key[:3])


@st.cache_resource(show_spinner=False, max_entries=64)
def _patients(path: str, changed: float, set_name: str) -> pd.DataFrame:
    return evaluation.patient_results(_pictures(path, changed, set_name))


def patients_of(judged: Judged) -> pd.DataFrame:
    """Return one row a patient, the worst first; do not change it."""
    return _patients(*judged.key[:3])


@st.cache_data(show_spinner="Drawing curves", max_entries=64)
def _areas(key: Key) -> dict[str, dict[str, Area]]:
    return evaluation.areas(_table(key))


def areas_of(judged: Judged) -> dict[str, dict[str, Area]]:
    """Return the areas under the curves with their intervals."""
    return _areas(judged.key)


@st.cache_data(show_spinner=False, max_entries=64)
def _confidence(path: str, changed: float) -> Confidence:
    return evaluation.confidence_of(training.predictions_at(path, changed))


def confidence_of(run: Run) -> Confidence:
    """Return whether a run's answers may state a confidence, and what was found."""
    return _confidence(str(run.path), training.changed(run))


@st.cache_data(show_spinner="Comparing confidence and truth", max_entries=64)
def _calibration(key: Key, temperature: float) -> Calibration:
    pictures = evaluation.apply_temperature(_pictures(*key[:3]), temperature)
    by_patient = key[3] == "patients"
    return evaluation.calibrate(evaluation.by_patient(pictures) if by_patient else pictures)


def calibration_of(judged: Judged, temperature: float = 1.0) -> Calibration:
    """Return how far the probabilities can be believed, softened by a temperature."""
    return _calibration(judged.key, temperature)


@st.cache_data(show_spinner="Comparing the runs", max_entries=64)
def _difference(first: Key, second: Key, metric: str) -> evaluation.Difference:
    tables = [training.predictions_at(*key[:2]) for key in (first, second)]
    return evaluation.paired_difference(
        *tables,
        metric=metric,
        set_name=first[2],
        names=("run A", "run B"),
        patients=first[3] == "patients",
    )


def difference_of(first: Judged, second: Judged, metric: str) -> evaluation.Difference:
    """Return the paired difference of two runs, second minus first.

    Raises
    ------
    EvaluationError
        When they were not judged on the same pictures.
    """
    return _difference(first.key, second.key, metric)


def beside(run: Run, judged: Judged) -> Judged:
    """Return another run on the set of one, or on its own to judge by where it has no such set.

    One that cannot be read is returned all the same: whoever asks for its figures is told.
    """
    try:
        names = training.sets_judged(run)
    except LymphError:
        names = [judged.set_name]
    set_name = judged.set_name if judged.set_name in names else names[0]
    return Judged(run, set_name, judged.level)


@st.cache_data(show_spinner=False, max_entries=400)
def _key_of_test(path: str, changed: float, set_name: str) -> str:
    try:
        return evaluation.key_of_test(training.predictions_at(path, changed), set_name)
    except LymphError:
        return ""


def key_of_test(run: Run, set_name: str) -> str:
    """Return a mark of the pictures of a run's set, empty where there is no such set.

    Figures of two runs can be compared where it is the same.
    """
    return _key_of_test(str(run.path), training.changed(run), set_name)


def same_test(first: Judged, second: Judged) -> bool:
    """Tell whether two runs were judged on the same pictures, so that they can be subtracted."""
    one, other = (key_of_test(judged.run, judged.set_name) for judged in (first, second))
    return bool(one) and one == other


@st.cache_data(show_spinner="Comparing the tests", max_entries=64)
def _side(key: Key, split: str, name: str) -> Tested:
    path, changed, set_name, level = key
    return evaluation.side_of(training.predictions_at(path, changed), set_name, split, level, name)


def side_of(judged: Judged, name: str) -> Tested:
    """Return what a run was tested on and what came of it; ``name`` is what sentences call it."""
    return _side(judged.key, split_text(record_of(judged.run).split), name)
