"""The transformers library's files: the same network by other names, and variants left out."""

import json
import re
from pathlib import Path

import pytest
import torch

from lymph.errors import WeightsError
from lymph.models.architecture import read_architecture
from lymph.models.encoder_files import VALUES, fill
from lymph.models.tile_encoder import network_of

pytest.importorskip("timm")

# As that library writes them, of both kinds; its attention lies in three parts.
DINOV2 = {
    "model_type": "dinov2",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "mlp_ratio": 4,
    "image_size": 28,
    "patch_size": 14,
    "use_swiglu_ffn": False,
}
VIT = {**DINOV2, "model_type": "vit", "intermediate_size": 64}
DINOV2_NAMES = (
    ("cls_token", "embeddings.cls_token"),
    ("pos_embed", "embeddings.position_embeddings"),
    ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
    (r"^norm", "layernorm"),
    (r"^blocks", "encoder.layer"),
    (r"attn\.proj", "attention.output.dense"),
    (r"ls(\d)\.gamma", r"layer_scale\1.lambda1"),
)
VIT_NAMES = (
    *DINOV2_NAMES,
    (r"\.norm1", ".layernorm_before"),
    (r"\.norm2", ".layernorm_after"),
    (r"mlp\.fc1", "intermediate.dense"),
    (r"mlp\.fc2", "output.dense"),
)


@pytest.mark.parametrize(("config", "names"), [(DINOV2, DINOV2_NAMES), (VIT, VIT_NAMES)])
def test_every_value_comes_to_its_place(
    tmp_path: Path, config: dict, names: tuple[tuple[str, str], ...]
) -> None:
    """Written by that library's names and read again: the same network, to the last number."""
    from safetensors.torch import save_file

    write_description(tmp_path, config)
    architecture = read_architecture(tmp_path / "config.json")
    network, again = network_of(architecture), network_of(architecture)
    values = {"embeddings.mask_token": torch.zeros(1, 16)}
    for name, value in network.state_dict().items():
        if "qkv" in name:
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                own = name.replace("attn.qkv", f"attention.attention.{part}")
                values[own.replace("blocks", "encoder.layer")] = third.clone()
            continue
        for timms, theirs in names:
            name = re.sub(timms, theirs, name)
        values[name] = value
    save_file(values, tmp_path / VALUES)
    fill(again, tmp_path / VALUES)
    pictures = torch.rand(2, 3, 28, 28)
    torch.testing.assert_close(again.eval()(pictures), network.eval()(pictures), rtol=0, atol=0)
    assert (architecture.mean, architecture.tile) == ([0.5, 0.4, 0.6], 28)


def write_description(folder: Path, config: dict) -> None:
    """Write the two files that describe a network."""
    (folder / "config.json").write_text(json.dumps(config))
    seen = {"image_mean": [0.5, 0.4, 0.6], "image_std": [0.2, 0.3, 0.25]}
    (folder / "preprocessor_config.json").write_text(json.dumps(seen))


@pytest.mark.parametrize(
    "change",
    [{"use_swiglu_ffn": True}, {"model_type": "dinov2_with_registers"}, {"hidden_size": 0}],
)
def test_a_variant_is_refused(tmp_path: Path, change: dict) -> None:
    """They compute something else."""
    write_description(tmp_path, {**DINOV2, **change})
    with pytest.raises(WeightsError, match="no description of a network that is taken"):
        read_architecture(tmp_path / "config.json")


def test_without_its_means_it_is_refused(tmp_path: Path) -> None:
    """A picture normalised in another way is another picture."""
    write_description(tmp_path, DINOV2)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"preprocessor_config\.json is missing"):
        read_architecture(tmp_path / "config.json")
