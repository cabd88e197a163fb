"""The loss of class numbers is divided by the sum of their weights."""

import torch
from torch.nn.functional import cross_entropy

counts = torch.tensor([113, 139, 122])
y = torch.arange(3).repeat_interleave(counts)
logits = torch.randn(len(y), 3, generator=torch.Generator().manual_seed(0))

# ---- what the lesson shows ----
# w_c = N / (K n_c), training pictures only
weights = counts.sum() / (len(counts) * counts)
loss = cross_entropy(logits, y, weight=weights)
# divided by the sum of the weights: scale cancels
