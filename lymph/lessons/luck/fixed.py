"""Ten seeds, the same patients for both models, and an interval for their difference."""

import numpy as np
from scipy.stats import ttest_rel

from lymph.lessons.made_up import six_patients

model_a, model_b = 39, 37


def train(model: int, seed: int) -> np.ndarray:
    """Return the accuracy of a model on each of six patients."""
    return six_patients(model, seed)


def paired_difference(a: list[np.ndarray], b: list[np.ndarray]) -> tuple[float, float]:
    """Return Student's 95 % interval of b - a over the patients, each a mean over the seeds."""
    low, high = ttest_rel(np.mean(b, axis=0), np.mean(a, axis=0)).confidence_interval()
    return float(low), float(high)


# ---- what the lesson shows ----
a = [train(model_a, s) for s in range(10)]
b = [train(model_b, s) for s in range(10)]
# the same patients for both, an interval for
# the difference; if it holds 0, say so
paired_difference(a, b)
