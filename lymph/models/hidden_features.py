"""The last hidden features of a network: what it knows of a picture before it judges."""

import hashlib
from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from lymph.models.networks import BackboneHead
from lymph.models.tiles import Tiled, TiledFeatures, of_pictures


def forward_features(model: BackboneHead, pictures: Tensor | TiledFeatures) -> Tensor:
    """Return the input of the last linear layer, N x D, for normalised pictures, N x C x H x W.

    Of pictures in tiles it is the mean over them. Call it in evaluation mode and without gradients.
    """
    return of_pictures(_hidden(model, pictures))


def features_and_logits(
    model: BackboneHead, pictures: Tensor | TiledFeatures
) -> tuple[Tensor, Tensor]:
    """Return the hidden features, N x D, and the logits, N x K, of one pass.

    Of pictures in tiles the features are the mean over them, and softmax of the logits is the mean
    of their probabilities.
    """
    hidden = _hidden(model, pictures)
    last = model.head[-1] if isinstance(model.head, nn.Sequential) else model.head
    if isinstance(hidden, Tiled):
        return of_pictures(hidden), hidden.mean_logits(last(hidden.values))
    return hidden, last(hidden)


def _hidden(model: BackboneHead, pictures: Tensor | TiledFeatures) -> Tensor | TiledFeatures:
    """Return the input of the last linear layer, a row a picture or a tile."""
    made = model.encode(pictures)
    if not isinstance(model.head, nn.Sequential):
        return made
    before = model.head[:-1]
    return replace(made, values=before(made.values)) if isinstance(made, Tiled) else before(made)


def digest(small: np.ndarray) -> str:
    """Name the content of a picture at working size; the same pixels have the same name.

    File names and lossless formats make no difference.
    """
    return hashlib.sha256(np.ascontiguousarray(small).data).hexdigest()[:32]
