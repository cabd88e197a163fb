"""Each patient is on one side of the split only."""

import numpy as np

from lymph.lessons.made_up import picture_table

rng = np.random.default_rng(0)
table = picture_table()

# ---- what the lesson shows ----
# patients are assigned at random
patients = rng.permutation(table["patient"].unique())
test = table[table["patient"].isin(patients[:6])]
train = table[~table["patient"].isin(patients[:6])]
