"""Encoders of timm: the mean over tiles, places for Grad-CAM, and kinds that are refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lymph.errors import WeightsError
from lymph.explain.gradcam import grad_cam
from lymph.models.architecture import Architecture, read_architecture
from lymph.models.encoder_files import fill
from lymph.models.networks import LinearProbe, build_encoder
from lymph.models.specs import MODELS
from lymph.models.tile_encoder import TileEncoder

pytest.importorskip("timm")
SPEC = MODELS["linear-probe"]


@pytest.fixture
def tiny(tiny_encoder: Path) -> TileEncoder:
    """Return the tiny transformer with its values."""
    made = TileEncoder(read_architecture(tiny_encoder / "config.json"))
    fill(made.network, tiny_encoder / "model.safetensors")
    return made.eval()


@torch.no_grad()
def test_features_are_the_networks_own_mean_over_tiles(tiny: TileEncoder) -> None:
    """Cut by hand, normalised by hand, through timm's own forward pass."""
    pictures = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    normal = (pictures - 0.5) / 0.5
    by_hand = [
        tiny.network(normal[:, :, row : row + 32, column : column + 32])
        for row in (0, 32)
        for column in (0, 32, 64)
    ]
    torch.testing.assert_close(tiny(pictures), torch.stack(by_hand).mean(0))


@pytest.mark.parametrize("size", [(32, 32), (33, 200), (64, 32), (90, 64)])
@torch.no_grad()
def test_a_picture_of_any_shape_has_features(tiny: TileEncoder, size: tuple[int, int]) -> None:
    """Smaller than a tile, long, and no multiple of one; alone and beside others it is the same."""
    pictures = torch.rand(3, 3, *size)
    features = tiny(pictures)
    assert features.shape == (3, tiny.width) == (3, 16)
    torch.testing.assert_close(tiny(pictures[1:2]), features[1:2])


def test_grad_cam_shows_every_tiles_places(tiny: TileEncoder, tiny_encoder: Path) -> None:
    """A transformer has no convolution to look at: its tokens before the last block are a map."""
    architecture = read_architecture(tiny_encoder / "config.json").to_json()
    model = LinearProbe(3, "own", architecture)
    model.backbone.load_state_dict(tiny.state_dict())
    model.head[1].axes.normal_(generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.head[1].linear.weight)
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    heat = grad_cam(model, SPEC, pixels, 1)
    # Seen at 96 x 128 pixels, in 3 x 4 tiles of 32, each of 2 x 2 places.
    assert heat.shape == (6, 8)
    assert heat.max() == 1.0


@torch.no_grad()
def test_a_network_of_convolutions_is_taken_too() -> None:
    """Its last maps are laid side by side, and its own pooling makes the features."""
    architecture = Architecture("resnet10t", 64, [0.5] * 3, [0.5] * 3, {}, "avg")
    encoder = build_encoder("own", architecture.to_json()).eval()
    pictures = torch.rand(1, 3, 128, 128)
    tiles = [
        encoder.network(((pictures - 0.5) / 0.5)[:, :, r : r + 64, c : c + 64])
        for r in (0, 64)
        for c in (0, 64)
    ]
    torch.testing.assert_close(encoder(pictures), torch.stack(tiles).mean(0))


def test_a_network_whose_places_are_not_known_is_refused() -> None:
    """A Swin transformer's maps have their channels last."""
    swin = Architecture("swin_tiny_patch4_window7_224", 224, [0.5] * 3, [0.5] * 3, {"depths": [1]})
    with pytest.raises(WeightsError, match=r"neither|cannot build"):
        TileEncoder(swin)


def test_an_unknown_network_and_an_unknown_argument_get_a_sentence() -> None:
    """A newer timm may have it; a foreign description may not fit."""
    plain = ("no_such_network", 32, [0.5] * 3, [0.5] * 3)
    with pytest.raises(WeightsError, match="no network no_such_network"):
        TileEncoder(Architecture(*plain))
    odd = Architecture("vit_tiny_patch16_224", 32, [0.5] * 3, [0.5] * 3, {"no_such": 1})
    with pytest.raises(WeightsError, match="cannot build"):
        TileEncoder(odd)
    huge = {"embed_dim": 10_000, "depth": 30, "num_heads": 10}
    with pytest.raises(WeightsError, match="billion parameters"):
        TileEncoder(Architecture("vit_tiny_patch16_224", 32, [0.5] * 3, [0.5] * 3, huge))


def test_without_timm_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base installation has no timm."""
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(WeightsError, match=r"requirements-encoders\.txt"):
        TileEncoder(Architecture("vit_tiny_patch16_224", 32, [0.5] * 3, [0.5] * 3))


def test_tiles_are_bounded() -> None:
    """DINOv2's page says 518 pixels, whose attention costs thirty times that of 224."""
    assert Architecture("vit_small_patch14_dinov2", 518, [0.5] * 3, [0.5] * 3).tile == 224
