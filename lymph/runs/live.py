"""Where a run stands, read in one go: status, curves and validation answers of the same epoch."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lymph.errors import RunError
from lymph.jobs.status import Status
from lymph.runs.run import Run
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.estimate import seconds_left
from lymph.training.folder import read_metrics
from lymph.training.phases import Phase, plan_phases
from lymph.training.validation import Answers, read_answers

READ = (files.STATUS, files.METRICS, files.VALIDATION)


@dataclass(frozen=True)
class Standing:
    """A run as one look found it; nothing in it is of a later epoch than the status tells.

    Attributes
    ----------
    status : Status
    config : TrainConfig
    metrics : DataFrame
        One row a finished epoch, of the fold at hand where there are folds.
    phases : list of Phase
        Those planned, of one fold.
    answers : Answers or None
        What was said of the validation pictures; None where nothing was kept.
    doubt : str
        Why the answers cannot be read, in a sentence; empty where they can.
    """

    status: Status
    config: TrainConfig
    metrics: pd.DataFrame
    phases: list[Phase]
    answers: Answers | None
    doubt: str = ""

    @property
    def best_epoch(self) -> int:
        """Return the epoch whose model is kept so far; 0 where none is, and of folds."""
        best = 0 if self.status.folds else self.status.best_epoch
        return best if best in set(self.metrics["epoch"]) else 0

    @property
    def seconds_left(self) -> float | None:
        """Estimate what is left of the whole run; None where nobody knows."""
        done = self.status.epoch + self.status.share
        if not self.status.folds:
            return seconds_left(self.metrics, self.phases, done, self.status.epochs)
        if self.metrics.empty:
            return None
        return float(self.metrics["seconds"].mean()) * (self.status.epochs - done)


def standing_of(run: Run) -> Standing:
    """Read where a run stands.

    The status is written after the files that it speaks of, so it is read first: what they hold of
    later epochs is left to the next look.

    Raises
    ------
    LymphError
        When the status, the configuration or the curves cannot be read.
    """
    status, config = run.status(), run.config
    folder, until = _folder_at_hand(run.path, status, config.epochs)
    metrics = read_metrics(folder)
    # Of folds that are over, the run's own file tells the fold.
    if "fold" in metrics and len(metrics):
        metrics = metrics[metrics["fold"] == metrics["fold"].iloc[-1]]
    metrics = metrics[metrics["epoch"] <= until].reset_index(drop=True)
    answers, doubt = _answers(folder, config, until)
    return Standing(status, config, metrics, plan_phases(config), answers, doubt)


def _folder_at_hand(path: Path, status: Status, epochs: int) -> tuple[Path, int]:
    """Return the folder whose curves move, and the epoch that the status has told of."""
    if not status.folds:
        return path, status.epoch
    fold = max(1, status.fold)
    inner = path / files.FOLDS / str(fold)
    return (inner if inner.is_dir() else path), status.epoch - (fold - 1) * epochs


def _answers(folder: Path, config: TrainConfig, until: int) -> tuple[Answers | None, str]:
    try:
        answers = read_answers(folder, len(config.classes))
    except RunError as error:
        return None, str(error)
    kept = answers.until(until) if answers else None
    return (kept if kept and len(kept.epochs) else None), ""


def changed_at(run: Run) -> str:
    """Return a text that changes with whatever :func:`standing_of` reads, without reading it."""
    folders = [run.path]
    with contextlib.suppress(OSError):  # a run of one split, or one that someone deletes just now
        folds = (run.path / files.FOLDS).iterdir()
        folders += sorted(folds, key=lambda folder: (len(folder.name), folder.name))[-1:]
    return " ".join(_stamp(folder / name) for folder in folders for name in READ)


def _stamp(file: Path) -> str:
    try:
        seen = os.stat(file)
    except OSError:
        return "-"
    return f"{seen.st_mtime_ns:x}.{seen.st_size:x}"
