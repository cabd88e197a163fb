"""BROKEN ON PURPOSE: the notebook's loop. lymph's own loop refuses or cannot make its faults."""

import torch
from torch import nn

from lymph.training.dataset import Batches


def epoch_without_mode(
    model: nn.Module,
    batches: Batches,
    loss_function: nn.CrossEntropyLoss,
    optimiser: torch.optim.Optimizer,
) -> list[float]:
    """BROKEN ON PURPOSE: train for an epoch without ``model.train()`` and without a look at what
    the optimiser holds.

    Returns
    -------
    list of float
        The mean loss of every batch.
    """
    losses = []
    for pictures, labels in batches:
        optimiser.zero_grad()
        loss = loss_function(model(pictures), labels).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
