"""As many trials as the patients are worth."""

import numpy as np
import pandas as pd

from lymph.evaluation.intervals import share_interval

# Six patients, twelve pictures each: the model is right on all pictures of three of them.
patient = np.repeat(np.arange(6), 12)
right = pd.Series(patient < 3)

# ---- what the lesson shows ----
# patients are the trials
hits = right.groupby(patient).sum().to_numpy()
trials = right.groupby(patient).size().to_numpy()
low, high = share_interval(hits, trials)
