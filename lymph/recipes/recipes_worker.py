"""What the process of a comparison does: measure the cells of its folder that are not done."""

import contextlib
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import __version__, workspace
from lymph.errors import LymphError, RunError
from lymph.jobs import files
from lymph.jobs.status import change_status, written_status
from lymph.jobs.worker import check_stop, repeated
from lymph.models.specs import MODELS
from lymph.predictions import write_predictions
from lymph.recipes.comparison import (
    BEGUN,
    CELL,
    CHANGED,
    OUT_OF_FOLD,
    SIDES,
    UNITS,
    Cell,
    Comparison,
    ComparisonConfig,
    comparisons_home,
    digest_of,
    make_both,
)
from lymph.recipes.estimate import estimate_cell
from lymph.recipes.measure import learn_colours, train_folds
from lymph.recipes.recipe import training_of
from lymph.splits import Split
from lymph.splits.split import By
from lymph.training.config import TrainConfig

log = logging.getLogger("lymph")

# How often a cell's training is looked at, and how often its time is written down.
LOOK_SECONDS, NOTE_SECONDS = 0.5, 3.0
TRAINED = "trained"
FEATURES = "Computing features"
# Of the time of a head on features that nobody has made yet, they take nearly all.
OF_FEATURES = 0.9


def work(folder: Path, finished: Callable[[Cell], None] | None = None) -> None:
    """Measure every cell that is not done.

    Parameters
    ----------
    folder : Path
        A comparison's.
    finished : callable, optional
        Called with each cell as soon as it is done.

    Raises
    ------
    LymphError
        When these pictures or recipes cannot be compared.
    Stopped
        When the user asked for it; what is done stays done.
    """
    comparison = Comparison(folder)
    table = comparison.config.source.usable()
    both = _begin(comparison, table)
    progress = Progress(folder, comparison, table, both)
    for cell in comparison.cells():
        check_stop(folder)
        if not cell.done:
            progress.begin(cell)
            _measure(progress, cell, comparison.config, table, both[cell.by])
            if finished:
                finished(cell)
    change_status(folder, epoch=UNITS, epochs=UNITS, share=0.0, step="")


def _begin(comparison: Comparison, table: pd.DataFrame) -> dict[By, Split]:
    """Return the folds; a comparison that goes on must find its pictures as they were."""
    config, digest = comparison.config, digest_of(table)
    if comparison.pictures not in ("", digest):
        raise RunError(CHANGED)
    both = make_both(table, config.source, config.folds, config.seed)
    for by, split in both.items():
        split.save(comparison.path / f"{by}.json")
    if not comparison.pictures:
        workspace.write_json(comparison.path / BEGUN, {"pictures": digest})
    return both


class Progress:
    """How much of the time of all cells has passed, written into the comparison's status.

    Parameters
    ----------
    folder : Path
        The comparison's.
    comparison : Comparison
    table : DataFrame
        Picture table, sound pictures only.
    both : dict of Split
    """

    def __init__(
        self, folder: Path, comparison: Comparison, table: pd.DataFrame, both: dict[By, Split]
    ) -> None:
        self.folder, self.cells = folder, comparison.cells()
        self.shares = self._shares(comparison.config, table, both)
        self.before, self.own = 0.0, 0.0

    def _shares(
        self, config: ComparisonConfig, table: pd.DataFrame, both: dict[By, Split]
    ) -> dict[str, float]:
        """Return each cell's share of the time of all, the same one after a resumption."""
        kept = workspace.read_json(self.folder / BEGUN)
        if isinstance(kept.get("shares"), dict):
            return kept["shares"]
        change_status(self.folder, step="Measuring how fast this machine is")
        seconds = {}
        for cell in self.cells:
            check_stop(self.folder)
            seconds[cell.path.name] = _seconds_of(cell, config, table, both[cell.by])
        whole = sum(seconds.values())
        shares = {name: value / whole for name, value in seconds.items()}
        workspace.write_json(self.folder / BEGUN, {**kept, "shares": shares})
        return shares

    def begin(self, cell: Cell) -> None:
        """Begin with a cell."""
        self.before = sum(self.shares.get(one.path.name, 0.0) for one in self.cells if one.done)
        self.own = self.shares.get(cell.path.name, 0.0)
        self.tell(0.0, cell.title)

    def tell(self, share: float, words: str) -> None:
        """Tell which share of the cell at hand is done, 0 to 1, and what is being done."""
        units = UNITS * min(1.0, self.before + self.own * share)
        whole = int(units)
        change_status(self.folder, epoch=whole, epochs=UNITS, share=units - whole, step=words)


def _seconds_of(cell: Cell, config: ComparisonConfig, table: pd.DataFrame, folds: Split) -> float:
    """Estimate a cell's seconds on this machine, which is measured where it was not yet."""
    training = training_of(cell.recipe, config.source, config.weights, config.seed)
    if training is not None:
        # Loaded late: torch takes seconds to import.
        from lymph.training.precision import precision_of

        precision_of(training)
    seen = cell.by != SIDES[0]
    found = estimate_cell(cell.recipe, config.source, table, folds, config.weights, seen)
    return 1.0 if found is None else found


def _measure(
    progress: Progress, cell: Cell, config: ComparisonConfig, table: pd.DataFrame, folds: Split
) -> None:
    """Measure a cell, or take it over from an earlier comparison; it is done with its last file."""
    training = training_of(cell.recipe, config.source, config.weights, config.seed)
    key = _key(cell, config, training, table, folds)
    cell.path.mkdir(parents=True, exist_ok=True)
    if _take_over(cell, key):
        log.info("%s: measured before.", cell.title)
        return
    log.info("%s", cell.title)
    clock = Clock(cell, key)
    if training is None:

        def read(done: int, total: int) -> None:
            check_stop(progress.folder)
            if done % 16 == 0 or done == total:
                progress.tell(done / total, cell.title)

        made = learn_colours(config.source.path, table, folds, read)
    else:
        home = cell.path / TRAINED
        with _followed(progress, cell, home, MODELS[training.model].frozen, clock):
            made = train_folds(training, folds, table, home)
    clock.note()
    write_predictions(made, cell.path / OUT_OF_FOLD)
    shutil.rmtree(cell.path / TRAINED, ignore_errors=True)


class Clock:
    """The seconds that a cell takes, over all of its parts."""

    def __init__(self, cell: Cell, key: str) -> None:
        self.cell, self.key, self.before = cell, key, cell.seconds
        self.started = self.noted = time.monotonic()

    def note(self) -> None:
        """Write them down, so that a kill costs little of them."""
        self.noted = time.monotonic()
        spent = round(self.before + self.noted - self.started, 1)
        workspace.write_json(self.cell.path / CELL, {"seconds": spent, "key": self.key})


@contextlib.contextmanager
def _followed(
    progress: Progress, cell: Cell, home: Path, frozen: bool, clock: Clock
) -> Iterator[None]:
    """Tell how far a cell's training is, and stop it with its comparison."""
    share = 0.0

    def look() -> None:
        nonlocal share
        if (progress.folder / files.STOP).exists():
            (home / files.STOP).touch()
        share = max(share, _share_of(home, frozen))
        progress.tell(share, _words_of(cell, home))
        if time.monotonic() - clock.noted > NOTE_SECONDS:
            clock.note()

    with repeated(look, LOOK_SECONDS):
        yield


def _share_of(home: Path, frozen: bool) -> float:
    status = written_status(home)
    if frozen and not status.epoch and status.step.startswith(FEATURES):
        return OF_FEATURES * status.step_share
    return status.done


def _words_of(cell: Cell, home: Path) -> str:
    status = written_status(home)
    if status.step.startswith((FEATURES, "Downloading")):
        return f"{cell.title}: {status.step[0].lower()}{status.step[1:]}"
    fold = f", fold {status.fold} of {status.folds}" if status.fold else ""
    return f"{cell.title}{fold}"


def _key(
    cell: Cell,
    config: ComparisonConfig,
    training: TrainConfig | None,
    table: pd.DataFrame,
    folds: Split,
) -> str:
    """Return what is the same only where a cell would come out the same."""
    settings: dict[str, Any] = training.to_json() if training else {"lymph": __version__}
    settings.pop("source", None)
    told = [config.source.root, digest_of(table), cell.recipe, cell.by, settings, folds.to_json()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _take_over(cell: Cell, key: str) -> bool:
    """Copy a cell that an earlier comparison has measured; tell whether there was one."""
    for path in comparisons_home().glob(f"*/cells/*/{CELL}"):
        other = Cell(path.parent, cell.recipe, cell.by)
        kept = workspace.read_json_or(path, None)
        same = isinstance(kept, dict) and kept.get("key") == key
        if not same or not other.done or other.path == cell.path:
            continue
        with contextlib.suppress(LymphError):
            made = other.predictions()
            workspace.write_json(cell.path / CELL, kept)
            write_predictions(made, cell.path / OUT_OF_FOLD)
            return True
    return False
