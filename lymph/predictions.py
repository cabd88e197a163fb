"""The prediction table: one row a picture, what it is and what the model says of it.

Columns: picture, label, patient, slide, set, fold, predicted, then ``p_<class>`` in class order.
The first seven are text (``fold`` may be empty), the probabilities are float64. Training writes it,
and every figure that ``lymph.evaluation`` computes and a page draws comes from it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lymph import workspace
from lymph.errors import DiskError, EvaluationError
from lymph.text import as_cell, from_cell

TEXT_COLUMNS = ("picture", "label", "patient", "slide", "set", "fold", "predicted")
MAY_BE_EMPTY = ("slide", "fold")
OUT_OF_FOLD = "out-of-fold"
# Probabilities come from a float32 softmax, whose sum is one to about six digits.
SUM_TOLERANCE = 1e-3
TIE_TOLERANCE = 1e-6


def classes_of_predictions(p: pd.DataFrame) -> list[str]:
    """Return the classes of a prediction table, in their order.

    Raises
    ------
    EvaluationError
        When the table has no column ``p_<class>``.
    """
    classes = [str(column)[2:] for column in p.columns if str(column).startswith("p_")]
    if not classes:
        raise EvaluationError(
            "The prediction table has no probabilities: add one column p_<class> for each class."
        )
    return classes


def probabilities_of(p: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of a prediction table, N x K float64, columns in class order."""
    columns = [f"p_{name}" for name in classes_of_predictions(p)]
    return p[columns].to_numpy(dtype=np.float64)


def make_predictions(
    pictures: pd.DataFrame, probabilities: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Build the prediction table from pictures and the probabilities of a model.

    Parameters
    ----------
    pictures
        N rows with the columns picture, label, patient, slide, set and, where there are folds,
        fold.
    probabilities
        N x K, each row summing to one; column k belongs to ``classes[k]``.
    classes
        The K class names in the order of the model's outputs.

    Returns
    -------
    pandas.DataFrame
        The prediction table; ``predicted`` is the most probable class, the first one on a tie.

    Raises
    ------
    EvaluationError
        When shapes disagree or a row breaks the contract (see `validate_predictions`).
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (len(pictures), len(classes)):
        raise EvaluationError(
            f"The probabilities have the shape {values.shape}, but {len(pictures)} pictures and "
            f"{len(classes)} classes need {(len(pictures), len(classes))}."
        )
    given = [name for name in TEXT_COLUMNS if name != "predicted" and name in pictures.columns]
    table = pictures[given].reset_index(drop=True)
    names = np.array([str(name) for name in classes], dtype=object)
    if "fold" not in table:
        table["fold"] = ""
    table["predicted"] = names[values.argmax(axis=1)] if len(values) else ""
    scores = pd.DataFrame(values, columns=[f"p_{name}" for name in names])
    return validate_predictions(pd.concat([table, scores], axis=1))


def validate_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table in its contract form, or say what is wrong with it.

    Names become text (patient ``05-6124``, class ``1``), probabilities float64, columns stand in
    the order of the contract; further columns are kept at the end. The index is kept.

    Raises
    ------
    EvaluationError
        On a missing or repeated column, an empty name, a label or prediction without a probability
        column, probabilities that are not between 0 and 1 or do not sum to one, a prediction that
        is not the most probable class, or a picture that occurs twice in the same set and fold.
    """
    _check_columns(table)
    classes = classes_of_predictions(table)
    scores = [f"p_{name}" for name in classes]
    further = [name for name in table.columns if name not in (*TEXT_COLUMNS, *scores)]
    result = table[[*TEXT_COLUMNS, *scores, *further]].copy()
    for name in TEXT_COLUMNS:
        result[name] = _text(result[name])
    try:
        result[scores] = result[scores].astype(np.float64)
    except (TypeError, ValueError) as error:
        raise EvaluationError(
            f"The prediction table holds a probability that is no number ({error}): "
            "evaluate the run again."
        ) from None
    _check_names(result, classes)
    _check_probabilities(result, classes)
    return result


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read a prediction table that `write_predictions` wrote; floats come back exactly.

    Raises
    ------
    EvaluationError
        When the file is missing, is no CSV or breaks the contract.
    """
    path = Path(path)
    try:
        # As text throughout: a guess of types would turn patient 0476 and class 1 into numbers.
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise EvaluationError(
            f"There is no prediction table at {path}: let the run finish, or evaluate it first."
        ) from None
    except (OSError, ValueError, OverflowError) as error:  # pandas raises kinds of ValueError
        raise EvaluationError(
            f"The prediction table {path} cannot be read ({error}): evaluate the run again."
        ) from None
    if not isinstance(table.index, pd.RangeIndex):
        raise EvaluationError(
            f"The prediction table {path} has rows longer than its header: evaluate the run again."
        )
    if table.empty:
        raise EvaluationError(
            f"The prediction table {path} has no rows: train again, or put it back from a copy."
        )
    names = [name for name in TEXT_COLUMNS if name in table.columns]
    try:
        return validate_predictions(table.assign(**{n: table[n].map(from_cell) for n in names}))
    except EvaluationError as error:
        raise EvaluationError(f"{path} cannot be used. {error}") from error


def as_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a prediction table whose texts no spreadsheet runs; ``read_predictions`` undoes it."""
    return table.assign(**{name: table[name].map(as_cell) for name in TEXT_COLUMNS})


def write_predictions(table: pd.DataFrame, path: str | Path) -> Path:
    """Write a prediction table as CSV, whole or not at all, and return its path.

    The file is written under a temporary name beside its place and renamed, so a reader never
    meets half a table. Floats are written with the digits that give the same float64 back.

    Raises
    ------
    EvaluationError
        When the table breaks the contract or the file cannot be written.
    """
    path = Path(path)
    cells = as_cells(validate_predictions(table))
    try:
        workspace.write_atomically(
            path, lambda file: cells.to_csv(file, index=False, lineterminator="\n")
        )
    except DiskError:
        raise
    except OSError as error:
        raise EvaluationError(
            f"The prediction table cannot be written to {path} ({error}): "
            "free the place or choose another."
        ) from None
    return path


def choose_set(p: pd.DataFrame, set_name: str) -> pd.DataFrame:
    """Return the rows of one set: ``train``, ``val``, ``test`` or ``out-of-fold``.

    Out-of-fold rows are those whose set is ``out-of-fold``; a table that marks the held-out
    pictures of each fold as ``test`` serves too, for those rows that name a fold. The index is
    kept.

    Raises
    ------
    EvaluationError
        When the table has no such row; the message names the sets that are there.
    """
    chosen = p[p["set"] == set_name]
    if chosen.empty and set_name == OUT_OF_FOLD:
        chosen = p[(p["set"] == "test") & (p["fold"] != "")]
    if chosen.empty:
        counts = p["set"].value_counts(sort=False)
        there = ", ".join(f"{name} ({count} pictures)" for name, count in counts.items())
        remedy = (
            f"choose one of: {there}" if there else "the table is empty, evaluate the run first"
        )
        raise EvaluationError(f'There are no predictions for the set "{set_name}": {remedy}.')
    return chosen


def sets_of(p: pd.DataFrame) -> list[str]:
    """Return the sets that a prediction table has, the one to judge by first.

    A cross-validation, which tests every picture once, has the set ``out-of-fold`` for ``test``.

    Raises
    ------
    EvaluationError
        When the table has none of the known sets.
    """
    names = set(p["set"])
    tested = p["set"] == "test"
    if tested.any() and (p.loc[tested, "fold"] != "").all():
        names = (names - {"test"}) | {OUT_OF_FOLD}
    known = [name for name in ("test", OUT_OF_FOLD, "val", "train") if name in names]
    if not known:
        raise EvaluationError(
            "The prediction table has none of the sets test, out-of-fold, val and train: name them"
            " so in the column set."
        )
    return known


def _check_columns(table: pd.DataFrame) -> None:
    missing = [name for name in TEXT_COLUMNS if name not in table.columns]
    if missing:
        raise EvaluationError(
            f"The prediction table lacks the column(s) {', '.join(missing)}: add them."
        )
    repeated = table.columns[table.columns.duplicated()].unique()
    if len(repeated):
        raise EvaluationError(
            f"The prediction table has {', '.join(map(str, repeated))} more than once: "
            "keep one of each."
        )


def _check_names(p: pd.DataFrame, classes: list[str]) -> None:
    for name in TEXT_COLUMNS:
        if name not in MAY_BE_EMPTY and (p[name] == "").any():
            raise EvaluationError(f'The prediction table has rows without "{name}": fill them in.')
    for name in ("label", "predicted"):
        unknown = sorted(set(p[name]) - set(classes))
        if unknown:
            raise EvaluationError(
                f'The column "{name}" holds {", ".join(unknown)}, but the model knows only '
                f"{', '.join(classes)}: evaluate on pictures of these classes."
            )
    twice = p[p.duplicated(["picture", "set", "fold"])]
    if len(twice):
        raise EvaluationError(
            f"The picture {twice['picture'].iloc[0]} occurs more than once in the set "
            f'"{twice["set"].iloc[0]}": keep one row per picture.'
        )


def _check_probabilities(p: pd.DataFrame, classes: list[str]) -> None:
    values = p[[f"p_{name}" for name in classes]].to_numpy()
    inside = np.isfinite(values) & (values >= 0) & (values <= 1 + SUM_TOLERANCE)
    sound = inside.all(axis=1) & (np.abs(values.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if not sound.all():
        raise EvaluationError(
            f"The probabilities of the picture {p['picture'].iloc[int(np.argmin(sound))]} do not "
            "lie between 0 and 1 and sum to 1: pass softmax probabilities, not logits."
        )
    codes = pd.Index(classes).get_indexer(pd.Index(p["predicted"]))
    best = values[np.arange(len(p)), codes] >= values.max(axis=1, initial=0) - TIE_TOLERANCE
    if not best.all():
        raise EvaluationError(
            f"The prediction for the picture {p['picture'].iloc[int(np.argmin(best))]} is not its "
            "most probable class: check that the columns p_<class> stand in the order of the "
            "model's outputs."
        )


def _text(column: pd.Series) -> pd.Series:
    def one(value: Any) -> str:
        if isinstance(value, str):
            return value
        if pd.isna(value):
            return ""
        # A fold column with gaps arrives as floats: 2.0 is fold 2.
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        return str(value)

    return pd.Series([one(value) for value in column], index=column.index, dtype=str)
