"""What is kept while someone moves between pages: the data set, the split, the steps done."""

from typing import Literal, NamedTuple

import streamlit as st

from lymph.data.sources import DataSet
from lymph.splits import FRACTIONS
from pages.shared.navigation import DATA_KEY, put_in_address
from pages.shared.visitor import data_sets

WANTED_KEY = "data_wanted"
NEW_KEY = "data_new"
OWN_KEY = "own_pictures_wanted"
# The run that Train follows, and those that this visitor has started.
TRAIN_KEY = "train_run"
STARTED_KEY = "runs_started"
SPLITS_KEY = "split_settings"
DONE_KEY = "steps_done"

SplitBy = Literal["patient", "notebook", "hand", "folds", "one-out", "picture", "given", "saved"]


class SplitSettings(NamedTuple):
    """How the pictures are split; enough to make the same split again."""

    by: SplitBy = "patient"
    seed: int = 0
    val: float = FRACTIONS[1]
    test: float = FRACTIONS[2]
    k: int = 5
    moves: tuple[tuple[str, str], ...] = ()
    name: str = ""

    @property
    def fractions(self) -> tuple[float, float, float]:
        """Return the shares of train, validation and test."""
        return (1.0 - self.val - self.test, self.val, self.test)


def current_data_set() -> DataSet | None:
    """Return the data set chosen in the sidebar, or the first one, or None when there is none."""
    known = data_sets()
    by_name = {data_set.name: data_set for data_set in known}
    return by_name.get(st.session_state.get(DATA_KEY, ""), known[0] if known else None)


def want_data_set(name: str, new: bool = False) -> None:
    """Choose a data set at the next run of the script, before the sidebar's chooser is drawn."""
    st.session_state[WANTED_KEY] = name
    if new:
        st.session_state[NEW_KEY] = name


def want_own_pictures() -> None:
    """Let the Data page open with the way in for one's own pictures."""
    st.session_state[OWN_KEY] = True


def wants_own_pictures() -> bool:
    """Tell, once, whether the way in for one's own pictures is to be open."""
    return st.session_state.pop(OWN_KEY, False)


def is_new(data_set: DataSet) -> bool:
    """Tell, once, whether a data set was just opened: what was found is shown first."""
    return st.session_state.pop(NEW_KEY, None) == data_set.name


def split_settings(data_set: DataSet) -> SplitSettings:
    """Return the split chosen for a data set; by patient with seed 0 where none was chosen."""
    kept = st.session_state.get(SPLITS_KEY, {}).get(_key(data_set))
    return SplitSettings(*kept) if kept else SplitSettings()


def keep_split_settings(data_set: DataSet, settings: SplitSettings) -> None:
    """Keep the split chosen for a data set, for the Train page.

    With another split another run is wanted: Train no longer follows the last one.
    """
    if tuple(settings) != tuple(split_settings(data_set)):
        st.session_state.pop(TRAIN_KEY, None)
        put_in_address("run", [])
    st.session_state.setdefault(SPLITS_KEY, {})[_key(data_set)] = tuple(settings)


def take_split_along(data_set: DataSet, own: DataSet) -> None:
    """Begin with the same split in a copy of a data set."""
    kept = st.session_state.setdefault(SPLITS_KEY, {})
    if _key(data_set) in kept:
        kept.setdefault(_key(own), kept[_key(data_set)])


def _key(data_set: DataSet) -> tuple[str, str]:
    """Return what a data set is known by, whatever it is called."""
    return str(data_set.path), data_set.copy


def mark_done(step: str) -> None:
    """Remember that a step of the way from data to an answer was taken in this session."""
    st.session_state.setdefault(DONE_KEY, set()).add(step)


def steps_done() -> set[str]:
    """Return the steps taken in this session."""
    return st.session_state.get(DONE_KEY, set())


def mark_started(run_id: str) -> None:
    """Remember that this visitor has started a run."""
    st.session_state.setdefault(STARTED_KEY, set()).add(run_id)


def runs_started() -> set[str]:
    """Return the ids of the runs that this visitor has started in this session."""
    return st.session_state.get(STARTED_KEY, set())
