"""``summary.json``: the figures of a run that lists show, so that no list reads predictions."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import workspace
from lymph.data.sources import is_synthetic
from lymph.errors import EvaluationError
from lymph.evaluation import key_of_test, report
from lymph.predictions import classes_of_predictions, read_predictions, sets_of
from lymph.training import folder as files
from lymph.training.config import TrainConfig

# Kept figures of another version are computed again; raise it when a report's figures change.
VERSION = 1
# What a report says at length and no list shows.
LONG = ("per_class", "confusion", "intervals_method", "warnings")


@dataclass(frozen=True)
class Summary:
    """The figures of a finished run that lists show.

    Attributes
    ----------
    predictions : str
        The digest of the prediction table that they were computed from.
    sets : list of str
        The sets of the table, the one to judge by first.
    judged, validated : dict
        Reports of the first set and of the validation set as :func:`lymph.evaluation.report` makes
        them, without what is long; empty where there is none.
    tests : dict
        Of these sets, in this order, :func:`lymph.evaluation.key_of_test`.
    """

    version: int
    predictions: str
    sets: list[str]
    judged: dict[str, Any]
    validated: dict[str, Any]
    tests: dict[str, str]


def summarise(folder: Path) -> Summary:
    """Compute the figures of a run from its prediction table.

    Raises
    ------
    LymphError
        When the table is missing, damaged or of other classes than the run.
    """
    table = run_predictions(folder)
    sets = sets_of(table)
    drawn = is_synthetic(TrainConfig.load(folder / files.CONFIG).data)
    judged = _short(report(table, sets[0], drawn))
    validated = _short(report(table, "val", drawn)) if "val" in sets else {}
    shown = [name for name in dict.fromkeys((sets[0], "val")) if name in sets]
    tests = {name: key_of_test(table, name) for name in shown}
    return Summary(VERSION, digest_of(folder), sets, judged, validated, tests)


def write_summary(folder: Path) -> Summary:
    """Compute the figures of a run and keep them in its folder.

    Raises
    ------
    OSError
        When the folder cannot be written.
    LymphError
        As :func:`summarise`.
    """
    made = summarise(folder)
    document = asdict(made)
    workspace.write_json(folder / files.SUMMARY, {**document, "seal": _seal(document)})
    return made


def read_summary(folder: Path) -> Summary | None:
    """Read the kept figures of a run; None where they are to be computed (again).

    That is so where there are none, where they were computed by another version or from other
    predictions than the run has, and where the file is not as it was written.
    """
    document = workspace.read_json_or(folder / files.SUMMARY, None)
    if not isinstance(document, dict) or document.get("seal") != _seal(document):
        return None
    kept = Summary(**{item.name: document[item.name] for item in fields(Summary)})
    return kept if (kept.version, kept.predictions) == (VERSION, digest_of(folder)) else None


def _seal(document: Mapping[str, Any]) -> str:
    """Return a digest of a summary's figures, by which a damaged file is known."""
    figures = [document.get(item.name) for item in fields(Summary)]
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


def run_predictions(folder: Path) -> pd.DataFrame:
    """Read the prediction table of a run, and see that it is of the run's classes.

    Raises
    ------
    LymphError
        When it or the configuration cannot be read, or the classes differ.
    """
    table = read_predictions(folder / files.PREDICTIONS)
    classes = TrainConfig.load(folder / files.CONFIG).classes
    if classes_of_predictions(table) != classes:
        raise EvaluationError(
            f"{folder / files.PREDICTIONS} is not of this run: the run's classes are"
            f" {', '.join(classes)}; put it back from a copy, or train again."
        )
    return table


def digest_of(folder: Path) -> str:
    """Return the digest of a run's prediction table; empty where there is none."""
    try:
        return hashlib.sha256((folder / files.PREDICTIONS).read_bytes()).hexdigest()
    except OSError:
        return ""


def _short(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a report what is long."""
    kept = {name: value for name, value in figures.items() if name not in LONG}
    for level in ("pictures", "patients"):
        kept[level] = {name: v for name, v in figures[level].items() if name not in LONG}
    return kept
