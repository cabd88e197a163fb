"""The negative control: what is left to recognise is the patient."""

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

# Twelve patients, ten pictures each: the numbers tell the patient and nothing else.
rng = np.random.default_rng(0)
patient = np.repeat([f"99-{number}" for number in range(10, 22)], 10)
X = np.repeat(rng.normal(size=(12, 4)), 10, axis=0) + 0.05 * rng.normal(size=(120, 4))
model = KNeighborsClassifier(1)
class_of_patient = pd.Series(np.arange(12) % 3, index=np.unique(patient))
folds = KFold(5, shuffle=True)

# ---- what the lesson shows ----
# the control: a random class for each patient
names, place = np.unique(patient, return_inverse=True)
classes = class_of_patient[names].to_numpy()
y_random = rng.permutation(classes)[place]
scores = cross_val_score(model, X, y_random, cv=folds)
# above chance? then the split leaks
