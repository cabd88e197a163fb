"""Cross-validation: one run whose folds are runs of their own, resumable fold by fold."""

import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lymph import workspace
from lymph.data.scan import scan, usable
from lymph.predictions import read_predictions, write_predictions
from lymph.splits import Split, fold_sets
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.trainer import Trainer, write_table

log = logging.getLogger("lymph")


def cross_validate(folder: Path, config: TrainConfig, split: Split) -> None:
    """Train every fold that is not finished, then put the out-of-fold predictions together.

    Parameters
    ----------
    folder : Path
        Run folder; fold i lives in ``folds/<i>``, counted from 1.
    config : TrainConfig
        Of every fold.
    split : Split
        With folds.
    """
    csv = Path(config.patients_csv) if config.patients_csv else None
    table = usable(scan(config.data, config.pattern, csv))
    split.assign(table)
    predictions, curves = [], []
    for fold in range(len(split.folds or [])):
        inner = folder / files.FOLDS / str(fold + 1)
        if not (inner / files.PREDICTIONS).exists():
            log.info("Fold %d of %d", fold + 1, len(split.folds or []))
            _train_fold(folder, inner, config, fold_sets(table, split, fold), fold)
        tested = read_predictions(inner / files.PREDICTIONS)
        predictions.append(tested[tested["set"] == "test"].assign(fold=str(fold + 1)))
        curves.append(pd.read_csv(inner / files.METRICS).assign(fold=fold + 1))
        _tell(folder, pd.concat(curves), (fold + 1) * config.epochs)
    everything = pd.concat(predictions).sort_values("picture", ignore_index=True)
    write_predictions(everything, folder / files.PREDICTIONS)


def _train_fold(folder: Path, inner: Path, config: TrainConfig, sets: Split, fold: int) -> None:
    inner.mkdir(parents=True, exist_ok=True)
    workspace.write_json(inner / files.CONFIG, config.to_json())
    sets.save(inner / files.SPLIT)
    Trainer(inner, config, sets, outer=folder, done_before=fold * config.epochs).train()


def _tell(folder: Path, curves: pd.DataFrame, epochs: int) -> None:
    write_table(folder / files.METRICS, curves)
    told = {"epoch": epochs, "share": 0.0, "seconds": float(curves["seconds"].sum())}
    files.write_status(folder, replace(files.read_status(folder), **told))
