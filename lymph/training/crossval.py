"""Cross-validation: one run whose folds are runs of their own, resumable fold by fold."""

import logging
from pathlib import Path

import pandas as pd

from lymph import workspace
from lymph.jobs.status import change_status
from lymph.predictions import read_predictions, write_predictions
from lymph.splits import Split, fold_sets
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.outputs import write_table
from lymph.training.processes import ALONE, Processes
from lymph.training.trainer import Trainer

log = logging.getLogger("lymph")


def cross_validate(
    folder: Path, config: TrainConfig, split: Split, processes: Processes = ALONE
) -> None:
    """Train every fold that is not finished, then put the out-of-fold predictions together.

    Parameters
    ----------
    folder : Path
        Run folder; fold i lives in ``folds/<i>``, counted from 1.
    config : TrainConfig
        Of every fold.
    split : Split
        With folds.
    processes : Processes
        Those that train together.
    """
    table = config.source.usable()
    split.assign(table)
    count = len(split.folds or [])
    predictions, curves = [], []
    for fold in range(count):
        inner = folder / files.FOLDS / str(fold + 1)
        if not processes.broadcast((inner / files.PREDICTIONS).exists()):
            log.info("Fold %d of %d", fold + 1, count)
            if processes.is_main:
                change_status(folder, fold=fold + 1, folds=count)
            sets = _sets_of(inner) or fold_sets(table, split, fold)
            _train_fold(folder, inner, config, sets, fold, processes)
        if processes.is_main:
            tested = read_predictions(inner / files.PREDICTIONS)
            predictions.append(tested[tested["set"] == "test"].assign(fold=str(fold + 1)))
            curves.append(pd.read_csv(inner / files.METRICS).assign(fold=fold + 1))
            _tell_curves(folder, pd.concat(curves), (fold + 1) * config.epochs)
    if processes.is_main:
        everything = pd.concat(predictions).sort_values("picture", ignore_index=True)
        write_predictions(everything, folder / files.PREDICTIONS)


def _sets_of(inner: Path) -> Split | None:
    """Return the sets with which a fold was begun: versions before had some of them validate."""
    file = inner / files.SPLIT
    return Split.load(file) if file.exists() else None


def _train_fold(
    folder: Path,
    inner: Path,
    config: TrainConfig,
    sets: Split,
    fold: int,
    processes: Processes,
) -> None:
    if processes.is_main:
        inner.mkdir(parents=True, exist_ok=True)
        workspace.write_json(inner / files.CONFIG, config.to_json())
        sets.save(inner / files.SPLIT)
    processes.broadcast(None)  # Nobody looks into the folder before it is complete.
    done = fold * config.epochs
    Trainer(inner, config, sets, processes, outer=folder, done_before=done).train()
    # A finished fold is never gone on from.
    if processes.is_main:
        (inner / files.LAST).unlink(missing_ok=True)


def _tell_curves(folder: Path, curves: pd.DataFrame, epochs: int) -> None:
    write_table(folder / files.METRICS, curves)
    change_status(folder, epoch=epochs, share=0.0, seconds=float(curves["seconds"].sum()))
