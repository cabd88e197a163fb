"""What a frozen backbone makes of the pictures, computed once."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lymph import workspace
from lymph.data.stamps import cache_folder
from lymph.models.encoded import Encoded, encode, values_digest
from lymph.models.specs import MODELS
from lymph.models.tiles import TiledFeatures
from lymph.training.dataset import Batches, FeatureBatches
from lymph.training.loop import Rows, autocast
from lymph.training.older import FINETUNE
from lymph.training.phases import Phase
from lymph.training.run_data import Material

log = logging.getLogger("lymph")

# Called before each batch; it may raise to end.
Check = Callable[[], None]


@torch.no_grad()
def features_of(
    material: Material, batches: Batches, make: Callable[[Tensor], Tensor], check: Check
) -> Tensor:
    """Return what is made of each picture, float32, N x D."""
    material.model.eval()
    made, done = Rows(), 0
    for pictures, _ in batches:
        check()
        with autocast(material.precision.bfloat16, material.device.type):
            made.add(make(pictures).float())
        done += len(pictures)
        if material.progress:
            material.progress(done, len(batches.rows))
    return made.whole()


def backbone_features(material: Material, batches: Batches, check: Check) -> Tensor:
    """Return the backbone's features, float32, of the pictures that all processes share."""
    own = features_of(material, batches, material.model.backbone, check)
    return material.processes.gather(own)


def first_features(material: Material, check: Check) -> Tensor | TiledFeatures:
    """Return the features of all pictures from a backbone that nothing has trained yet.

    They are the same for every run from these values, every fold and every resumption: they are
    kept with the pixels. What an encoder makes is kept by content.
    """
    if MODELS[material.config.model].frozen:
        return encoded(material, check).ready()
    pixels, processes = material.data.pixels, material.processes
    bfloat16 = material.precision.bfloat16
    file = feature_file(material.config.data, pixels, material.model.backbone, bfloat16)
    kept = processes.broadcast(read_features(file, len(pixels)))
    if kept is not None:
        return kept
    rows = np.arange(len(pixels))[processes.rank :: processes.world_size]
    made = backbone_features(material, replace(material.batches("train"), rows=rows), check)
    if processes.is_main:
        keep_features(file, made)
    return made


def encoded(material: Material, check: Check) -> Encoded:
    """Return what a run's encoder makes of all its pictures; ``progress`` follows it once."""
    data, spec = material.data, material.config.spec
    if data.encoded is None:
        made = None
        if material.processes.is_main:
            pictures, encoder = list(data.table["picture"]), material.model.backbone
            told = material.progress
            made = encode(material.config.data, pictures, encoder, spec, told, check)
        data.encoded = material.processes.broadcast(made)
    return data.encoded


def what_learns(
    material: Material, phase: Phase, first: bool, check: Check
) -> tuple[nn.Module, Batches | FeatureBatches, Batches | FeatureBatches]:
    """Return what a phase trains, with its batches to train on and to validate on.

    A frozen backbone runs once for the whole phase; ``first`` tells that nothing trained it before.
    """
    if phase.name == FINETUNE:
        wrapped = material.processes.wrap(material.model)
        return wrapped, material.batches("train", training=True), material.batches("val")
    log.info("The backbone is frozen: its features are computed once for this phase.")
    if first:
        every = first_features(material, check)
        train, val = (every[material.data.rows(name)] for name in ("train", "val"))
    else:
        train, val = (
            backbone_features(material, material.batches(name), check) for name in ("train", "val")
        )
    return (
        material.model.head,
        material.feature_batches(train, "train", training=True),
        material.feature_batches(val, "val"),
    )


def feature_file(root: str, pixels: np.ndarray, backbone: nn.Module, bfloat16: bool) -> Path:
    """Return where the features of all pictures of a data root are kept, for these very values.

    The name tells the backbone's values, the number format and the pixels, so that nothing that
    has changed is taken for what it was.
    """
    seen = Path(getattr(pixels, "filename", "pixels")).stem
    kind = "bfloat16" if bfloat16 else "float32"
    return cache_folder(Path(root)) / f"features-{values_digest(backbone)}-{kind}-{seen}.npy"


def read_features(file: Path, count: int) -> Tensor | None:
    """Return kept features, float32 N x D, or None where there are none for all pictures."""
    try:
        kept = np.load(file)
    except (OSError, ValueError):
        return None
    return torch.from_numpy(kept) if len(kept) == count else None


def keep_features(file: Path, features: Tensor) -> None:
    """Keep features, float32 N x D."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as opened:
            np.save(opened, features.numpy())

    workspace.write_atomically(file, write)
