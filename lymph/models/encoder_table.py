"""The encoders that lymph knows: what each learned from, under which terms, and where it is.

Every entry says what its source says, and no more; the sources were read in November 2026. Terms
change: whoever uses an encoder reads its page first. torch is not needed to read this.
"""

from dataclasses import dataclass, field
from typing import Any

DEFAULT = "resnet50"
# The name of an encoder that somebody brings as a file.
OWN = "own"

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class EncoderRecord:
    """An encoder and what is known of it.

    Attributes
    ----------
    name, title : str
        For commands, and for people.
    learned_from : str
    licence : str
    non_commercial : bool
        Whether the licence allows no commercial use.
    gated : bool
        Whether its makers want to know who asks, so that only they can hand it out.
    megabytes : int
        Of the file.
    parameters : float
        In millions; 0 where the source does not say.
    format : str
        Of the file.
    sees : str
        Size of its input and how that is normalised.
    repository : str
        On the hub; empty where torchvision has it.
    sources : tuple of str
        Addresses that say so.
    arguments : dict
        What its page tells to build it with, and its file does not.
    """

    name: str
    title: str
    learned_from: str
    licence: str
    non_commercial: bool
    gated: bool
    megabytes: int
    parameters: float
    format: str
    sees: str
    repository: str
    sources: tuple[str, ...]
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Return the address where it is had."""
        return f"{HUB}/{self.repository}" if self.repository else self.sources[0]

    @property
    def fetchable(self) -> bool:
        """Tell whether lymph can fetch the file for whoever asks for it."""
        taken = self.format in (SAFETENSORS, TRANSFORMERS)
        return bool(self.repository) and taken and not self.gated

    @property
    def terms(self) -> str:
        """Return the licence, with what it keeps people from."""
        told = [self.licence]
        told += ["no commercial use"] if self.non_commercial else []
        told += ["access on request"] if self.gated else []
        return "; ".join(told)


SAFETENSORS = "safetensors, timm's names"
TRANSFORMERS = "safetensors, the transformers library's names"
PICKLE = "a pickle, which lymph does not load: convert it to safetensors"
IMAGENET = "224 x 224, ImageNet's means and deviations"
AS_TOLD = "224 x 224, normalised as its config.json says"
SWIGLU = {"mlp_layer": "SwiGLUPacked", "act_layer": "SiLU"}

_RECORDS = (
    EncoderRecord(
        "resnet50",
        "ResNet-50",
        "ImageNet: 1.3 million everyday pictures in 1,000 classes",
        "BSD-3-Clause (torchvision); the weights may have terms of the data they learned from",
        False,
        False,
        98,
        25.6,
        "a state_dict of torchvision, loaded by weights_only",
        "any size; each channel of each picture by its own mean and deviation",
        "",
        (
            "https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet50.html",
            "https://github.com/pytorch/vision/blob/main/LICENSE",
        ),
    ),
    EncoderRecord(
        "dinov2-small",
        "DINOv2 ViT-S/14",
        "LVD-142M: 142 million everyday pictures, without labels",
        "Apache-2.0",
        False,
        False,
        88,
        22.1,
        SAFETENSORS,
        IMAGENET,
        "timm/vit_small_patch14_dinov2.lvd142m",
        (f"{HUB}/timm/vit_small_patch14_dinov2.lvd142m", "https://arxiv.org/abs/2304.07193"),
    ),
    EncoderRecord(
        "phikon",
        "Phikon ViT-B/16",
        "40 million tiles of TCGA, many cancers, by iBOT",
        "Owkin's own licence",
        True,
        False,
        343,
        85.8,
        SAFETENSORS,
        IMAGENET,
        "1aurent/vit_base_patch16_224.owkin_pancancer",
        (
            f"{HUB}/1aurent/vit_base_patch16_224.owkin_pancancer",
            "https://github.com/owkin/HistoSSLscaling/blob/main/LICENSE.txt",
        ),
    ),
    EncoderRecord(
        "phikon-v2",
        "Phikon-v2 ViT-L/16",
        "450 million tiles of 60,000 slides (TCGA, CPTAC, GTEx), by DINOv2",
        "Owkin's own licence",
        True,
        False,
        1210,
        300,
        TRANSFORMERS,
        "224 x 224, normalised as its preprocessor_config.json says",
        "owkin/phikon-v2",
        (f"{HUB}/owkin/phikon-v2", "https://arxiv.org/abs/2409.09173"),
    ),
    EncoderRecord(
        "lunit-dino",
        "Lunit DINO ViT-S/16",
        "33 million tiles of several pathology data sets, by DINO",
        "Lunit's own licence",
        True,
        False,
        87,
        21.1,
        SAFETENSORS,
        AS_TOLD,
        "1aurent/vit_small_patch16_224.lunit_dino",
        (
            f"{HUB}/1aurent/vit_small_patch16_224.lunit_dino",
            "https://github.com/lunit-io/benchmark-ssl-pathology/blob/main/LICENSE",
            "https://arxiv.org/abs/2212.04690",
        ),
    ),
    EncoderRecord(
        "kaiko",
        "Kaiko ViT-S/16",
        "whole slides of TCGA, many cancers",
        "Kaiko's own licence",
        True,
        False,
        87,
        0,
        SAFETENSORS,
        AS_TOLD,
        "1aurent/vit_small_patch16_224.kaiko_ai_towards_large_pathology_fms",
        (
            f"{HUB}/1aurent/vit_small_patch16_224.kaiko_ai_towards_large_pathology_fms",
            "https://github.com/kaiko-ai/towards_large_pathology_fms",
            "https://arxiv.org/abs/2404.15217",
        ),
    ),
    EncoderRecord(
        "uni",
        "UNI ViT-L/16",
        "100 million tiles of 100,000 slides, 20 tissues",
        "CC BY-NC-ND 4.0",
        True,
        True,
        0,
        0,
        PICKLE,
        AS_TOLD,
        "MahmoodLab/UNI",
        (f"{HUB}/MahmoodLab/UNI", "https://github.com/mahmoodlab/UNI"),
        {"init_values": 1e-5},
    ),
    EncoderRecord(
        "uni2",
        "UNI2-h",
        "more than 200 million tiles of 350,000 slides, H&E and immunohistochemistry",
        "CC BY-NC-ND 4.0",
        True,
        True,
        0,
        0,
        PICKLE,
        AS_TOLD,
        "MahmoodLab/UNI2-h",
        (f"{HUB}/MahmoodLab/UNI2-h", "https://github.com/mahmoodlab/UNI"),
        {
            "img_size": 224,
            "patch_size": 14,
            "depth": 24,
            "num_heads": 24,
            "init_values": 1e-5,
            "embed_dim": 1536,
            "mlp_ratio": 2.66667 * 2,
            "no_embed_class": True,
            "reg_tokens": 8,
            **SWIGLU,
        },
    ),
    EncoderRecord(
        "virchow2",
        "Virchow2 ViT-H/14",
        "3.1 million slides, four magnifications",
        "CC BY-NC-ND 4.0",
        True,
        True,
        0,
        632,
        SAFETENSORS,
        AS_TOLD,
        "paige-ai/Virchow2",
        (f"{HUB}/paige-ai/Virchow2", "https://arxiv.org/abs/2408.00738"),
        SWIGLU,
    ),
    EncoderRecord(
        "h-optimus-0",
        "H-optimus-0 ViT-g/14",
        "more than 500,000 slides of a private collection",
        "Apache-2.0",
        False,
        False,
        4540,
        1100,
        PICKLE,
        "224 x 224, its own means and deviations",
        "bioptimus/H-optimus-0",
        (f"{HUB}/bioptimus/H-optimus-0",),
        {"init_values": 1e-5, "img_size": 224},
    ),
    EncoderRecord(
        "h0-mini",
        "H0-mini ViT-B/14",
        "a smaller network that learned from H-optimus-0",
        "CC BY-NC-ND 4.0",
        True,
        True,
        0,
        86,
        SAFETENSORS,
        AS_TOLD,
        "bioptimus/H0-mini",
        (f"{HUB}/bioptimus/H0-mini", "https://arxiv.org/abs/2501.16239"),
        SWIGLU,
    ),
)

ENCODER_TABLE: dict[str, EncoderRecord] = {record.name: record for record in _RECORDS}
