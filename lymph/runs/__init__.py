"""The run folder: create, start, stop, resume, list, read. Pages need no torch to use it."""

from lymph.jobs.status import Status
from lymph.runs.about import About, change_about, delete_run, read_about, write_about
from lymph.runs.catalogue import (
    Catalogue,
    RunRecord,
    SplitKind,
    list_runs,
    read_catalogue,
    record_of,
    with_figures,
)
from lymph.runs.control import (
    Looked,
    check_resumable,
    create_run,
    filled_in,
    move_data,
    queue,
    resume_run,
    run_folder,
    start_run,
    stop_run,
    train_here,
)
from lymph.runs.live import Standing, changed_at, standing_of
from lymph.runs.ready import HONEST, LEAKY, ready_run, shown_first, take_in_ready_runs
from lymph.runs.run import Run, open_known, open_run
from lymph.runs.titles import described, full_title, short_title, titles_of
from lymph.runs.twins import is_honest, leaks, twin_of

__all__ = [
    "HONEST",
    "LEAKY",
    "About",
    "Catalogue",
    "Looked",
    "Run",
    "RunRecord",
    "SplitKind",
    "Standing",
    "Status",
    "change_about",
    "changed_at",
    "check_resumable",
    "create_run",
    "delete_run",
    "described",
    "filled_in",
    "full_title",
    "is_honest",
    "leaks",
    "list_runs",
    "move_data",
    "open_known",
    "open_run",
    "queue",
    "read_about",
    "read_catalogue",
    "ready_run",
    "record_of",
    "resume_run",
    "run_folder",
    "short_title",
    "shown_first",
    "standing_of",
    "start_run",
    "stop_run",
    "take_in_ready_runs",
    "titles_of",
    "train_here",
    "twin_of",
    "with_figures",
    "write_about",
]
