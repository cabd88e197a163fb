"""Reading a run folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import workspace
from lymph.errors import RunError
from lymph.models.specs import MODELS
from lymph.predictions import read_predictions
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.folder import Status

ELSEWHERE = "elsewhere.json"


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
        return f"{MODELS[config.model].title}, {kind} by {split.by}, {self.path.name}"

    @property
    def config(self) -> TrainConfig:
        """Return the configuration.

        Raises
        ------
        ConfigError, RunError
            When it cannot be read or has unknown keys.
        """
        try:
            return TrainConfig.from_json(workspace.read_json(self.path / files.CONFIG))
        except (OSError, ValueError, AttributeError) as error:
            raise RunError(
                f"{self.path} is not a run folder: its config cannot be read."
            ) from error

    @property
    def classes(self) -> list[str]:
        """Return the class names in order."""
        return self.config.classes

    def status(self) -> Status:
        """Return where the run stands; a run whose process has died is ``lost``."""
        try:
            return files.read_status(self.path)
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"{self.path} is not a run folder: it has no status.") from error

    def split(self) -> Split:
        """Return the split that the run was made with."""
        return Split.load(self.path / files.SPLIT)

    def metrics(self) -> pd.DataFrame:
        """Return one row a finished epoch; empty before the first (cross-validation adds fold)."""
        try:
            return pd.read_csv(self.path / files.METRICS)
        except (OSError, ValueError):
            return pd.DataFrame(columns=files.METRIC_COLUMNS)

    def predictions(self) -> pd.DataFrame:
        """Return the prediction table.

        Raises
        ------
        EvaluationError
            When the run has none yet.
        """
        return read_predictions(self.path / files.PREDICTIONS)

    def log(self) -> str:
        """Return the log's text."""
        try:
            return (self.path / files.LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def environment(self) -> dict[str, Any]:
        """Return versions, number format and class weights; empty before the run began."""
        try:
            return workspace.read_json(self.path / files.ENVIRONMENT)
        except (OSError, ValueError):
            return {}


def known_elsewhere() -> list[str]:
    """Return the paths of runs that were created outside the workspace."""
    try:
        return workspace.read_json(workspace.runs_home() / ELSEWHERE)
    except (OSError, ValueError):
        return []


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
        text = text[:200]
    raise RunError(f"There is no run {text}; `python -m lymph runs` lists them.")


def list_runs() -> list[Run]:
    """List the readable runs of the workspace, and those it started elsewhere, newest first."""
    paths = [path.parent for path in workspace.runs_home().glob(f"*/{files.STATUS}")]
    paths += [Path(path) for path in sorted(set(known_elsewhere()))]
    found = []
    for path in paths:
        try:
            run = open_run(path)
            _ = run.config, run.split()
            found.append((run.status().queued, run))
        except Exception:
            continue
    return [run for _, run in sorted(found, key=lambda pair: -pair[0])]
