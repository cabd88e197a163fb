"""Reading a run folder."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, TypeVar

import pandas as pd

from lymph import workspace
from lymph.database import reading, transaction
from lymph.errors import RunError
from lymph.jobs.status import Status, read_status
from lymph.splits import Split
from lymph.text import brief, printable
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.summary import run_predictions

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """A run folder; every method reads the files as they are now."""

    path: Path

    @property
    def id(self) -> str:
        """Return the run's id: its folder's name, or the whole path outside the workspace."""
        return self.path.name if self.path.parent == workspace.runs_home() else str(self.path)

    @property
    def name(self) -> str:
        """Return a title for people: model, split and time."""
        config = self.config
        split = self.split()
        kind = f"{len(split.folds)} folds" if split.folds else "split"
        return f"{config.spec.title}, {kind} by {split.by}, {self.path.name}"

    @property
    def config(self) -> TrainConfig:
        """Return the configuration, which many share: do not change it.

        Raises
        ------
        ConfigError
            When it cannot be read or has unknown keys.
        """
        return _read_once(TrainConfig.load, self.path / files.CONFIG)

    @property
    def classes(self) -> list[str]:
        """Return the class names in order."""
        return self.config.classes

    def status(self) -> Status:
        """Return where the run stands; a run whose process has died is ``lost``.

        Raises
        ------
        RunError
            When ``status.json`` is missing or damaged.
        """
        return read_status(self.path)

    def split(self) -> Split:
        """Return the split that the run was made with, which many share: do not change it."""
        return _read_once(Split.load, self.path / files.SPLIT)

    def metrics(self) -> pd.DataFrame:
        """Return one row a finished epoch; empty before the first (cross-validation adds fold).

        Raises
        ------
        RunError
            When ``metrics.csv`` is damaged.
        """
        return files.read_metrics(self.path)

    def predictions(self) -> pd.DataFrame:
        """Return the prediction table.

        Raises
        ------
        LymphError
            When the run has none yet, or it is damaged or of other classes.
        """
        return run_predictions(self.path)

    def log(self) -> str:
        """Return the log's text."""
        try:
            return (self.path / files.LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def environment(self) -> dict[str, Any]:
        """Return versions, number format and class weights; empty before the run began.

        Raises
        ------
        RunError
            When ``environment.json`` is damaged.
        """
        return files.read_environment(self.path)


def _read_once(read: Callable[[Path], T], path: Path) -> T:
    """Read a file where it has changed; a page asks for it at every picture that it shows."""
    seen = workspace.settled(path)
    return read(path) if seen is None else _as_seen(read, path, seen)


@lru_cache(maxsize=100)
def _as_seen(read: Callable[[Path], T], path: Path, _seen: tuple[int, ...]) -> T:
    return read(path)


def known_elsewhere() -> list[str]:
    """Return the paths of runs that were created outside the workspace."""
    with reading() as database:
        return [row[0] for row in database.execute("SELECT path FROM elsewhere ORDER BY path")]


def note_elsewhere(path: Path) -> None:
    """Note a run outside the workspace; a folder that is used again is still one run."""
    with transaction() as database:
        database.execute("INSERT OR IGNORE INTO elsewhere VALUES (?)", [str(path)])


def forget_elsewhere(path: Path) -> None:
    """Take a run that lay outside the workspace off the list of those."""
    own = os.path.realpath(path)
    if same := [(one,) for one in known_elsewhere() if os.path.realpath(one) == own]:
        with transaction() as database:
            database.executemany("DELETE FROM elsewhere WHERE path = ?", same)


def _known_paths() -> set[str]:
    """Return the paths of runs that are known by them: made elsewhere, or linked to."""
    try:
        links = {entry.resolve() for entry in workspace.runs_home().iterdir() if entry.is_symlink()}
    except OSError:
        links = set()
    return {*known_elsewhere(), *map(str, links)}


def open_run(id_or_path: str | Path) -> Run:
    """Open a run by its id in the workspace or by its folder.

    Raises
    ------
    RunError
        When there is no such run.
    """
    text = str(id_or_path)
    try:
        for path in (workspace.runs_home() / text, Path(text).expanduser().resolve()):
            if text and (path / files.STATUS).is_file() and (path / files.CONFIG).is_file():
                return Run(path.resolve())
    except (OSError, RuntimeError, ValueError):  # too long, no such user, no permission
        pass
    raise RunError(f"There is no run {brief(text, 200)}; `python -m lymph runs` lists them.")


def open_known(run_id: str) -> Run:
    """Open a run of the workspace by its id, or one that the workspace started elsewhere.

    For what an address names: no other path is looked at.

    Raises
    ------
    RunError
        When there is no such run.
    """
    own = run_id not in (".", "..") and PurePath(run_id).name == run_id
    if (own and printable(run_id) == run_id) or run_id in _known_paths():
        with suppress(RunError):
            return open_run(workspace.runs_home() / run_id)
    raise RunError(f"There is no run {brief(run_id)} here; the Runs page lists all there are.")
