"""The run folder: create, start, stop, resume, list, read. Pages need no torch to use it."""

from lymph.runs.control import (
    check_resumable,
    create_run,
    move_data,
    queue,
    resume_run,
    start_run,
    stop_run,
    train_here,
)
from lymph.runs.run import Run, list_runs, open_run
from lymph.training.folder import Status

__all__ = [
    "Run",
    "Status",
    "check_resumable",
    "create_run",
    "list_runs",
    "move_data",
    "open_run",
    "queue",
    "resume_run",
    "start_run",
    "stop_run",
    "train_here",
]
