"""From a figure to its pictures: those of a cell, the right and the wrong, the worst and surest."""

from typing import Literal

import numpy as np
import pandas as pd

from lymph.errors import EvaluationError
from lymph.evaluation import patients as patient_level
from lymph.predictions import classes_of_predictions, probabilities_of

Order = Literal["worst", "certain", "uncertain"]
ORDERS: tuple[Order, ...] = ("worst", "certain", "uncertain")


def cell_pictures(
    p: pd.DataFrame, true: str, predicted: str, by_patient: bool = False
) -> pd.DataFrame:
    """Return the pictures behind one cell of a confusion matrix, most probable first.

    Parameters
    ----------
    p
        Prediction table of the set that the matrix shows (see `choose_set`).
    true, predicted
        Row and column of the cell.
    by_patient
        For the matrix of patients: all pictures, whatever is predicted for each, of the patients
        in the cell.

    Returns
    -------
    pandas.DataFrame
        Rows of ``p`` with their index, by falling probability of the class ``predicted``; maybe
        none.

    Raises
    ------
    EvaluationError
        When ``true`` or ``predicted`` is no class of the table.
    """
    classes = classes_of_predictions(p)
    for name in (true, predicted):
        if name not in classes:
            raise EvaluationError(
                f'There is no class "{name}": choose one of {", ".join(classes)}.'
            )
    rows = p[p["label"] == true]
    if len(rows):
        rows = rows[(_judged(rows, by_patient) == predicted).to_numpy()]
    return rows.sort_values([f"p_{predicted}", "picture"], ascending=[False, True], kind="stable")


def judged_pictures(p: pd.DataFrame, right: bool, by_patient: bool = False) -> pd.DataFrame:
    """Return all pictures judged rightly, or all judged wrongly; worst mistakes first.

    With ``by_patient`` it is the patient, by the mean probability, that is right or wrong, and all
    of the patient's pictures are returned.
    """
    if p.empty:
        return p
    rows = p[(_judged(p, by_patient) == p["label"].to_numpy()).to_numpy() == right]
    return in_order(rows, "certain") if right else in_order(rows, "worst", mistakes_only=False)


def moved_pictures(
    first: pd.DataFrame, second: pd.DataFrame, true: str, predicted: str, by_patient: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pictures that stand in a cell for one model alone: first's, then second's."""
    one, two = (cell_pictures(p, true, predicted, by_patient) for p in (first, second))
    return one[~one["picture"].isin(two["picture"])], two[~two["picture"].isin(one["picture"])]


def in_order(p: pd.DataFrame, order: Order, mistakes_only: bool = True) -> pd.DataFrame:
    """Sort pictures for reading.

    Parameters
    ----------
    p
        Prediction table of one set.
    order
        ``worst``: the highest loss (least probability of the truth) first; ``certain``: the most
        probable prediction first; ``uncertain``: the least probable first.
    mistakes_only
        Whether ``worst`` leaves out what was judged rightly.

    Raises
    ------
    EvaluationError
        When the order is unknown.
    """
    if order not in ORDERS:
        raise EvaluationError(f'There is no order "{order}": choose one of {", ".join(ORDERS)}.')
    values = probabilities_of(p)
    if order == "worst":
        codes = pd.Index(classes_of_predictions(p)).get_indexer(pd.Index(p["label"]))
        key = values[np.arange(len(p)), codes]
    else:
        key = values.max(axis=1, initial=0) * (-1 if order == "certain" else 1)
    sorted_rows = p.iloc[np.lexsort((p["picture"].to_numpy(object), key))]
    if order == "worst" and mistakes_only:
        return sorted_rows[sorted_rows["label"] != sorted_rows["predicted"]]
    return sorted_rows


def _judged(p: pd.DataFrame, by_patient: bool) -> pd.Series:
    """Return what is predicted for each row: of the picture itself, or of its patient."""
    if not by_patient:
        return p["predicted"]
    table = patient_level.by_patient(p).set_index(["label", "patient"])["predicted"]
    return table.reindex(pd.MultiIndex.from_frame(p[["label", "patient"]])).reset_index(drop=True)
