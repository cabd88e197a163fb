"""Where a job stands: the status that everybody reads, and whether its process still lives."""

import os
import socket
import time
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from lymph import workspace
from lymph.errors import RunError
from lymph.jobs.files import HEARTBEAT, STATUS
from lymph.typed import misfit, read_object

RESTORE = "put it back from a copy, or delete the folder"

# A process that was started but has not written its pid by now never came up.
START_SECONDS = 120

# A process says so often that it is alive; one on another machine that has been silent for longer
# is gone. The clocks of two machines may differ by the rest.
BEAT_SECONDS = 15.0
SILENT_SECONDS = 180.0

STATES = ("queued", "running", "finished", "stopped", "failed", "lost")
OVER = ("finished", "stopped", "failed", "lost")


@dataclass(frozen=True)
class Status:
    """Where a job stands; times are seconds since 1970, ``process_started`` guards reused pids.

    ``epoch`` counts finished epochs, of all folds where there are any, or the rounds of a
    measurement; ``share`` (0 to 1) tells how much of the next one is done. ``step`` says in words
    what is done beside epochs, as reading pictures, with its share and the seconds it still takes,
    0 where nobody knows.
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
    step: str = ""
    step_share: float = 0.0
    step_left: float = 0.0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Tell whether nothing more will happen by itself."""
        return self.state in OVER

    @property
    def going(self) -> bool:
        """Tell whether it runs or waits for its turn; what was made and not started does not."""
        return not self.over and bool(self.pid or self.queued)

    @property
    def done(self) -> float:
        """Return how much of the whole is done, 0 to 1."""
        return min(1.0, (self.epoch + self.share) / max(1, self.epochs))


def read_status(folder: Path) -> Status:
    """Read ``status.json``; a job whose process has died without saying so is ``lost``.

    Raises
    ------
    RunError
        When there is no status, it cannot be read or holds what no job writes.
    """
    return as_of_now(folder, written_status(folder))


def written_status(folder: Path) -> Status:
    """Read ``status.json`` as it stands, whether or not the process that wrote it still lives.

    Raises
    ------
    RunError
        As :func:`read_status`.
    """
    path = folder / STATUS
    # It is asked for many times between two changes.
    seen = workspace.settled(path)
    return _status_in(path) if seen is None else _status_as_seen(path, seen)


@lru_cache(maxsize=2_000)
def _status_as_seen(path: Path, _seen: tuple[int, ...]) -> Status:
    return _status_in(path)


def _status_in(path: Path) -> Status:
    document = read_object(path, RunError, RESTORE)
    if wrong := misfit(Status, document) or _strange(document):
        raise RunError(f"{path} cannot be read: {wrong}; {RESTORE}.")
    known = {item.name for item in fields(Status)}
    return Status(**{key: value for key, value in document.items() if key in known})


def _strange(document: dict[str, Any]) -> str:
    """Say which value of a status no job writes, or nothing."""
    if document["state"] not in STATES:
        return f"the state {document['state'][:40]!r} is none of {', '.join(STATES)}"
    numbers = {key: value for key, value in document.items() if isinstance(value, (int, float))}
    below = next((key for key, value in numbers.items() if value < 0), "")
    return f"{below} is below zero" if below else ""


def write_status(folder: Path, status: Status) -> None:
    """Write ``status.json`` through a temporary name."""
    workspace.write_json(folder / STATUS, asdict(replace(status, updated=time.time())))


def change_status(folder: Path, **changes: Any) -> None:
    """Change some fields of a status; only the process that does the job may."""
    write_status(folder, replace(written_status(folder), **changes))


def as_of_now(folder: Path, status: Status) -> Status:
    """Return a folder's status, or ``lost`` where its process has died without saying so."""
    if not status.over and _vanished(folder, status):
        return replace(
            status,
            state="lost",
            error="The process ended without a word: the machine stopped or the process was"
            " killed. Everything up to the last finished epoch is kept; resume goes on from there.",
        )
    return status


def _vanished(folder: Path, status: Status) -> bool:
    if not status.pid:
        return 0 < status.queued < time.time() - START_SECONDS
    if elsewhere(status):
        # Nobody sees a process of another machine: it is judged by when it was last heard of.
        return last_heard(folder, status) < time.time() - SILENT_SECONDS
    return not process_alive(status)


def elsewhere(status: Status) -> bool:
    """Tell whether a status was written by a process on another machine."""
    return bool(status.pid) and status.host != socket.gethostname()


def last_heard(folder: Path, status: Status) -> float:
    """Return when a job's process was last alive, in seconds since 1970.

    Earlier versions kept no heartbeat: then it is when the status was written.
    """
    beat = workspace.read_json_or(folder / HEARTBEAT, None)
    told = beat.get("alive") if isinstance(beat, dict) else None
    return max(float(told) if isinstance(told, (int, float)) else 0.0, status.updated)


def own_process() -> dict[str, Any]:
    """Return the fields by which a status names the process that writes it."""
    return {
        "pid": os.getpid(),
        "process_started": psutil.Process().create_time(),
        "host": socket.gethostname(),
    }


def process_alive(status: Status) -> bool:
    """Tell whether the very process that a status names still runs on this machine."""
    try:
        process = psutil.Process(status.pid)
        same = abs(process.create_time() - status.process_started) < 2.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OverflowError):
        return False
