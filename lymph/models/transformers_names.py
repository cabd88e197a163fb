"""Encoders in the format of the transformers library, told and named as timm has them.

Its plain Vision Transformers (model types ``vit`` and ``dinov2``) compute what timm's compute; the
names differ, and the three parts of the attention's input lie apart. Variants with registers or
with SwiGLU are left out.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

# Holds means and deviations, beside config.json.
PREPROCESSOR = "preprocessor_config.json"

NETWORKS = {"vit": "vit_base_patch16_224", "dinov2": "vit_base_patch14_dinov2"}
NAMES = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"\.(layernorm_before|norm1)\.", ".norm1."),
    (r"\.(layernorm_after|norm2)\.", ".norm2."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.(intermediate\.dense|mlp\.fc1)\.", ".mlp.fc1."),
    (r"\.(output\.dense|mlp\.fc2)\.", ".mlp.fc2."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
)
QKV = re.compile(r"(blocks\.\d+)\.attention\.attention\.(query|key|value)\.(weight|bias)")


def is_of_transformers(document: Mapping[str, Any]) -> bool:
    """Tell whether a ``config.json`` describes a network that is known here."""
    return document.get("model_type") in NETWORKS and not document.get("use_swiglu_ffn")


def as_timm_tells(document: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a network in timm's words.

    Parameters
    ----------
    document, seen : mapping
        What its ``config.json`` and its ``preprocessor_config.json`` hold.

    Raises
    ------
    KeyError, TypeError
        When one lacks what it must have.
    """
    width = document["hidden_size"]
    inner = document.get("intermediate_size", width * document.get("mlp_ratio", 4))
    return {
        "architecture": NETWORKS[document["model_type"]],
        "model_args": {
            "patch_size": document["patch_size"],
            "embed_dim": width,
            "depth": document["num_hidden_layers"],
            "num_heads": document["num_attention_heads"],
            "mlp_ratio": inner / width,
        },
        "pretrained_cfg": {
            "input_size": [3, document["image_size"], document["image_size"]],
            "mean": seen["image_mean"],
            "std": seen["image_std"],
        },
    }


def as_timm_names(values: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Return named tensors by timm's names; what timm has no use for is left out."""
    import torch

    named: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in values.items():
        for pattern, timms in NAMES:
            name = re.sub(pattern, timms, name)
        if found := QKV.fullmatch(name):
            block, part, kind = found.groups()
            parts.setdefault(f"{block}.attn.qkv.{kind}", {})[part] = value
        elif name.startswith(("cls_token", "pos_embed", "patch_embed", "norm", "blocks")):
            named[name] = value
    for name, three in parts.items():
        if len(three) == 3:
            named[name] = torch.cat([three[part] for part in ("query", "key", "value")])
    return named
