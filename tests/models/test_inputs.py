"""How pixels become input: normalisation, layout, and augmentation that keeps what it should."""

import numpy as np
import pytest
import torch

from lymph.models.inputs import IMAGENET_MEAN, IMAGENET_STD, augment, to_input
from lymph.models.specs import MODELS


def test_imagenet_normalisation_is_applied() -> None:
    """The notebook defined it and forgot it: a pixel of ImageNet's mean must become zero."""
    mean = np.round(np.array(IMAGENET_MEAN) * 255).astype(np.uint8)
    pixels = np.broadcast_to(mean, (2, 8, 8, 3))
    assert to_input(pixels, MODELS["resnet50"]).abs().max() < 0.01
    white = to_input(np.full((1, 4, 4, 3), 255, np.uint8), MODELS["resnet50"])
    expected = (1 - torch.tensor(IMAGENET_MEAN)) / torch.tensor(IMAGENET_STD)
    assert torch.allclose(white[0, :, 0, 0], expected)


def test_rgb_stays_rgb_and_grey_has_one_channel() -> None:
    """The notebook gave ResNet-50 a grey picture three times; here the channels stay apart."""
    pixels = np.zeros((1, 4, 6, 3), np.uint8)
    pixels[..., 0] = 255
    red = to_input(pixels, MODELS["resnet50"])
    assert red.shape == (1, 3, 4, 6)
    assert red[0, 0].min() > red[0, 1].max()
    assert to_input(np.zeros((5, 4, 6), np.uint8), MODELS["cnn"]).shape == (5, 1, 4, 6)


def test_the_input_does_not_share_memory_with_the_cache() -> None:
    """The mapped pixels are read-only and must never be written through a tensor."""
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels.setflags(write=False)
    to_input(pixels, MODELS["cnn"]).add_(1)
    assert pixels.max() == 0


@pytest.mark.parametrize("shape", [(64, 1, 32, 32), (64, 3, 24, 40)])
def test_augmentation_keeps_shape_and_range(shape: tuple[int, ...]) -> None:
    """Resampling makes no value that was not between the picture's own."""
    pictures = torch.rand(shape)
    varied = augment(pictures)
    assert varied.shape == pictures.shape
    assert varied.min() >= -1e-5
    assert varied.max() <= 1 + 1e-5


def test_augmentation_reaches_all_eight_symmetries() -> None:
    """A bright corner must be seen in every corner, and a chiral picture in both hands."""
    torch.manual_seed(0)
    picture = torch.zeros(1, 1, 32, 32)
    picture[..., :16, :16] = 1.0
    picture[..., :16, 16:] = 0.5
    varied = augment(picture.repeat(400, 1, 1, 1))
    corners = varied.reshape(400, 2, 16, 2, 16).mean(dim=(2, 4)).reshape(400, 4)
    bright, half = corners.argmax(1), corners.sub(0.5).abs().argmin(1)
    assert len(set(zip(bright.tolist(), half.tolist(), strict=True))) == 8


def test_augmentation_depends_on_the_seed_alone() -> None:
    """The same random state gives the same pictures: a resumed run goes on as it would have."""
    pictures = torch.rand(4, 1, 16, 16)
    torch.manual_seed(3)
    first = augment(pictures)
    torch.manual_seed(3)
    assert torch.equal(first, augment(pictures))
