"""BROKEN ON PURPOSE: the loss of one-hot targets is divided by the batch size."""

import torch
from torch.nn.functional import cross_entropy, one_hot

counts = torch.tensor([113, 139, 122])
y = torch.arange(3).repeat_interleave(counts)
logits = torch.randn(len(y), 3, generator=torch.Generator().manual_seed(0))

# ---- what the lesson shows ----
weights = 1 / counts
weights = weights / weights.sum()  # sums to 1
targets = one_hot(y).float()
loss = cross_entropy(logits, targets, weight=weights)
# divided by the batch size: 3 times too small
