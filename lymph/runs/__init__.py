"""The run folder: create, start, stop, resume, list, read. Pages need no torch to use it."""

from lymph.runs.about import About, delete_run, read_about, write_about
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
    "About",
    "Run",
    "Status",
    "check_resumable",
    "create_run",
    "delete_run",
    "list_runs",
    "move_data",
    "open_run",
    "queue",
    "read_about",
    "resume_run",
    "start_run",
    "stop_run",
    "train_here",
    "write_about",
]
