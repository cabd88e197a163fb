"""From pictures to patients: what the model says of a patient when it has seen all the pictures."""

import numpy as np
import pandas as pd

from lymph.predictions import classes_of_predictions, probabilities_of


def by_patient(p: pd.DataFrame) -> pd.DataFrame:
    """Average the probabilities of each patient's pictures and predict from the mean.

    Each patient weighs the same, however many pictures there are. A patient with pictures of
    several classes gives one row for each class, so that every row has one truth.

    Parameters
    ----------
    p
        Prediction table of one set (see `choose_set`), N rows.

    Returns
    -------
    pandas.DataFrame
        Columns patient, label, fold (joined by commas where several tested the patient),
        predicted, ``p_<class>`` (means), pictures (count); sorted by class, then patient.
        ``predicted`` is the class of the greatest mean, the first one on a tie.
    """
    classes = classes_of_predictions(p)
    # Sorted first, so that the last digits of the sums do not depend on the order of the rows.
    ordered = p.sort_values(["picture", "fold"], kind="stable")
    groups = ordered.groupby(["label", "patient"], sort=True)
    codes, count = groups.ngroup().to_numpy(), groups.ngroups
    sizes = np.bincount(codes, minlength=count)
    values = probabilities_of(ordered)
    sums = [np.bincount(codes, weights=column, minlength=count) for column in values.T]
    means = np.stack(sums, axis=1) / sizes[:, None]
    keys = ordered[["patient", "label"]].iloc[np.unique(codes, return_index=True)[1]]
    table = keys.reset_index(drop=True)
    table["fold"] = groups["fold"].agg(lambda folds: ", ".join(folds.unique())).to_numpy()
    best = means.argmax(axis=1)
    table["predicted"] = pd.Series(np.array(classes, dtype=object)[best], dtype=str)
    scores = pd.DataFrame(means, columns=[f"p_{name}" for name in classes])
    table = pd.concat([table, scores, pd.Series(sizes, name="pictures")], axis=1)
    order = pd.Index(classes).get_indexer(pd.Index(table["label"]))
    return table.iloc[np.lexsort((np.arange(len(table)), order))].reset_index(drop=True)


def patient_results(p: pd.DataFrame) -> pd.DataFrame:
    """Say of each patient how often its pictures are classified correctly, the worst first.

    Parameters
    ----------
    p
        Prediction table of one set, N rows.

    Returns
    -------
    pandas.DataFrame
        One row a patient, or one for each class of its pictures: patient, label, predicted (by the
        mean probabilities, see `by_patient`), pictures and right (counts), share (of pictures
        classified correctly, 0 to 1) and probability (mean of the true class, 0 to 1). Sorted by
        share, then probability, then name.
    """
    table = by_patient(p)
    own = pd.MultiIndex.from_frame(table[["label", "patient"]])
    hits = p["label"] == p["predicted"]
    right = hits.groupby([p["label"], p["patient"]]).sum().reindex(own).to_numpy(np.int64)
    codes = pd.Index(classes_of_predictions(p)).get_indexer(pd.Index(table["label"]))
    rows = table[["patient", "label", "predicted", "pictures"]].assign(
        right=right,
        share=right / table["pictures"].to_numpy(),
        probability=probabilities_of(table)[np.arange(len(table)), codes],
    )
    order = ["share", "probability", "label", "patient"]
    return rows.sort_values(order, kind="stable").reset_index(drop=True)
