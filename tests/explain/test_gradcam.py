"""Grad-CAM finds what was planted, in any shape of picture, for any class, and leaves no trace."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lymph.explain.gradcam import grad_cam, target_layer
from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import MODELS

from .conftest import HEIGHT, SIDE, SPEC, WIDTH, plant


def hooks_of(model: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._backward_hooks) + len(module._forward_pre_hooks)
        for module in model.modules()
    )


def test_it_finds_a_planted_object_in_a_wide_picture(planted_model: BackboneHead) -> None:
    """The warmest place lies on the object, although the picture is twice as wide as high."""
    hits = []
    for seed in range(1000, 1030):
        sample = plant(seed)
        heat = grad_cam(planted_model, SPEC, sample.pixels, sample.label)
        full = np.asarray(Image.fromarray(heat).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
        row, column = np.unravel_index(full.argmax(), full.shape)
        inside_rows = sample.row - 8 <= row < sample.row + SIDE + 8
        hits.append(inside_rows and sample.column - 8 <= column < sample.column + SIDE + 8)
    assert np.mean(hits) >= 0.9


def test_any_class_can_be_asked(planted_model: BackboneHead) -> None:
    """The two classes are explained differently; values run from 0 to 1."""
    sample = plant(1001)
    maps = [grad_cam(planted_model, SPEC, sample.pixels, k) for k in (0, 1)]
    assert not np.allclose(*maps)
    for heat in maps:
        assert heat.dtype == np.float32 and heat.shape == (16, 16)
        assert heat.min() >= 0 and heat.max() in (0.0, 1.0)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("cnn", (60, 200)), ("cnn", (200, 60)), ("cnn", (128, 128)), ("resnet50", (60, 200))],
)
def test_shapes_models_and_a_frozen_backbone(name: str, shape: tuple[int, int]) -> None:
    """A frozen backbone gives the same map as a free one, and no hook or gradient is left."""
    torch.manual_seed(0)
    model = build_model(name, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    free = grad_cam(model, MODELS[name], pixels, 2)
    model.freeze_backbone()
    np.testing.assert_allclose(grad_cam(model, MODELS[name], pixels, 2), free, atol=1e-5)
    assert hooks_of(model) == 0
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(p.requires_grad for p in model.backbone.parameters())


def test_the_target_layer_of_both_models() -> None:
    """layer4 of ResNet-50, and the third ReLU of the small CNN, right before its pool."""
    resnet, small = build_model("resnet50", 3), build_model("cnn", 3)
    assert target_layer(resnet) is resnet.backbone.layer4
    assert target_layer(small) is small.backbone[10]
    assert isinstance(small.backbone[11], nn.AdaptiveAvgPool2d)


def test_it_agrees_with_its_definition(planted_model: BackboneHead) -> None:
    """The map is ReLU(sum of maps weighted by their mean gradient), Selvaraju et al., eq. 1-2."""
    from lymph.data.pixels import shrink
    from lymph.models.inputs import to_input

    sample = plant(1002)
    pictures = to_input(shrink(sample.pixels, SPEC.size, SPEC.grey)[None], SPEC)
    maps = planted_model.backbone[:11](pictures).detach().requires_grad_()
    planted_model.head(planted_model.backbone[11:](maps))[0, 1].backward()
    weights = maps.grad.mean(dim=(2, 3), keepdim=True)
    expected = torch.relu((weights * maps.detach()).sum(1))[0].numpy()
    heat = grad_cam(planted_model, SPEC, sample.pixels, 1)
    np.testing.assert_allclose(heat, expected / max(expected.max(), 1e-12), atol=1e-4)
