"""From a figure to its pictures: those of a cell, of a patient, of a bar; the worst and surest."""

from collections.abc import Collection
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lymph.errors import EvaluationError
from lymph.evaluation import patients as patient_level
from lymph.predictions import classes_of_predictions, probabilities_of

Order = Literal["worst", "certain", "uncertain"]
ORDERS: tuple[Order, ...] = ("worst", "certain", "uncertain")

Kind = Literal["cell", "patient", "picture", "sure"]
RIGHT, WRONG = "right", "wrong"
# Edges of the bars that count pictures by the probability of their prediction.
SURE_EDGES = tuple(step / 10 for step in range(11))


class Selection(NamedTuple):
    """What is chosen in any list, matrix, map or chart of a run, and so everywhere.

    ``values`` holds, by kind: of a ``cell`` the true and the predicted class, or one of ("right",)
    and ("wrong",) for all that are; of a ``patient`` its key; of a ``picture`` any number of them;
    of ``sure`` the lower edge of a bar in percent, such as "60", and "right" or "wrong". ``run`` is
    the id of the run that it was chosen in, empty for the page's first.
    """

    kind: Kind
    values: tuple[str, ...]
    run: str = ""

    @property
    def cell(self) -> tuple[str, str] | None:
        """Return true and predicted class where a cell is chosen."""
        whole = self.kind == "cell" and len(self.values) == 2
        return (self.values[0], self.values[1]) if whole else None

    @property
    def bar(self) -> tuple[str, str] | None:
        """Return lower edge in percent and right or wrong where a bar is chosen."""
        return (self.values[0], self.values[1]) if self.kind == "sure" else None

    @property
    def sound(self) -> bool:
        """Tell whether the values fit the kind; those of an address may not."""
        count = len(self.values)
        if not all(self.values):
            return False
        if self.kind == "cell":
            return count == 2 or self.values in ((RIGHT,), (WRONG,))
        if self.kind == "sure":
            edges = {f"{100 * edge:.0f}" for edge in SURE_EDGES[:-1]}
            return count == 2 and self.values[0] in edges and self.values[1] in (RIGHT, WRONG)
        return count == 1 if self.kind == "patient" else self.kind == "picture" and count > 0


def selected_pictures(
    p: pd.DataFrame, selection: Selection, by_patient: bool = False
) -> pd.DataFrame:
    """Return the pictures that a selection means, in the order to look at them.

    Parameters
    ----------
    p
        Prediction table of the set that is shown.
    selection
    by_patient
        Whether cells, right and wrong are of patients: then all of their pictures are meant.

    Returns
    -------
    pandas.DataFrame
        Rows of ``p`` with their index; maybe none.

    Raises
    ------
    EvaluationError
        When the selection names a class or patient that the table does not have.
    """
    values = selection.values
    if selection.cell is not None:
        return cell_pictures(p, *selection.cell, by_patient)
    if selection.kind == "cell":
        return judged_pictures(p, values == (RIGHT,), by_patient)
    if selection.kind == "sure":
        hits = (p["label"] == p["predicted"]) == (values[1] == RIGHT)
        bars = sure_bars(p) == int(values[0]) // 10
        return in_order(p[hits & bars], "certain")
    column = "patient" if selection.kind == "patient" else "picture"
    rows = p[p[column].isin(values)]
    if rows.empty and selection.kind == "patient":
        raise EvaluationError(f"This set has no patient {values[0]}: choose one of the list.")
    return in_order(rows, "worst", mistakes_only=False)


def sure_bars(p: pd.DataFrame) -> np.ndarray:
    """Return for each row the number of its bar, 0 to 9: the tenth its probability falls in."""
    sure = probabilities_of(p).max(axis=1, initial=0)
    return np.clip(np.floor(10 * sure + 1e-9), 0, 9).astype(np.int64)


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
    """Return all pictures classified correctly, or all classified wrongly; worst mistakes first.

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
        Whether ``worst`` leaves out what was classified correctly.

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


def cells_holding(
    p: pd.DataFrame, pictures: Collection[str], by_patient: bool = False
) -> set[tuple[str, str]]:
    """Return the cells of the matrix of ``p``, as (true, predicted), that hold any of the pictures.

    With ``by_patient`` they are the cells of the pictures' patients.
    """
    rows = p[p["picture"].isin(list(pictures))]
    if rows.empty:
        return set()
    # A patient's prediction rests on all of its pictures, not on the chosen ones alone.
    of = p[p["patient"].isin(rows["patient"])] if by_patient else rows
    predicted = _judged(of, by_patient).to_numpy()
    chosen = of["picture"].isin(rows["picture"]).to_numpy()
    return set(zip(of["label"].to_numpy()[chosen], predicted[chosen], strict=True))
