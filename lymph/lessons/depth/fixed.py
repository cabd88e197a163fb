"""The initial weights of He et al. keep the gradient's size."""

import torch
from torch import nn

torch.manual_seed(0)
layers = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(15))

# ---- what the lesson shows ----
for layer in layers:
    nn.init.kaiming_normal_(
        layer.weight,
        nonlinearity="relu",
    )
    nn.init.zeros_(layer.bias)
# or a way around each layer, in forward():
#     x = x + relu(layer(x))
