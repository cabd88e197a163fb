"""What the live view shows of a run, in plain values: made once a change, for all who follow it."""

import hashlib
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lymph import runs
from lymph.charts import confusion_cells, matrix_html
from lymph.charts.learning import PHASE_TITLES
from lymph.facts import class_colours
from lymph.jobs.status import Status
from lymph.reports.tables import LEAK_MARK, UNKNOWN_MARK
from lymph.runs import Run, Standing
from lymph.text import counted
from pages.shared.loading import time_left
from pages.shared.pictures.galleries import short_name
from pages.shared.training import STATE_MARKS, validates_on_known
from pages.shared.waiting import known_to, waiting_words

# More points than these no screen tells apart, and more mistakes nobody looks at while it learns.
MOST_POINTS = 400
MOST_WRONG = 24
CURVES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


def head_of(run: Run) -> dict[str, Any]:
    """Return what moves all the time: the bar, its words, and the chapter that the run is in.

    A page that shows more of a run than this view is drawn again when the chapter changes.
    """
    return _head(run, _looked(run))


def body_of(run: Run, at: int = 0, dark: bool = False) -> dict[str, Any]:
    """Return what moves at the end of an epoch: numbers, curves, matrix and mistakes.

    Parameters
    ----------
    run : Run
    at : int
        The epoch of matrix and mistakes; 0: the last one.
    dark : bool
        Whether the page is dark.
    """
    return _body(run, _looked(run), at, dark)


def _looked(run: Run) -> Standing:
    return _standing(str(run.path), runs.changed_at(run), run.status().state)


@lru_cache(maxsize=64)
def _standing(path: str, changed: str, state: str) -> Standing:
    return runs.standing_of(Run(Path(path)))


def _head(run: Run, standing: Standing) -> dict[str, Any]:
    status = standing.status
    waits = waiting_words(run.path) if status.state == "queued" else ""
    told = [status.state, status.error, status.warnings, status.notes, status.fold]
    told.append([other.id for other in runs.queue(known_to(run.path))] if waits else [])
    return {
        "state": status.state,
        "over": status.over,
        "share": round(_share(status), 4),
        "words": _words(standing) + (f" · {waits}" if waits else ""),
        "chapter": hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16],
        "body": f"{status.epoch} {status.best_epoch} {status.over} {_files(run)}",
    }


def _files(run: Run) -> str:
    """Return what tells whether the curves or the answers were written again."""
    return runs.changed_at(run).partition(" ")[2]


def _prepares(status: Status) -> bool:
    return status.state == "running" and bool(status.step)


def _share(status: Status) -> float:
    """Return how full the bar is: of a step before or between epochs, else of the whole run."""
    between = _prepares(status) and status.epoch < status.epochs
    return status.step_share if between else status.done


def _words(standing: Standing) -> str:
    """Say where a run stands; the epoch is that of the curves."""
    status, metrics = standing.status, standing.metrics
    words = STATE_MARKS[status.state]
    if _prepares(status):
        return f"{words} · {status.step}{time_left(status.step_left)}"
    if status.folds:
        words += f": epoch {status.epoch} of {status.epochs}"
        words += "" if status.over else f", fold {max(1, status.fold)} of {status.folds}"
    elif status.epochs:
        done = int(metrics["epoch"].iloc[-1]) if len(metrics) else 0
        words += f": epoch {done} of {status.epochs}"
    return words + (time_left(standing.seconds_left) if status.state == "running" else "")


def _body(run: Run, standing: Standing, at: int, dark: bool) -> dict[str, Any]:
    metrics, phases = standing.metrics, standing.phases
    return {
        "total": sum(phase.epochs for phase in phases),
        "phases": [
            [PHASE_TITLES.get(phase.name, phase.name), phase.epochs]
            for phase in (phases if len(phases) > 1 else [])
        ],
        "points": _points(metrics, standing.best_epoch),
        "best": standing.best_epoch,
        "over": standing.status.over,
        "numbers": _numbers(run, standing),
        "caption": _caption(run, standing),
        "view": _view(standing, at, dark),
        "doubt": standing.doubt,
    }


def _points(metrics: pd.DataFrame, best: int) -> dict[str, list[float | None]]:
    """Return the curves, thinned where they are long; the best and the last epoch stay."""
    every = math.ceil(len(metrics) / MOST_POINTS)
    if every > 1:
        number = np.arange(len(metrics))
        last = number == len(metrics) - 1
        metrics = metrics[(number % every == 0) | last | (metrics["epoch"] == best).to_numpy()]
    columns: dict[str, list[float | None]] = {"epoch": [int(n) for n in metrics["epoch"]]}
    return columns | {name: [_number(value) for value in metrics[name]] for name in CURVES}


def _number(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None


def shown_epoch(standing: Standing) -> int:
    """Return the epoch that the large numbers are of: the one that is kept, else the last one."""
    metrics = standing.metrics
    return standing.best_epoch or (int(metrics["epoch"].iloc[-1]) if len(metrics) else 0)


def _numbers(run: Run, standing: Standing) -> list[list[str]]:
    epoch = shown_epoch(standing)
    if not epoch:
        return []
    row = standing.metrics[standing.metrics["epoch"] == epoch].iloc[-1]
    mark = LEAK_MARK if validates_on_known(run.id) else ""
    mark = UNKNOWN_MARK if standing.config.source.caveat else mark
    shown = [["Train accuracy", f"{100 * row['train_accuracy']:.0f} %"]]
    # A fold of a probe has no validation images.
    validated = not np.isnan(row["val_loss"])
    if validated:
        label = f"Validation accuracy{f' · {mark}' if mark else ''}"
        shown.append([label, f"{100 * row['val_accuracy']:.0f} %"])
    shown.append(["Train loss", f"{row['train_loss']:.2f}"])
    return shown + ([["Validation loss", f"{row['val_loss']:.2f}"]] if validated else [])


def _caption(run: Run, standing: Standing) -> str:
    epoch = shown_epoch(standing)
    if not epoch:
        return ""
    split, status = run.split(), standing.status
    which = f"Epoch {epoch}"
    if standing.best_epoch:
        which += ", the one that is kept" + ("" if status.over else " so far")
    val = f" on {counted(len(split.sets['val']), f'validation {split.by}')}" if split.sets else ""
    chooses = "Nobody validates"
    if split.sets:
        chosen = "the epoch" if standing.config.chooses_by_validation else "nothing"
        chooses = f"Validation chooses {chosen}"
    return (
        f"{which}: accuracy per picture{val}, split by {split.by}. {chooses};"
        " how good the model is on patients it never saw is on the Results page, with its interval."
    )


def _view(standing: Standing, at: int, dark: bool) -> dict[str, Any] | None:
    """Return the matrix of an epoch and the pictures that it got wrong."""
    answers, classes = standing.answers, standing.config.classes
    if answers is None:
        return None
    epochs = [int(epoch) for epoch in answers.epochs]
    epoch = max([one for one in epochs if not at or one <= at] or epochs[:1])
    cells = confusion_cells(answers.matrix(epoch, len(classes)), classes, "counts", dark)
    said = answers.at(epoch)
    wrong = np.flatnonzero(said != answers.labels)
    colours = class_colours(classes)
    return {
        "epoch": epoch,
        "epochs": epochs,
        "matrix": matrix_html(cells, classes, "validation pictures", "counts", None, dark),
        "wrong": [
            {
                "n": int(n),
                "name": short_name(answers.pictures[n]),
                "is": classes[answers.labels[n]],
                "said": classes[said[n]],
                "colour": colours[classes[answers.labels[n]]],
            }
            for n in wrong[:MOST_WRONG]
        ],
        "count": len(wrong),
        "of": len(answers.pictures),
    }


def picture_of(run: Run, number: int) -> tuple[Path, str]:
    """Return data root and path of a validation picture by its number.

    Raises
    ------
    LymphError
        When the run cannot be read.
    IndexError
        When there is none of that number.
    """
    standing = _looked(run)
    if standing.answers is None or not 0 <= number < len(standing.answers.pictures):
        raise IndexError(number)
    return Path(standing.config.data), standing.answers.pictures[number]
