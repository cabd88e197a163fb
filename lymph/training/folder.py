"""The files of a run folder, and the status that everybody reads."""

import os
import socket
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from pandas.api.types import is_float_dtype, is_integer_dtype

from lymph import workspace
from lymph.errors import RunError
from lymph.typed import misfit, read_object

CONFIG = "config.json"
SPLIT = "split.json"
STATUS = "status.json"
METRICS = "metrics.csv"
LAST = "last.pt"
BEST = "best.pt"
PREDICTIONS = "predictions.csv"
LOG = "log.txt"
ENVIRONMENT = "environment.json"
SUMMARY = "summary.json"
FAMILIARITY = "familiarity.json"
FEATURES = "features.npz"
STOP = "stop"
RESERVE = "reserve"
FOLDS = "folds"
ABOUT = "about.json"
# All that is a run's own in its folder, the status last: what else lies there is the user's.
OWN = (
    CONFIG,
    SPLIT,
    METRICS,
    LAST,
    BEST,
    PREDICTIONS,
    LOG,
    ENVIRONMENT,
    SUMMARY,
    FAMILIARITY,
    FEATURES,
    STOP,
    RESERVE,
    FOLDS,
    ABOUT,
    STATUS,
)

RESTORE = "put it back from a copy, or delete the folder"

METRIC_COLUMNS = [
    "epoch",
    "phase",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
    "seconds",
]

PRECISION = ("bfloat16", "channels_last", "train_seconds", "eval_seconds")
NUMBERS = {"fold", *METRIC_COLUMNS} - {"phase"}

# A process that was started but has not written its pid by now never came up.
START_SECONDS = 120

STATES = ("queued", "running", "finished", "stopped", "failed", "lost")
OVER = ("finished", "stopped", "failed", "lost")


@dataclass(frozen=True)
class Status:
    """Where a run stands; times are seconds since 1970, ``process_started`` guards reused pids.

    ``epoch`` counts finished epochs, of all folds where there are any; ``share`` (0 to 1) tells how
    much of the next one is done.
    """

    state: str
    pid: int = 0
    process_started: float = 0.0
    host: str = ""
    epoch: int = 0
    epochs: int = 0
    fold: int = 0
    folds: int = 0
    share: float = 0.0
    best_epoch: int = 0
    queued: float = 0.0
    updated: float = 0.0
    seconds: float = 0.0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Tell whether nothing more will happen by itself."""
        return self.state in OVER


def read_status(folder: Path) -> Status:
    """Read ``status.json``; a run whose process has died without saying so is ``lost``.

    Raises
    ------
    RunError
        When there is no status, it cannot be read or holds what no run writes.
    """
    return as_of_now(written_status(folder))


def written_status(folder: Path) -> Status:
    """Read ``status.json`` as it stands, whether or not the process that wrote it still lives.

    Raises
    ------
    RunError
        As :func:`read_status`.
    """
    path = folder / STATUS
    document = read_object(path, RunError, RESTORE)
    if wrong := misfit(Status, document) or _strange(document):
        raise RunError(f"{path} cannot be read: {wrong}; {RESTORE}.")
    known = {item.name for item in fields(Status)}
    return Status(**{key: value for key, value in document.items() if key in known})


def _strange(document: dict[str, Any]) -> str:
    """Say which value of a status no run writes, or nothing."""
    if document["state"] not in STATES:
        return f"the state {document['state'][:40]!r} is none of {', '.join(STATES)}"
    numbers = {key: value for key, value in document.items() if isinstance(value, (int, float))}
    below = next((key for key, value in numbers.items() if value < 0), "")
    return f"{below} is below zero" if below else ""


def as_of_now(status: Status) -> Status:
    """Return the status, or ``lost`` where its process has died without saying so."""
    if not status.over and _vanished(status):
        return replace(
            status,
            state="lost",
            error="The process ended without a word: the machine stopped or the process was"
            " killed. Everything up to the last finished epoch is kept; resume goes on from there.",
        )
    return status


def _vanished(status: Status) -> bool:
    if status.pid:
        return not process_alive(status)
    return 0 < status.queued < time.time() - START_SECONDS


def read_metrics(folder: Path) -> pd.DataFrame:
    """Read ``metrics.csv``: one row a finished epoch, none before the first.

    Raises
    ------
    RunError
        When it cannot be read, lacks a column or holds what is no number.
    """
    path = folder / METRICS
    remedy = "resume the run to write it anew, or train again"
    try:
        metrics = pd.read_csv(path)
    except FileNotFoundError:
        return pd.DataFrame(columns=METRIC_COLUMNS)
    except (OSError, ValueError, OverflowError) as error:
        raise RunError(f"{path} cannot be read ({error}); {remedy}.") from error
    missing = [name for name in METRIC_COLUMNS if name not in metrics]
    if missing:
        raise RunError(f"{path} lacks the column {missing[0]}; {remedy}.")
    for name in metrics if len(metrics) else []:
        whole = name in ("epoch", "fold")
        sound = is_integer_dtype(metrics[name]) if whole else is_float_dtype(metrics[name])
        if name in NUMBERS and not (sound or is_integer_dtype(metrics[name])):
            raise RunError(f"{path} holds what is no number in the column {name}; {remedy}.")
    if metrics["seconds"].isna().any():
        raise RunError(f"{path} is cut; {remedy}.")
    return metrics


def read_environment(folder: Path) -> dict[str, Any]:
    """Read ``environment.json``: versions, number format, class weights; empty before the start.

    Raises
    ------
    RunError
        When it cannot be read or does not say in what the run computes.
    """
    path = folder / ENVIRONMENT
    if not path.exists():
        return {}
    document = read_object(path, RunError, RESTORE)
    precision = document.get("precision")
    sound = isinstance(precision, dict) and all(
        isinstance(precision.get(name), (int, float)) for name in PRECISION
    )
    if not sound:
        raise RunError(f"{path} cannot be read: it names no number format; {RESTORE}.")
    return document


def write_status(folder: Path, status: Status) -> None:
    """Write ``status.json`` through a temporary name."""
    workspace.write_json(folder / STATUS, asdict(replace(status, updated=time.time())))


def own_process() -> dict[str, Any]:
    """Return the fields by which a status names the process that writes it."""
    return {
        "pid": os.getpid(),
        "process_started": psutil.Process().create_time(),
        "host": socket.gethostname(),
    }


def process_alive(status: Status) -> bool:
    """Tell whether the very process that a status names still runs on this machine."""
    if status.host != socket.gethostname():
        return False
    try:
        process = psutil.Process(status.pid)
        same = abs(process.create_time() - status.process_started) < 2.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
