"""The run folder: create, start, stop, resume, list, read. Pages need no torch to use it."""

from lymph.runs.control import create_run, resume_run, start_run, stop_run, train_here
from lymph.runs.run import Run, list_runs, open_run
from lymph.training.folder import Status

__all__ = [
    "Run",
    "Status",
    "create_run",
    "list_runs",
    "open_run",
    "resume_run",
    "start_run",
    "stop_run",
    "train_here",
]
