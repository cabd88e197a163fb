"""BROKEN ON PURPOSE: a dozen pictures of one patient count as a dozen independent trials."""

import numpy as np
from scipy.stats import binomtest

# Six patients, twelve pictures each: the model is right on all pictures of three of them.
label = np.zeros(72, int)
predicted = np.repeat([0, 0, 0, 1, 1, 1], 12)

# ---- what the lesson shows ----
# every picture is one trial
right = (predicted == label).sum()
test = binomtest(right, len(label))
low, high = test.proportion_ci(0.95)
