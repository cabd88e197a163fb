"""BROKEN ON PURPOSE: a random split on classes that do not exist, and the fix beside it."""

from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lymph.evaluation.intervals import student_t
from lymph.leak import linear, measure_control
from lymph.leak.control import draws_that_leak
from lymph.lessons.data import LessonData
from lymph.lessons.practice import Tell, silent
from lymph.lessons.quick import colour_numbers, need_patients


def run(data: LessonData, draws: int = 8, seed: int = 0, tell: Tell = silent) -> dict[str, Any]:
    """Draw the classes of the patients several times and measure both splits.

    Returns
    -------
    dict
        As :func:`lymph.leak.measure_control`, ``leaking``: in how many draws the random split
        beats both the largest class and patients kept apart, and ``lead``: the 95 % interval over
        the draws of how far patients kept apart are ahead of the largest class (None of one draw).
    """
    need_patients(data, 2)
    features = colour_numbers(data)

    def count(done: int, total: int) -> None:
        tell(0.1 + 0.9 * done / total, f"round {done} of {total}")

    tell(0.1, "The colours are measured; now the classes are drawn.")
    with threadpool_limits(1):
        figures = measure_control(partial(linear, features), data.table, draws, count, seed)
    lead = np.subtract(figures["patient"]["accuracies"], figures["baselines"])
    return {**figures, "leaking": draws_that_leak(figures), "lead": _mean_interval(lead)}


def _mean_interval(values: np.ndarray) -> list[float] | None:
    """Return Student's 95 % interval of the mean of independent values, or None of a single one."""
    if len(values) < 2:
        return None
    half = student_t(len(values)) * values.std(ddof=1) / np.sqrt(len(values))
    return [float(values.mean() - half), float(values.mean() + half)]
