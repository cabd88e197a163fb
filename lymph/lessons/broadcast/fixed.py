"""Class numbers are compared with class numbers."""

import torch
from torch.nn.functional import one_hot

# 18 pictures called CLL, 16 called FL; 10 of the 34 rightly.
y = torch.tensor([0] * 6 + [2] * 12 + [1] * 4 + [2] * 12)
logits = one_hot(torch.tensor([0] * 18 + [1] * 16), 3).float()
labels = one_hot(y)

# ---- what the lesson shows ----
y = labels.argmax(1)  # N
said = logits.argmax(1)  # N
right = (said == y).sum()  # N
accuracy = right / len(y)
