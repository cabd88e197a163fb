"""BROKEN ON PURPOSE: an interval that takes pictures for independent, and the fix beside it.

A quick model judges all patients out of fold. From its answers thousands of small tests are drawn,
patients with replacement within their class, so that the true accuracy is known: it is that of the
patients who are drawn from.
"""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lymph.evaluation.intervals import effective_exact, share_interval
from lymph.leak.meter import count_folds
from lymph.lessons.data import LessonData
from lymph.lessons.practice import Tell, silent
from lymph.lessons.quick import colour_numbers, need_patients, out_of_fold
from lymph.splits import make_folds
from lymph.splits.make import home_class

SHOWN = 40


def run(
    data: LessonData,
    tests: int = 2000,
    per_class: int = 2,
    seed: int = 0,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Draw many tests of a few patients and count the intervals that miss the true accuracy.

    Returns
    -------
    dict
        ``tests``, ``per_class``, ``patients`` (of one test), ``from_patients`` (drawn from),
        ``pictures`` (mean of a test), ``truth``; under ``picture`` and ``patient`` the share of
        intervals that ``missed`` and their mean ``width``; and of the first tests ``shown``
        their ``accuracy`` and both intervals.
    """
    need_patients(data, 2)
    with threadpool_limits(1):
        folds = make_folds(data.table, count_folds(data.table), "patient", seed)
        answers = out_of_fold(data, colour_numbers(data), folds).argmax(axis=1)
    tell(0.5, "All patients are judged; now the tests are drawn.")
    right = (answers == data.labels).astype(float)
    by_patient = data.table.assign(right=right).groupby("patient")["right"].agg(["sum", "size"])
    homes = home_class(data.table)
    members = [by_patient.loc[homes.index[homes == name]].to_numpy() for name in data.classes]
    members = [group for group in members if len(group)]
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [group[rng.integers(len(group), size=(tests, per_class))] for group in members], axis=1
    )
    hits, trials = drawn[..., 0], drawn[..., 1]
    means = np.mean([group.mean(axis=0) for group in members], axis=0)
    truth = float(means[0] / means[1])
    accuracy, pictures = hits.sum(axis=1) / trials.sum(axis=1), trials.sum(axis=1)
    intervals = {
        "picture": effective_exact(accuracy, pictures),
        "patient": share_interval(hits, trials),
    }
    tell(1.0, f"{tests} tests are drawn, each with both intervals.")
    return {
        "tests": tests,
        "per_class": per_class,
        "patients": hits.shape[1],
        "from_patients": len(by_patient),
        "pictures": float(pictures.mean()),
        "truth": truth,
        **{by: _judge(ends, truth) for by, ends in intervals.items()},
        "shown": [
            {"accuracy": float(accuracy[i]), **{by: e[i].tolist() for by, e in intervals.items()}}
            for i in range(min(SHOWN, tests))
        ],
    }


def _judge(ends: np.ndarray, truth: float) -> dict[str, float]:
    """Count the intervals, N x 2, that miss the truth by more than rounding."""
    missed = (truth < ends[:, 0] - 1e-9) | (ends[:, 1] + 1e-9 < truth)
    return {"missed": float(missed.mean()), "width": float((ends[:, 1] - ends[:, 0]).mean())}
