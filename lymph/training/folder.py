"""The files of a run folder, and the status that everybody reads."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import psutil

from lymph import workspace

CONFIG = "config.json"
SPLIT = "split.json"
STATUS = "status.json"
METRICS = "metrics.csv"
LAST = "last.pt"
BEST = "best.pt"
PREDICTIONS = "predictions.csv"
LOG = "log.txt"
ENVIRONMENT = "environment.json"
FAMILIARITY = "familiarity.json"
FEATURES = "features.npz"
STOP = "stop"
RESERVE = "reserve"
FOLDS = "folds"

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
    OSError, ValueError
        When there is no status or it cannot be read.
    """
    document = json.loads((folder / STATUS).read_text(encoding="utf-8"))
    known = {item.name for item in fields(Status)}
    status = Status(**{key: value for key, value in document.items() if key in known})
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
