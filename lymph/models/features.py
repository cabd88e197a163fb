"""The last hidden features of a network: what it knows of a picture before it judges."""

import hashlib

import numpy as np
from torch import Tensor, nn

from lymph.models.networks import BackboneHead


def forward_features(model: BackboneHead, pictures: Tensor) -> Tensor:
    """Return the input of the last linear layer, N x D, for normalised pictures, N x C x H x W.

    Call it in evaluation mode and without gradients.
    """
    features = model.backbone(pictures)
    return model.head[:-1](features) if isinstance(model.head, nn.Sequential) else features


def features_and_logits(model: BackboneHead, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Return the hidden features, N x D, and the logits, N x K, of one pass."""
    features = forward_features(model, pictures)
    last = model.head[-1] if isinstance(model.head, nn.Sequential) else model.head
    return features, last(features)


def digest(small: np.ndarray) -> str:
    """Name the content of a picture at working size; the same pixels have the same name.

    File names and lossless formats make no difference.
    """
    return hashlib.sha256(np.ascontiguousarray(small).data).hexdigest()[:32]
