"""BROKEN ON PURPOSE: nobody asks what the model recognised."""

import numpy as np
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

# Twelve patients, ten pictures each: the numbers tell the patient and nothing else.
rng = np.random.default_rng(0)
patient = np.repeat([f"99-{number}" for number in range(10, 22)], 10)
X = np.repeat(rng.normal(size=(12, 4)), 10, axis=0) + 0.05 * rng.normal(size=(120, 4))
model = KNeighborsClassifier(1)
y = np.repeat(np.arange(12) % 3, 10)

# ---- what the lesson shows ----
# the true classes, a random split: 90 %
folds = KFold(5, shuffle=True)
scores = cross_val_score(model, X, y, cv=folds)
# and nobody asks what the model recognised
