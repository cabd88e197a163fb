"""Encoders: known features, pictures of any size, one's own in a few lines, a file cut short."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet50

from lymph.data.pixels import shrink
from lymph.errors import WeightsError
from lymph.models.encoders import (
    ENCODERS,
    Encoder,
    ResNet50Encoder,
    Statistics,
    own_contrast,
)
from lymph.models.inputs import to_input
from lymph.models.networks import LinearProbe, build_model
from lymph.models.specs import MODELS
from lymph.models.view import cut_from, size_of_view, view
from lymph.models.weights import load_encoder

SPEC = MODELS["linear-probe"]


class Colours(Encoder):
    """An encoder of one's own: the mean and the spread of each colour channel."""

    width = 6

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(3, 3, 1)
        nn.init.dirac_(self.maps.weight)
        nn.init.zeros_(self.maps.bias)
        self.statistics = Statistics()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return N x 6."""
        return self.statistics(self.maps(pictures))


def test_an_encoder_of_ones_own_takes_a_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named in the table, it makes a probe whose features are known."""
    monkeypatch.setitem(ENCODERS, "colours", Colours)
    model = LinearProbe(2, "colours").eval()
    half = torch.zeros(1, 3, 40, 40)
    half[:, 0, :20] = 1.0
    features = model.backbone(half)[0]
    assert features.tolist() == pytest.approx([0.5, 0, 0, 0.5, 0, 0], abs=1e-5)
    assert model(half).tolist() == [[0.0, 0.0]]


def test_the_encoder_is_resnet50_up_to_layer3(encoder_file: Path) -> None:
    """The same values in torchvision's own network give the same maps."""
    whole = resnet50(weights=None).eval()
    whole.load_state_dict(torch.load(encoder_file, weights_only=True), strict=False)
    model = build_model("linear-probe", 3).eval()
    assert load_encoder(model, str(encoder_file)).missing == []
    pictures = torch.rand(2, 3, 64, 96)
    maps = whole.maxpool(whole.relu(whole.bn1(whole.conv1(own_contrast(pictures)))))
    first = whole.layer1(maps)
    last = whole.layer3(whole.layer2(first))
    features = model.backbone(pictures)
    assert features.shape == (2, ResNet50Encoder.width) == (2, 3584)
    torch.testing.assert_close(features[:, :256], first.mean((2, 3)))
    torch.testing.assert_close(features[:, 256:512], first.std((2, 3), correction=0))
    torch.testing.assert_close(features[:, -2048:-1024], last.mean((2, 3)))


def test_lamp_and_stain_strength_of_each_channel_make_no_difference() -> None:
    """A picture that is darker and flatter in one channel has the same features."""
    pictures = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    changed = pictures * torch.tensor([0.5, 0.8, 1.0]).view(1, 3, 1, 1) + 0.1
    torch.testing.assert_close(own_contrast(pictures), own_contrast(changed), atol=1e-4, rtol=1e-4)
    flat = own_contrast(torch.full((1, 3, 32, 32), 0.7))
    assert torch.equal(flat, torch.zeros_like(flat))


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((312, 417), (624, 834)),
        ((1040, 1388), (624, 833)),
        ((224, 224), (448, 448)),
        ((10, 12), (32, 32)),
        ((8000, 8000), (721, 721)),
    ],
)
def test_a_picture_keeps_its_shape_and_is_bounded(
    size: tuple[int, int], seen: tuple[int, int]
) -> None:
    """Twice its size, or as many pixels as twice the published ones have: memory stays bounded."""
    assert size_of_view(*size, SPEC) == seen
    assert seen[0] * seen[1] <= max(624 * 834 * 1.001, 32 * 32)


def test_a_view_is_enlarged_and_comes_as_it_is() -> None:
    """No normalisation before the encoder, which has its own: an exported model needs none."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    seen = view(pixels, SPEC)
    assert seen.shape == (80, 100, 3)
    torch.testing.assert_close(
        to_input(seen[None], SPEC)[0], torch.from_numpy(seen.copy()).permute(2, 0, 1) / 255
    )


def test_a_picture_larger_than_all_training_pictures_is_seen_as_sharp_as_they_were() -> None:
    """Regression: a slide at its full size was a stranger to a run on the same slides at 30 %."""
    pixels = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    small = shrink(pixels, (30, 40), grey=False)
    np.testing.assert_array_equal(view(pixels, SPEC, 30 * 40), view(small, SPEC))
    np.testing.assert_array_equal(view(small, SPEC, 30 * 40), view(small, SPEC))
    assert view(pixels, SPEC).shape == (240, 320, 3)
    cnn = MODELS["cnn"]
    np.testing.assert_array_equal(view(pixels, cnn, 30 * 40), view(pixels, cnn))


@pytest.mark.parametrize(
    ("size", "largest", "cut"),
    [
        ((312, 417), 312 * 417, (312, 417)),
        ((1040, 1388), 312 * 417, (312, 417)),
        ((1040, 1388), 1040 * 1388, (312, 416)),
        ((224, 300), 0, (224, 300)),
    ],
)
def test_a_tile_is_seen_as_large_as_in_the_whole(
    size: tuple[int, int], largest: int, cut: tuple[int, int]
) -> None:
    """Enlarged as every picture is, a tile has the scale of the whole picture's view."""
    pixels = np.zeros((*size, 3), np.uint8)
    assert cut_from(pixels, SPEC, largest).shape[:2] == cut
    assert cut_from(pixels, MODELS["resnet50"], largest) is pixels


def test_an_encoder_stays_as_it_is_while_a_head_learns() -> None:
    """Neither its values nor its statistics move in training mode."""
    model = build_model("linear-probe", 3).train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    model(torch.rand(2, 3, 32, 32)).sum().backward()
    assert all(parameter.grad is None for parameter in model.backbone.parameters())
    after = model.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("lost", ["layer3", "conv1"])
def test_a_file_that_lacks_a_part_of_the_encoder_is_refused(
    encoder_file: Path, tmp_path: Path, lost: str
) -> None:
    """What stays random never learns: such features would mean nothing."""
    values = torch.load(encoder_file, weights_only=True)
    kept = {name: value for name, value in values.items() if not name.startswith(lost)}
    torch.save(kept, tmp_path / "part.pth")
    with pytest.raises(WeightsError, match=lost):
        load_encoder(build_model("linear-probe", 3), str(tmp_path / "part.pth"))
