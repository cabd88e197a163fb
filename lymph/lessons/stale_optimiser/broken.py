"""BROKEN ON PURPOSE: the optimiser holds the parameters of an earlier model."""

import torch
from torch.nn import CrossEntropyLoss
from torch.optim import Adam

from lymph.lessons.made_up import CNN, train

weights = torch.tensor([1.10, 0.90, 1.02])
model = CNN(classes=3)

# ---- what the lesson shows ----
optimiser = Adam(model.parameters())
...
model = CNN(classes=3)  # a new model
loss = CrossEntropyLoss(weight=weights)
train(model, loss, optimiser)  # the old list
