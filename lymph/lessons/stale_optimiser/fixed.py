"""The optimiser holds the parameters of the model that is trained."""

import torch
from torch.nn import CrossEntropyLoss
from torch.optim import Adam

from lymph.lessons.made_up import CNN, train

weights = torch.tensor([1.10, 0.90, 1.02])

# ---- what the lesson shows ----
model = CNN(classes=3)
loss = CrossEntropyLoss(weight=weights)
# a new optimiser for every model
optimiser = Adam(model.parameters())
train(model, loss, optimiser)
