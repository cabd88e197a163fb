"""Compare recipes: the job that is followed, the table it fills, and what the table says."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lymph import recipes
from lymph.charts import recipes_chart, whole_percent
from lymph.charts.recipes import ROW_HEIGHT
from lymph.classroom import jobs
from lymph.classroom.owners import whose_words
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.evaluation import percent_interval_text
from lymph.jobs.queue import job_of
from lymph.recipes import Comparison, Row
from lymph.recipes.comparison import SIDES, UNKNOWN
from lymph.recipes.table import Figures, method_words
from lymph.reports.tables import mark_of, right_text, verdict_text
from lymph.text import counted
from pages.shared import loading
from pages.shared.charts import draw
from pages.shared.frame import plain, told
from pages.shared.loading import duration, time_left
from pages.shared.stated import show_stated
from pages.shared.train.recipes_choice import choose_and_compare
from pages.shared.visitor import is_own, starter_of, who
from pages.shared.waiting import waiting_words

QUESTION = "Which recipe should you believe?"
INTRODUCTION = (
    "Each recipe is trained over the same folds twice: with patients apart, and at random, where"
    " the model has met the patients of its test. Only the first says anything of a new patient."
)
# In pixels, of the chart on a slide: all rows together, and what larger titles need beside them.
SLIDE_HEIGHT, SLIDE_MARGIN = 410, 40
# In pixels, of the names in the table.
NAME_WIDTH = 220


def show_recipes(data_set: DataSet) -> None:
    """Draw the comparison that goes on or was made last, and the way to another one."""
    st.header(QUESTION, anchor=False)
    source = loading.found(data_set).source
    if source.caveat:
        st.warning(plain(UNKNOWN))
        return
    st.markdown(INTRODUCTION)
    shown = _chosen(recipes.list_comparisons(source))
    if shown is None:
        choose_and_compare(data_set)
        return
    status = shown.status()
    if status.over:
        _show_over(shown)
    else:
        _follow(shown, len(shown.changed()))
    with told():
        _show_table(shown)
    if status.over:
        with st.expander("Compare again", key="compare_again"):
            choose_and_compare(data_set)


def finished_last(data_set: DataSet) -> Comparison | None:
    """Return the comparison that was finished last, if any."""
    known = recipes.list_comparisons(loading.found(data_set).source)
    return next((one for one in known if one.status().state == "finished"), None)


def show_on_slide(finished: Comparison) -> None:
    """Draw what a finished comparison says."""
    rows = _rows_there(finished)
    if not rows:
        return
    left, right = st.columns([3, 5], gap="medium")
    with left:
        _show_best(rows)
        st.caption(_measured_words(finished, rows))
    with right:
        _show_chart(rows, on_slide=True)


def _chosen(known: Sequence[Comparison]) -> Comparison | None:
    """Return the comparison that goes on, else the one that is chosen of those that were made."""
    going = next((one for one in known if one.status().going), None)
    if going is not None or len(known) < 2:
        return going or next(iter(known), None)
    by_name = {one.path.name: one for one in known}
    name = st.selectbox(
        "Comparison",
        list(by_name),
        format_func=lambda name: _title(by_name[name]),
        key="comparison",
    )
    return by_name.get(name, known[0])


def _title(comparison: Comparison) -> str:
    config, status = comparison.config, comparison.status()
    when = datetime.fromtimestamp(status.queued or status.updated)
    return (
        f"{when:%A %d %B %H:%M} · {counted(len(config.recipes), 'recipe')}, {config.folds} folds,"
        f" seed {config.seed}"
    )


# ---- the job -----------------------------------------------------------------------------------


@st.fragment(run_every=1.0)
def _follow(comparison: Comparison, seen: int) -> None:
    """Show how far a comparison is; with each cell that is done the whole page runs once more."""
    status = comparison.status()
    if status.over or len(comparison.changed()) != seen:
        st.rerun()
    with st.container(key="recipes_progress"):
        st.progress(status.done, _progress_words(comparison))
        if not is_own(comparison.path):
            st.caption(plain(whose_words(comparison.path)))
            return
        if starter := starter_of(comparison.path):
            st.caption(plain(starter))
        st.button("Stop", on_click=_stop, args=(comparison,), key="stop_recipes")


def _progress_words(comparison: Comparison) -> str:
    job, status = job_of(comparison.path), comparison.status()
    if status.state == "queued":
        return waiting_words(comparison.path)
    left = time_left(job.seconds_left() if job else None)
    return f"{plain(status.step or 'Starting')}{left}"


def _show_over(comparison: Comparison) -> None:
    """Say why a comparison ended early, and offer to go on."""
    status = comparison.status()
    if status.error:
        st.error(plain(status.error))
    if status.state == "finished":
        return
    cells = comparison.cells()
    done = sum(cell.done for cell in cells)
    st.caption(f"{plain(status.state.capitalize())} after {done} of {counted(len(cells), 'cell')}.")
    if is_own(comparison.path):
        st.button(
            "Resume", type="primary", on_click=_resume, args=(comparison,), key="resume_recipes"
        )
    else:
        st.caption(plain(whose_words(comparison.path)))


def _stop(comparison: Comparison) -> None:
    _attempt(lambda: jobs.change_job(who(), comparison.path, recipes.stop_comparison, comparison))


def _resume(comparison: Comparison) -> None:
    _attempt(
        lambda: jobs.restart_job(who(), comparison.path, recipes.resume_comparison, comparison)
    )


def _attempt(action: Callable[[], None]) -> None:
    """Stop or resume a comparison; what cannot be done is said in passing."""
    try:
        action()
    except LymphError as error:
        st.toast(plain(str(error)))


# ---- the table ---------------------------------------------------------------------------------


@st.cache_data(show_spinner="Comparing the recipes", max_entries=32)
def _rows(path: str, changed: tuple[str, ...]) -> list[Row]:
    return recipes.rows_of(Comparison(Path(path)))


def _show_table(comparison: Comparison) -> None:
    rows = _rows_there(comparison)
    if not rows:
        return
    _show_best(rows)
    _show_chart(rows)
    st.dataframe(
        pd.DataFrame([_row(row) for row in rows]),
        hide_index=True,
        height="content",
        # Not pinned: Streamlit writes pinned columns in a pale grey.
        column_config={"Recipe": st.column_config.TextColumn("Recipe", width=NAME_WIDTH)},
        placeholder="–",
        key="recipes_table",
    )
    st.caption(
        f"{_measured_words(comparison, rows)} A letter stands for a recipe: ‘Better than’ names"
        " those that score lower and can be told apart on these patients."
    )
    with st.expander("How this was measured", key="recipes_method"):
        st.write(plain(method_words(rows)))
    st.download_button(
        "Table as CSV",
        recipes.as_csv(comparison, rows),
        f"recipes-{comparison.path.name}.csv",
        "text/csv",
        key="recipes_csv",
        on_click="ignore",
    )


def _rows_there(comparison: Comparison) -> list[Row]:
    """Return the recipes that have figures, and say what is wrong with others."""
    rows = _rows(str(comparison.path), comparison.changed())
    for row in rows:
        if row.problem:
            st.error(plain(row.problem))
    return [row for row in rows if row.cells]


def _show_best(rows: Sequence[Row]) -> None:
    """Say which recipe is highest, and whether that may be stated."""
    with st.container(border=True, gap="small", key="recipes_result"):
        if (best := recipes.best_of(rows)) is not None:
            st.markdown(f"**{plain(recipes.best_words(rows))}**")
            show_stated(best.cells["patient"].pictures)


def _show_chart(rows: Sequence[Row], on_slide: bool = False) -> None:
    """Draw the recipes beside one another; on a slide no taller than it, with room for its type."""
    drawn, largest = [_drawn(row) for row in rows], _first(rows).pictures["baseline"]
    if on_slide:
        chart = recipes_chart(drawn, largest, min(ROW_HEIGHT, SLIDE_HEIGHT // len(rows)))
        chart.update_layout(margin_l=SLIDE_MARGIN)
    else:
        chart = recipes_chart(drawn, largest)
    draw(chart, "recipes", _alternative(rows))


def _measured_words(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Say on what all accuracies of a comparison stand."""
    config, figures = comparison.config, _first(rows)
    return (
        f"{figures.pictures['n']:d} pictures of {counted(figures.patients['n'], 'patient')},"
        f" {config.folds:d} folds, seed {config.seed:d}; accuracies are per picture, out of fold."
    )


def _first(rows: Sequence[Row]) -> Figures:
    return next(iter(rows[0].cells.values()))


def _row(row: Row) -> dict[str, Any]:
    apart, mixed = row.cells.get("patient"), row.cells.get("picture")
    line: dict[str, Any] = {"Recipe": f"{row.letter} · {row.title}"}
    line |= {
        "Patients apart": apart and whole_percent(apart.pictures["accuracy"]),
        "95 % interval": apart and percent_interval_text(apart.pictures["interval"]),
        "May it be stated?": apart and verdict_text(apart.pictures),
        "Better than": apart and apart.better_words,
        "Patients right": apart and right_text(apart.report),
        "At random": mixed and _marked(mixed),
        "At random, better than": mixed and mixed.better_words,
    }
    return {**line, "Time": duration(row.seconds)}


def _marked(cell: Figures) -> str:
    pictures, mark = cell.pictures, mark_of(cell.report)
    words = f"{whole_percent(pictures['accuracy'])} ({percent_interval_text(pictures['interval'])})"
    return f"{words} {mark}" if mark else words


def _drawn(row: Row) -> dict[str, Any]:
    """Lay out a recipe for the chart."""
    drawn: dict[str, Any] = {"title": f"{row.letter} · {row.title}"}
    for by, cell in row.cells.items():
        low, high = cell.pictures["interval"]
        drawn[by] = {"value": cell.pictures["accuracy"], "low": low, "high": high}
    return drawn


def _alternative(rows: Sequence[Row]) -> str:
    """Say in words what the chart shows."""
    words = {"patient": "with patients apart", "picture": "under random folds"}
    told = []
    for row in rows:
        sides = [
            f"{whole_percent(row.cells[by].pictures['accuracy'])} {words[by]}"
            f" ({percent_interval_text(row.cells[by].pictures['interval'])})"
            for by in SIDES
            if by in row.cells
        ]
        told.append(f"{row.title}: {', '.join(sides)}")
    return f"Accuracy of each recipe with its 95 % interval. {'. '.join(told)}."
