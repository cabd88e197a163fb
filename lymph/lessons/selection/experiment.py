"""BROKEN ON PURPOSE: the best of fifteen models is chosen on the test set; the fix beside it."""

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from lymph.lessons.data import LessonData
from lymph.lessons.practice import Tell, silent
from lymph.lessons.progress import told_share
from lymph.lessons.quick import colour_numbers, need_patients
from lymph.splits import split_by_patient

FRACTIONS = (0.4, 0.3, 0.3)
# How many of the 18 colour numbers each model looks at.
LOOKS_AT = 6
# Whom the chosen model meets, as it is told.
MET = ("on the test that chose it", "on fresh patients")


def run(
    data: LessonData,
    models: int = 15,
    deals: int = 40,
    seed: int = 0,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Train models, choose one on the test patients, and meet fresh patients; deal after deal.

    Returns
    -------
    dict
        ``models``, ``deals``, ``looks_at``, ``test`` and ``fresh`` (patients and pictures of the
        first deal), ``first`` (accuracies of each model on both, of that deal), and means over the
        deals: ``best`` (of the chosen model on the test that chose it), ``again`` (of the same on
        fresh patients), ``all`` (of all models on fresh patients); ``lower``: deals in which the
        chosen model is worse on fresh patients.
    """
    need_patients(data, 3)
    features = colour_numbers(data)
    rng = np.random.default_rng(seed)
    looks = [rng.permutation(features.shape[1])[:LOOKS_AT] for _ in range(models)]
    found, counts = [], []
    with threadpool_limits(1):
        for deal in range(deals):
            split = split_by_patient(data.table, FRACTIONS, seed=1000 * seed + deal)
            train, test, fresh = (data.rows(split, name) for name in ("train", "val", "test"))
            found.append([_accuracies(data, features[:, look], train, (test, fresh))
                          for look in looks])  # fmt: skip
            counts.append([_counts(data, rows) for rows in (test, fresh)])
            means = _chosen(np.array(found)).mean(axis=0)
            for name, mean in zip(MET, means, strict=True):
                measure = "mean accuracy of the chosen model so far"
                told = told_share(name, "split", deal + 1, deals, measure, mean)
                tell((deal + 1) / deals, told)
    accuracies = np.array(found)  # deals x models x (test, fresh)
    best, again = _chosen(accuracies).T
    return {
        "models": models,
        "deals": deals,
        "looks_at": LOOKS_AT,
        "test": counts[0][0],
        "fresh": counts[0][1],
        "first": accuracies[0].tolist(),
        "best": float(best.mean()),
        "again": float(again.mean()),
        "all": float(accuracies[:, :, 1].mean()),
        "lower": int((again < best).sum()),
    }


def _chosen(accuracies: np.ndarray) -> np.ndarray:
    """Return the accuracies, deals x 2, of the model that is best on each deal's test."""
    best = accuracies[:, :, 0].argmax(axis=1)
    return accuracies[np.arange(len(accuracies)), best]


def _accuracies(
    data: LessonData, features: np.ndarray, train: np.ndarray, others: tuple[np.ndarray, ...]
) -> list[float]:
    """Train one model and return its accuracy on each of the other sets."""
    model = make_pipeline(StandardScaler(), RidgeClassifier())
    model.fit(features[train], data.labels[train])
    return [float(np.mean(model.predict(features[o]) == data.labels[o])) for o in others]


def _counts(data: LessonData, rows: np.ndarray) -> dict[str, int]:
    return {"pictures": len(rows), "patients": int(data.table["patient"].iloc[rows].nunique())}
