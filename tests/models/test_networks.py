"""The two networks: shapes, the small CNN's allowed parts, and what freezing means."""

import copy

import pytest
import torch
from torch import nn

from lymph.errors import ConfigError
from lymph.models.networks import GridAverage, ResNet50, SmallCNN, build_model


def test_the_small_cnn_has_at_most_three_convolutions_each_normalised() -> None:
    """The notebook's task allows three convolutions with batch normalisation and ReLU."""
    modules = list(SmallCNN(3).modules())
    assert sum(isinstance(m, nn.Conv2d) for m in modules) == 3
    assert sum(isinstance(m, nn.BatchNorm2d) for m in modules) == 3


def test_pooling_before_relu_gives_the_notebooks_numbers() -> None:
    """The order is ours for speed; outputs and gradients are those of ReLU before pooling."""
    torch.manual_seed(0)
    ours = SmallCNN(3, dropout=0.0)
    layers = [copy.deepcopy(layer) for layer in ours.backbone]
    for relu in (3, 7):
        layers[relu - 1], layers[relu] = layers[relu], layers[relu - 1]
    layers[-2] = nn.AdaptiveAvgPool2d(4)
    notebook = nn.Sequential(*layers, copy.deepcopy(ours.head))
    pictures = torch.randn(4, 1, 64, 64)
    seen = [model(pictures) for model in (ours, notebook)]
    assert torch.allclose(*seen, atol=1e-6)
    seen[0].square().sum().backward()
    seen[1].square().sum().backward()
    for own, theirs in zip(ours.parameters(), notebook.parameters(), strict=True):
        assert torch.allclose(own.grad, theirs.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_grid_of_means_keeps_the_layout_on_the_way_back(layout: torch.memory_format) -> None:
    """Named for its speed: the same gradient as torch's own pooling, laid out as the input is."""
    grads = []
    for pool in (GridAverage(4), nn.AdaptiveAvgPool2d(4)):
        maps = torch.arange(2 * 3 * 8 * 8.0).view(2, 3, 8, 8).to(memory_format=layout)
        maps.requires_grad_()
        (pool(maps).flatten(1) ** 2).sum().backward()
        grads.append(maps.grad)
    assert torch.equal(*grads)
    assert grads[0].is_contiguous(memory_format=layout)


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("size", [(128, 128), (64, 96)])
def test_the_small_cnn_gives_one_logit_a_class(classes: int, size: tuple[int, int]) -> None:
    """Any number of classes and any size, square or not."""
    assert SmallCNN(classes)(torch.zeros(2, 1, *size)).shape == (2, classes)


def test_resnet50_gives_one_logit_a_class() -> None:
    """The head fits the classes, the backbone gives 2048 features."""
    model = ResNet50(4).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 4)
        assert model.backbone(torch.zeros(1, 3, 64, 64)).shape == (1, 2048)


def test_a_frozen_backbone_changes_neither_parameters_nor_statistics() -> None:
    """The notebook never froze; and requires_grad alone would let the statistics drift."""
    model = SmallCNN(3)
    model.freeze_backbone()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    head_before = [parameter.clone() for parameter in model.head.parameters()]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        model.train()
        loss = model(torch.randn(8, 1, 32, 32) * 5 + 3).logsumexp(1).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = model.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    changed = zip(head_before, model.head.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in changed)


def test_a_thawed_backbone_learns_again() -> None:
    """Freezing is undone: gradients return, and so does the training mode."""
    model = SmallCNN(3).train()
    model.freeze_backbone()
    model.freeze_backbone(False)
    assert all(parameter.requires_grad for parameter in model.backbone.parameters())
    assert model.backbone.training


def test_an_unknown_model_is_refused() -> None:
    """The message lists the models that there are."""
    with pytest.raises(ConfigError, match="cnn, resnet50"):
        build_model("vgg", 3)
