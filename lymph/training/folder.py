"""The files of a run folder: those of every job, and a run's own."""

from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype

from lymph.errors import RunError
from lymph.jobs.files import CONFIG, HEARTBEAT, LOG, RESERVE, START_LOCK, STATUS, STOP
from lymph.jobs.status import RESTORE
from lymph.training.older import phase_name
from lymph.typed import read_object

SPLIT = "split.json"
METRICS = "metrics.csv"
LAST = "last.pt"
BEST = "best.pt"
VALIDATION = "validation.npz"
PREDICTIONS = "predictions.csv"
ENVIRONMENT = "environment.json"
PROBE = "probe.json"
SUMMARY = "summary.json"
# Its name on the disk is that of the first versions, so that runs open in all of them.
OOD = "familiarity.json"
FEATURES = "features.npz"
FOLDS = "folds"
ABOUT = "about.json"
# All that is a run's own in its folder, the status last: what else lies there is the user's.
OWN = (
    CONFIG,
    SPLIT,
    METRICS,
    LAST,
    BEST,
    VALIDATION,
    PREDICTIONS,
    LOG,
    ENVIRONMENT,
    SUMMARY,
    OOD,
    FEATURES,
    STOP,
    RESERVE,
    HEARTBEAT,
    START_LOCK,
    FOLDS,
    ABOUT,
    STATUS,
)

METRIC_COLUMNS = [
    "epoch",
    "phase",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
    "seconds",
]

PRECISION = ("bfloat16", "channels_last", "train_seconds", "eval_seconds")
NUMBERS = {"fold", *METRIC_COLUMNS} - {"phase"}


def read_metrics(folder: Path) -> pd.DataFrame:
    """Read ``metrics.csv``: one row a finished epoch, none before the first.

    Raises
    ------
    RunError
        When it cannot be read, lacks a column or holds what is no number.
    """
    path = folder / METRICS
    remedy = "resume the run to write it again, or train again"
    try:
        metrics = pd.read_csv(path)
    except FileNotFoundError:
        return pd.DataFrame(columns=METRIC_COLUMNS)
    except (OSError, ValueError, OverflowError) as error:
        raise RunError(f"{path} cannot be read ({error}); {remedy}.") from error
    missing = [name for name in METRIC_COLUMNS if name not in metrics]
    if missing:
        raise RunError(f"{path} lacks the column {missing[0]}; {remedy}.")
    for name in metrics if len(metrics) else []:
        whole = name in ("epoch", "fold")
        sound = is_integer_dtype(metrics[name]) if whole else is_float_dtype(metrics[name])
        if name in NUMBERS and not (sound or is_integer_dtype(metrics[name])):
            raise RunError(f"{path} holds what is no number in the column {name}; {remedy}.")
    if metrics["seconds"].isna().any():
        raise RunError(f"{path} is cut; {remedy}.")
    return metrics.assign(phase=metrics["phase"].astype(str).map(phase_name, na_action="ignore"))


def read_environment(folder: Path) -> dict[str, Any]:
    """Read ``environment.json``: versions, number format, class weights; empty before the start.

    Raises
    ------
    RunError
        When it cannot be read or does not say in what the run computes.
    """
    path = folder / ENVIRONMENT
    if not path.exists():
        return {}
    document = read_object(path, RunError, RESTORE)
    precision = document.get("precision")
    sound = isinstance(precision, dict) and all(
        isinstance(precision.get(name), (int, float)) for name in PRECISION
    )
    if not sound:
        raise RunError(f"{path} cannot be read: it names no number format; {RESTORE}.")
    return document
