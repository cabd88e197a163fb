"""Creating, starting, stopping and resuming runs."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lymph import workspace
from lymph.data.look import Found
from lymph.data.scan import classes_of, usable
from lymph.data.source import PictureSource, table_of
from lymph.errors import LymphError, RunError, WeightsError
from lymph.jobs import queue as jobs
from lymph.jobs.start import Begin, enter_queue, start_job
from lymph.jobs.status import Status, elsewhere, write_status
from lymph.runs.about import read_about
from lymph.runs.run import Run, note_elsewhere
from lymph.splits import Split, untrainable
from lymph.training import folder as files
from lymph.training.config import TrainConfig

if TYPE_CHECKING:
    from lymph.training.processes import Processes


# What a look at a data root has found, and its picture table.
Looked = tuple[Found[PictureSource], pd.DataFrame]


def create_run(
    config: TrainConfig, split: Split, folder: Path | None = None, looked: Looked | None = None
) -> Run:
    """Make a run folder with configuration and split; nothing is trained yet.

    Parameters
    ----------
    config : TrainConfig
        Its classes are filled in from the data, and so is how these and the patients are told.
    split : Split
        With sets, or with folds for cross-validation.
    folder : Path, optional
        A new or empty folder; without it the run gets a name of its own in the workspace. See
        :func:`run_folder` for bare names.
    looked : pair, optional
        What ``config.source.look()`` has found a moment ago, and its picture table; without it the
        pictures are looked through. Whoever trains looks once more.

    Raises
    ------
    LymphError
        When the data cannot be used, the split was made for others, a class has nothing to train
        on, in any of the folds too, the folder already holds something, or folds are to stop early.
    """
    if split.folds is not None and config.patience:
        raise RunError(
            "In cross-validation everyone outside a fold trains and nobody validates, so that no"
            " training can stop early: leave the patience out."
        )
    found, table = looked or _look(config.source)
    table = usable(table)
    config = filled_in(config, found.source, table)
    problems = untrainable(table, split)
    if problems:
        raise RunError(" ".join(problems))
    path = _claim(folder, config.model)
    workspace.write_json(path / files.CONFIG, config.to_json())
    split.save(path / files.SPLIT)
    folds = len(split.folds or [])
    status = Status("queued", epochs=config.epochs * max(1, folds), folds=folds)
    write_status(path, status)
    return Run(path)


def filled_in(config: TrainConfig, source: PictureSource, table: pd.DataFrame) -> TrainConfig:
    """Return a configuration with what is only known of the pictures at hand.

    Parameters
    ----------
    config : TrainConfig
    source : PictureSource
        As :meth:`PictureSource.look` returns it.
    table : DataFrame
        Its picture table, sound pictures only.
    """
    return replace(config, source=source, classes=classes_of(table), stages=_stages_of(config))


def _stages_of(config: TrainConfig) -> int | None:
    """Return how many stages ResNet-50 will have: those that there are values for.

    Of a file that cannot be read that is None: the run fails on it and says why.
    """
    if config.model != "resnet50" or config.stages:
        return config.stages
    # Loaded late: torch stands behind it.
    from lymph.models.weights import stages_in

    try:
        return stages_in(config.weights)
    except WeightsError:
        return None


def _look(source: PictureSource) -> Looked:
    found = source.look()
    return found, table_of(found)


def run_folder(name: str | Path) -> Path:
    """Return the folder that a new run's name asks for.

    Parameters
    ----------
    name : str or Path
        A bare name is one of the workspace's runs; with a slash it is a path, and so are ``.``,
        ``..`` and ``~``.
    """
    path = Path(name).expanduser()
    bare = path.name == str(name)
    return workspace.runs_home() / path if bare and path.name != ".." else path


def _claim(folder: Path | None, model: str) -> Path:
    """Make the run's folder, or refuse one that holds something already."""
    if folder is None:
        return workspace.new_folder(
            workspace.runs_home(), f"{datetime.now():%Y-%m-%d-%H%M%S}-{model}"
        )
    path = folder.resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        occupied = any(path.iterdir()) or not _is_first(path)
    except OSError as error:
        raise RunError(f"The run cannot be kept in {path} ({error}); name another.") from error
    if occupied:
        raise RunError(
            f"{path} is not empty; name a new folder for the run, or go on with"
            f" `python -m lymph resume {folder}`."
        )
    if path.parent != workspace.runs_home():
        note_elsewhere(path)
    return path


def _is_first(path: Path) -> bool:
    """Begin the log of a run's folder; of several who find it empty one is the first."""
    try:
        (path / files.LOG).open("x").close()
    except FileExistsError:
        return False
    return True


def _title(run: Run) -> str:
    """Name a run for those who wait for it."""
    split = run.split()
    folds = f"{len(split.folds)} folds " if split.folds else ""
    return read_about(run).name or f"{run.config.spec.title}, {folds}by {split.by}"


def _begin(run: Run) -> Begin:
    status = run.status()
    return lambda before: before or status


def start_run(run: Run) -> None:
    """Start a run in a process of its own, which outlives the page, the browser and the server.

    Raises
    ------
    RunError
        When it goes on already, here or on another machine.
    """
    if not start_job(run.path, "lymph.training.run_worker", _title(run), _begin(run)):
        raise _goes_on(run)


def train_here(run: Run, processes: "Processes | None" = None) -> Status:
    """Train a run in this process, or as one of several, and return how it ended.

    Raises
    ------
    RunError
        As :func:`start_run`.
    """
    # Loaded late: torch stands behind it.
    from lymph.training.processes import ALONE
    from lymph.training.run_worker import train

    processes = processes or ALONE
    if processes.is_main and not enter_queue(run.path, _title(run), _begin(run)):
        raise _goes_on(run)
    return train(run.path, processes)


def _goes_on(run: Run) -> RunError:
    """Say that a run cannot be started since it goes on already, and where."""
    status = run.status()
    where = f" on {status.host}; stop it there first" if elsewhere(status) else ""
    return RunError(f"The run {run.id} is {status.state} already{where}.")


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
        (run.path / files.STOP).unlink(missing_ok=True)
        write_status(run.path, replace(status, state="stopped"))


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
        raise _goes_on(run)
    if status.state == "finished":
        raise RunError(f"The run {run.id} is finished; start a new one to train longer.")
    if not Path(run.config.data).is_dir():
        raise LymphError(
            f"The run's pictures are gone from {run.config.data}; put them back, or say where they"
            f" are with `python -m lymph resume {run.id} --data FOLDER`."
        )


def resume_run(run: Run, here: bool = False) -> None:
    """Go on with a run from its last finished epoch; ``here`` trains in this process.

    Of several who ask at once one goes on with it: two processes would spoil the folder.

    Raises
    ------
    LymphError
        As :func:`check_resumable`, and when another was first.
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
        When they are not there, are not the ones that the run's split names, or the run goes on.
    """
    if run.status().going:
        raise _goes_on(run)
    config = replace(run.config, source=run.config.source.moved_to(data))
    run.split().assign(config.source.usable())
    workspace.write_json(run.path / files.CONFIG, config.to_json())


def queue(known: jobs.Known | None = None) -> list[Run]:
    """List the runs that wait for their turn, the next one first.

    ``known`` is what :func:`lymph.jobs.queue.look` has just read, for many who ask.
    """
    waiting = [job.folder for job in jobs.going(known) if job.status.state == "queued"]
    return [Run(folder) for folder in waiting if (folder / files.SPLIT).is_file()]
