"""The weighted loss, and labels as the loop compares them."""

import torch
from torch import Tensor, nn


def weighted_loss(weights: dict[str, float]) -> nn.CrossEntropyLoss:
    """Return the cross-entropy over class indices with class weights; one value a picture.

    With index targets the weighted mean divides by the weights' sum, so their scale cancels; with
    one-hot float targets PyTorch divides by the batch size, and weights shrink the gradient.
    """
    return nn.CrossEntropyLoss(weight=torch.tensor(list(weights.values())), reduction="none")


def class_indices(labels: Tensor) -> Tensor:
    """Return class indices, N, of labels given as indices or as one-hot rows, N x K.

    Comparing one-hot rows with indices broadcasts to a matrix and counts matches that are none;
    every label passes through here before it is compared.
    """
    return labels.argmax(dim=1) if labels.ndim == 2 else labels.long()
