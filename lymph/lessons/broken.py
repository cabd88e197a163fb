"""BROKEN ON PURPOSE: the notebook's loops. lymph's own loop refuses or cannot make these faults."""

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


def one_hot_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """BROKEN ON PURPOSE: the weighted loss of one-hot float targets, N x K logits, N labels.

    PyTorch divides it by the batch size, not by the sum of the weights, so that weights which add
    up to 1 shrink the loss and the gradient.
    """
    targets = torch.eye(logits.shape[1])[labels]
    return nn.functional.cross_entropy(logits, targets, weight=weights)
