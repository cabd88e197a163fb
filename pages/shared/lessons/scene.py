"""What the steps of a lesson are drawn from."""

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from lymph import workspace
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.facts import CLASS_NAMES, class_colours
from lymph.lessons.lesson import Lesson
from lymph.lessons.live import LiveRun, live_runs
from lymph.lessons.prepared import prepared_figures
from pages.shared import loading
from pages.shared.lessons.way import wants_prepared
from pages.shared.navigation import on_stage


class Scene(NamedTuple):
    """A lesson on one data set.

    Attributes
    ----------
    lesson : Lesson
    data_set : DataSet
    table : DataFrame
        Picture table.
    run : LiveRun
        Its run on these pictures, if there is one.
    figures : dict or None
        What the answer is drawn from: the run's, or where ``prepared`` those that come with lymph.
    stage : bool
        Whether one slide is drawn, not the whole step.
    """

    lesson: Lesson
    data_set: DataSet
    table: pd.DataFrame
    run: LiveRun
    figures: dict[str, Any] | None
    prepared: bool
    stage: bool

    @property
    def colours(self) -> dict[str, str]:
        """Return the colour of each class in the figures."""
        return class_colours(CLASS_NAMES if self.prepared else classes_of(self.table))


def runs_of(slugs: tuple[str, ...], data_set: DataSet, table: pd.DataFrame) -> list[LiveRun]:
    """Return the runs of lessons on a data set; do not change the list."""
    home, root = str(workspace.home()), data_set.path
    read = (loading.folder_stamp(root), loading.decided(data_set), int(table["bytes"].sum()))
    key = (home, str(root), *read)
    return _runs(slugs, key, loading.found(data_set).source, table)


@st.cache_resource(show_spinner=False, max_entries=64)
def _runs(
    slugs: tuple[str, ...], key: tuple, _source: PictureSource, _table: pd.DataFrame
) -> list[LiveRun]:
    # Told by every row of the table, which takes longer than the whole page.
    return live_runs(slugs, _source, _table)


def scene_of(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> Scene:
    """Return what a lesson's steps are drawn from, as it is now.

    Raises
    ------
    LymphError
        When prepared results are asked for and there are none.
    """
    (run,) = runs_of((lesson.slug,), data_set, table)
    prepared = wants_prepared()
    figures = prepared_figures(lesson.slug) if prepared else run.figures()
    return Scene(lesson, data_set, table, run, figures, prepared, on_stage())
