"""BROKEN ON PURPOSE: a column of class numbers is compared with rows of one-hot labels."""

import torch
from torch.nn.functional import one_hot

# 18 pictures called CLL, 16 called FL; 10 of the 34 rightly.
y = torch.tensor([0] * 6 + [2] * 12 + [1] * 4 + [2] * 12)
logits = one_hot(torch.tensor([0] * 18 + [1] * 16), 3).float()

# ---- what the lesson shows ----
labels = one_hot(y)  # N x 3
said = logits.argmax(1, keepdim=True)  # N x 1
right = (said == labels).sum()  # N x 3 !
accuracy = right / len(y)
