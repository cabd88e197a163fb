"""Creating, starting, stopping and resuming runs."""

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lymph import workspace
from lymph.data.scan import classes_of, usable
from lymph.data.source import table_of
from lymph.detached import start_detached
from lymph.errors import LymphError, RunError
from lymph.runs.run import ELSEWHERE, Run, known_elsewhere, list_runs
from lymph.splits import Split, untrainable
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.folder import Status

if TYPE_CHECKING:
    from lymph.training.processes import Processes


def create_run(config: TrainConfig, split: Split, folder: Path | None = None) -> Run:
    """Make a run folder with configuration and split; nothing is trained yet.

    Parameters
    ----------
    config : TrainConfig
        Its classes are filled in from the data, and so is how these and the patients are told.
    split : Split
        With sets, or with folds for cross-validation.
    folder : Path, optional
        A new or empty folder; without it the run gets a name of its own in the workspace.

    Raises
    ------
    LymphError
        When the data cannot be used, the split was made for others, a class has nothing to train
        on, in any of the folds too, or the folder already holds something.
    """
    found = config.source.look()
    table = usable(table_of(found))
    config = replace(config, source=found.source, classes=classes_of(table))
    problems = untrainable(table, split)
    if problems:
        raise RunError(" ".join(problems))
    path = _claim(folder, config.model)
    workspace.write_json(path / files.CONFIG, config.to_json())
    split.save(path / files.SPLIT)
    folds = len(split.folds or [])
    status = Status("queued", epochs=config.epochs * max(1, folds), folds=folds)
    files.write_status(path, status)
    return Run(path)


def _claim(folder: Path | None, model: str) -> Path:
    """Make the run's folder, or refuse one that holds something already."""
    if folder is None:
        home = workspace.runs_home()
        stem = f"{datetime.now():%Y-%m-%d-%H%M%S}-{model}"
        for count in range(1, 1000):
            path = home / (stem if count == 1 else f"{stem}-{count}")
            try:
                with workspace.writing(home):
                    path.mkdir(parents=True)
                return path
            except FileExistsError:
                continue
    path = Path(folder or "").resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        occupied = any(path.iterdir())
    except OSError as error:
        raise RunError(f"The run cannot be kept in {path} ({error}); name another.") from error
    if occupied:
        raise RunError(
            f"{path} is not empty; name a new folder for the run, or go on with"
            f" `python -m lymph resume {folder}`."
        )
    if path.parent != workspace.runs_home():
        known = [known for known in known_elsewhere() if Path(known).is_dir()]
        # A folder that was deleted and is used again is still one run.
        workspace.write_json(workspace.runs_home() / ELSEWHERE, sorted({*known, str(path)}))
    return path


def _enqueue(run: Run) -> None:
    (run.path / files.STOP).unlink(missing_ok=True)
    status = replace(run.status(), state="queued", pid=0, error="", queued=time.time())
    files.write_status(run.path, status)


def start_run(run: Run) -> None:
    """Start a run in a process of its own, which outlives the page, the browser and the server."""
    _enqueue(run)
    start_detached("lymph.training.worker", run.path)


def train_here(run: Run, processes: "Processes | None" = None) -> Status:
    """Train a run in this process, or as one of several, and return how it ended."""
    from lymph.training.worker import work

    if processes is None or processes.first:
        _enqueue(run)
    return work(run.path, processes)


def stop_run(run: Run) -> None:
    """Ask a run to stop after the batch at hand; finished epochs are kept.

    Raises
    ------
    RunError
        When it is over already.
    """
    status = run.status()
    if status.over:
        raise RunError(f"The run {run.id} is not running: it is {status.state}.")
    (run.path / files.STOP).touch()
    if not status.pid and not status.queued:
        (run.path / files.STOP).unlink()
        files.write_status(run.path, replace(status, state="stopped"))


def check_resumable(run: Run) -> None:
    """Refuse to go on with a run that cannot be gone on with.

    Raises
    ------
    RunError
        When it runs or is finished.
    LymphError
        When its pictures are gone.
    """
    status = run.status()
    if not status.over:
        raise RunError(f"The run {run.id} is {status.state} already.")
    if status.state == "finished":
        raise RunError(f"The run {run.id} is finished; start a new one to train longer.")
    if not Path(run.config.data).is_dir():
        raise LymphError(
            f"The run's pictures are gone from {run.config.data}; put them back, or say where they"
            f" are with `python -m lymph resume {run.id} --data FOLDER`."
        )


def resume_run(run: Run, here: bool = False) -> None:
    """Go on with a run from its last finished epoch; ``here`` trains in this process.

    Raises
    ------
    LymphError
        As :func:`check_resumable`.
    """
    check_resumable(run)
    if here:
        train_here(run)
    else:
        start_run(run)


def move_data(run: Run, data: Path) -> None:
    """Tell a run where its pictures are now, as on another machine.

    Raises
    ------
    LymphError
        When they are not there, or are not the ones that the run's split names.
    """
    config = replace(run.config, source=run.config.source.moved_to(data))
    run.split().assign(config.source.usable())
    workspace.write_json(run.path / files.CONFIG, config.to_json())


def queue() -> list[Run]:
    """List the runs that wait for their turn, the next one first."""
    waiting = [run for run in list_runs() if run.status().state == "queued"]
    return sorted(waiting, key=lambda run: run.status().queued)
