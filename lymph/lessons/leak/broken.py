"""BROKEN ON PURPOSE: patients are on both sides of the split."""

import numpy as np

from lymph.lessons.made_up import picture_table

rng = np.random.default_rng(0)
table = picture_table()

# ---- what the lesson shows ----
# pictures are assigned at random
order = rng.permutation(len(table))
train = table.iloc[order[:300]]
test = table.iloc[order[300:]]
