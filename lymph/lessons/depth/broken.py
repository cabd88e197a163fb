"""BROKEN ON PURPOSE: each layer shrinks the gradient."""

import torch
from torch import nn

torch.manual_seed(0)

# ---- what the lesson shows ----
# PyTorch's default initial weights
layers = nn.ModuleList()
for _ in range(15):
    layers.append(nn.Conv2d(16, 16, 3, padding=1))
