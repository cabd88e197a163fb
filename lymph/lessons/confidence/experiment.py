"""BROKEN ON PURPOSE: a calibration error on few patients taken at its word; the fix beside it.

The yardstick is a model that is perfectly calibrated by construction: it says what the real one
says, and whether it is right is drawn with just that probability. One draw serves all pictures of a
patient, as one disease is the truth of all of them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lymph.evaluation.calibration import ERROR_BINS
from lymph.leak.meter import count_folds
from lymph.lessons.data import LessonData
from lymph.lessons.practice import Tell, score, silent
from lymph.lessons.progress import told_share
from lymph.lessons.quick import colour_numbers, need_patients, out_of_fold
from lymph.splits import make_folds
from lymph.splits.make import home_class

# Patients of each class in the tests that are drawn; the first is the app's usual test.
SIZES = (2, 4, 8, 16, 32, 64, 128)
# A calibration error above it is often called bad.
LIMIT = 0.05
SURE = 0.9


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error of N confidences, 0 to 1, and whether each is right.

    As :func:`lymph.evaluation.expected_calibration_error`, without a table.
    """
    edges = np.linspace(0, 1, ERROR_BINS + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, ERROR_BINS - 1)
    gaps = np.bincount(place, weights=confidence - right, minlength=ERROR_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def run(
    data: LessonData,
    redraws: int = 200,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Compare how sure a model is with how often it is right, and both with perfect calibration.

    Returns
    -------
    dict
        ``test`` (a score, out of fold over all patients), ``confidence`` (mean), ``sure`` (pictures
        with a confidence of at least 0.9, and the share ``right`` of them or None), ``own`` (the
        model's calibration error on all patients), ``perfect`` (that of the calibrated model on
        the same: ``mean`` and the ``low`` to ``high`` that hold 95 % of draws), and ``curve``: the
        same for drawn tests of ``patients``, each with the real model's mean ``own`` and the share
        ``convicted``, of calibrated models with an error above ``limit``.
    """
    need_patients(data, 2)
    rng = np.random.default_rng(seed)
    with threadpool_limits(1):
        folds = make_folds(data.table, count_folds(data.table), "patient", seed)
        probabilities = out_of_fold(data, colour_numbers(data), folds)
    fold_of = folds.assign(data.table).to_numpy(str)
    tell(0.4, "All patients are judged; now the tests are drawn.")
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == data.labels
    rows = {str(name): group.index.to_numpy() for name, group in data.table.groupby("patient")}
    homes = home_class(data.table)
    members = [[str(one) for one in homes.index[homes == name]] for name in data.classes]
    members = [group for group in members if group]

    def errors(patients: Sequence[str]) -> tuple[float, float]:
        """Return the calibration error of the model and of the calibrated one on patients."""
        places = [rows[name] for name in patients]
        chance = np.repeat(rng.random(len(places)), [len(place) for place in places])
        said = confidence[np.concatenate(places)]
        own = calibration_error(said, right[np.concatenate(places)])
        return own, calibration_error(said, chance < said)

    everyone = [errors(list(rows)) for _ in range(redraws)]
    curve = []
    for done, size in enumerate(sizes, start=1):
        drawn = [
            errors([group[i] for group in members for i in rng.integers(len(group), size=size)])
            for _ in range(redraws)
        ]
        curve.append({"patients": size * len(members), **_spread(drawn)})
        name, measure = "tests of more and more patients", "perfectly calibrated models that fail"
        told = told_share(name, "size", done, len(sizes), measure, curve[-1]["convicted"])
        tell(0.4 + 0.6 * done / len(sizes), told)
    sure = confidence >= SURE
    return {
        "test": score(data, np.arange(len(right)), probabilities, fold_of),
        "confidence": float(confidence.mean()),
        "sure": {
            "pictures": int(sure.sum()),
            "right": float(right[sure].mean()) if sure.any() else None,
        },
        "perfect": _spread(everyone),
        "own": everyone[0][0],
        "curve": curve,
        "limit": LIMIT,
        "redraws": redraws,
    }


def _spread(errors: list[tuple[float, float]]) -> dict[str, float]:
    own, perfect = np.array(errors).T
    low, high = np.quantile(perfect, (0.025, 0.975))
    return {
        "own": float(own.mean()),
        "mean": float(perfect.mean()),
        "low": float(low),
        "high": float(high),
        "convicted": float((perfect > LIMIT).mean()),
    }
