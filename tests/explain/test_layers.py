"""Filters and activations: the values the network really has, and no hook left behind."""

import numpy as np
import pytest
import torch

from lymph.data.pixels import shrink
from lymph.explain.layers import activations, first_filters
from lymph.models.inputs import to_input
from lymph.models.last_block import ProbedResNet50
from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import MODELS

from .conftest import SPEC, plant
from .test_gradcam import hooks_of


def test_filters_are_the_weights_of_the_first_convolution(planted_model: BackboneHead) -> None:
    """16 filters of 3 x 3, each scaled to its own largest weight."""
    filters = first_filters(planted_model)
    weights = planted_model.backbone[0].weight.detach().numpy()
    assert filters.shape == (16, 1, 3, 3)
    np.testing.assert_allclose(np.abs(filters).max(axis=(1, 2, 3)), 1, atol=1e-6)
    assert (np.sign(filters) == np.sign(weights)).all()


def test_activations_of_every_layer(planted_model: BackboneHead) -> None:
    """Three layers, the first two pooled to half the size, equal to a pass by hand."""
    sample = plant(5)
    found = activations(planted_model, SPEC, sample.pixels)
    assert [a.maps.shape for a in found] == [(16, 32, 32), (32, 16, 16), (64, 16, 16)]
    assert [a.name for a in found] == ["Layer 1", "Layer 2", "Layer 3"]
    with torch.no_grad():
        pictures = to_input(shrink(sample.pixels, SPEC.size, SPEC.grey)[None], SPEC)
        expected = planted_model.backbone[:8](pictures)[0].numpy()
    np.testing.assert_allclose(found[1].maps, expected, atol=1e-6)
    assert all(a.maps.min() >= 0 for a in found)
    assert hooks_of(planted_model) == 0


def test_a_resnet_shows_its_stages() -> None:
    """Stem and four stages, by torchvision's names."""
    found = activations(build_model("resnet50", 3), MODELS["resnet50"], plant(5).pixels)
    assert [len(a.maps) for a in found] == [64, 256, 512, 1024, 2048]
    stages = [f"layer{stage}" for stage in range(1, 5)]
    assert [a.name for a in found] == ["First convolution", *stages]


@pytest.mark.parametrize("stages", [2, 3])
def test_a_resnet_cut_off_shows_the_last_stage_too(stages: int) -> None:
    """Regression: layer3, of which the last block runs apart from the others, was left out."""
    model = ProbedResNet50(3, stages).eval()
    sample = plant(5)
    found = activations(model, MODELS["resnet50"], sample.pixels)
    assert [a.name for a in found[1:]] == [f"layer{stage}" for stage in range(1, stages + 1)]
    with torch.no_grad():
        seen = shrink(sample.pixels, MODELS["resnet50"].size, grey=False)
        earlier, maps = model.staged.stem(to_input(seen[None], MODELS["resnet50"]))
        last = model.staged.last_block(maps.permute(0, 3, 1, 2).to(earlier.dtype))
    np.testing.assert_allclose(found[-1].maps, last[0].numpy(), rtol=1e-5, atol=1e-5)
    assert hooks_of(model) == 0
