"""The two networks: shapes, the small CNN's allowed parts, and what freezing means."""

import pytest
import torch
from torch import nn

from lymph.errors import ConfigError
from lymph.models.networks import ResNet50, SmallCNN, build_model


def test_the_small_cnn_has_at_most_three_convolutions_each_normalised() -> None:
    """The notebook's task allows three convolutions with batch normalisation and ReLU."""
    modules = list(SmallCNN(3).modules())
    assert sum(isinstance(m, nn.Conv2d) for m in modules) == 3
    assert sum(isinstance(m, nn.BatchNorm2d) for m in modules) == 3


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
