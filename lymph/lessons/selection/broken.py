"""BROKEN ON PURPOSE: the test that chose the model judges it too."""

import numpy as np

# Fifteen models that are right on every second patient, whoever it is.
settings, test, val = range(15), range(6), range(6, 12)


def train(setting: int) -> int:
    """Return a model: nothing but a number."""
    return setting


def accuracy(model: int, patients: range) -> float:
    """Return the share of patients that a model is right on."""
    return float(np.mean([np.random.default_rng([model, who]).random() < 0.5 for who in patients]))


# ---- what the lesson shows ----
models = [train(s) for s in settings]
best = max(models, key=lambda m: accuracy(m, test))
print(accuracy(best, test))  # chosen on it
