"""What describes a network comes from strangers: it is read, kept in a run, and never obeyed."""

import json
from pathlib import Path
from typing import Any

import pytest

from lymph.errors import ConfigError, WeightsError
from lymph.models.architecture import Architecture, read_architecture
from lymph.models.encoder_table import ENCODER_TABLE
from lymph.models.tile_encoder import network_of

# As a pathology encoder's page on the hub has it.
HUB = {
    "architecture": "vit_base_patch16_224",
    "num_classes": 0,
    "num_features": 768,
    "global_pool": "token",
    "pretrained_cfg": {
        "input_size": [3, 224, 224],
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
}


def test_the_hubs_description_is_read(tmp_path: Path) -> None:
    """With what its makers' page tells to add, and without what is not lymph's."""
    document = {**HUB, "model_args": {"depth": 24, "num_classes": 7, "dynamic_img_size": True}}
    (tmp_path / "config.json").write_text(json.dumps(document))
    read = read_architecture(tmp_path / "config.json", {"init_values": 1e-5})
    assert (read.name, read.side, read.pool) == ("vit_base_patch16_224", 224, "token")
    assert read.arguments == {"depth": 24, "init_values": 1e-5}
    assert Architecture.from_json(json.loads(json.dumps(read.to_json()))) == read


@pytest.mark.parametrize("name", ["uni", "uni2", "virchow2", "h-optimus-0", "h0-mini"])
def test_what_the_makers_pages_tell_builds_a_network(tmp_path: Path, name: str) -> None:
    """Known only by their pages here; one block of each, with what their files have beside."""
    pytest.importorskip("timm")
    networks = {
        "uni": ("vit_large_patch16_224", {}),
        "uni2": ("vit_giant_patch14_224", {}),
        "virchow2": ("vit_huge_patch14_224", {"reg_tokens": 4, "mlp_ratio": 5.3375}),
        "h-optimus-0": ("vit_giant_patch14_reg4_dinov2", {}),
        "h0-mini": ("vit_base_patch14_reg4_dinov2", {"mlp_ratio": 5.33334}),
    }
    network, arguments = networks[name]
    document = {**HUB, "architecture": network, "global_pool": "", "model_args": arguments}
    (tmp_path / "config.json").write_text(json.dumps(document))
    extra = {**ENCODER_TABLE[name].arguments, "depth": 1}
    built = network_of(read_architecture(tmp_path / "config.json", extra))
    assert len(built.blocks) == 1 and built.global_pool == "token"
    swiglu = "SwiGLUPacked" in extra.values() or name == "h-optimus-0"
    assert (type(built.blocks[0].mlp).__name__ == "GluMlp") == swiglu


def test_the_hubs_older_form_has_all_at_the_top(tmp_path: Path) -> None:
    """timm wrote it so until 2023."""
    flat = {"architecture": "vit_tiny_patch16_224", **HUB["pretrained_cfg"]}
    (tmp_path / "config.json").write_text(json.dumps(flat))
    assert read_architecture(tmp_path / "config.json").mean == [0.485, 0.456, 0.406]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"architectures": ["Dinov2Model"], "hidden_size": 1024}',
        '{"architecture": "vit_tiny_patch16_224", "input_size": [3]}',
        json.dumps({**HUB, "model_args": 3}),
    ],
)
def test_another_document_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    """A cut file, a list, the transformers library's, and one that lacks what is needed."""
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(WeightsError, match=r"config\.json"):
        read_architecture(tmp_path / "config.json")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "hf-hub:stranger/network"},
        {"name": "local-dir:/etc"},
        {"arguments": {"pretrained": True}},
        {"arguments": {"pretrained_cfg": "x"}},
        {"arguments": {"checkpoint_path": "evil"}},
        {"arguments": {"mlp_layer": "os.system"}},
        {"arguments": {"embed_dim": 10**9}},
        {"arguments": {"deep": {"er": 1}}},
        {"side": 100_000},
        {"side": 1},
        {"std": [0.0, 1.0, 1.0]},
        {"mean": [0.5]},
        {"pool": "map"},
        {"more": 1},
        {"side": "224"},
    ],
)
def test_a_strangers_run_makes_nobody_fetch_or_fill_the_memory(change: dict[str, Any]) -> None:
    """Names that timm would fetch or open, arguments of odd kinds, impossible sizes."""
    sound = Architecture("vit_tiny_patch16_224", 224, [0.5] * 3, [0.5] * 3).to_json()
    with pytest.raises(ConfigError, match=r"config\.json"):
        Architecture.from_json({**sound, **change})
