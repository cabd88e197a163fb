"""What a frozen backbone makes of the pictures, computed once."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lymph.data.stamps import cache_folder
from lymph.models.encoded import Encoded, encode, values_digest
from lymph.models.last_block import LastBlock
from lymph.models.tiles import Tiled, TiledFeatures
from lymph.training.dataset import Batches, FeatureBatches, MapBatches
from lymph.training.loop import Rows, autocast
from lymph.training.maps import keep_features, last_block_features, probed, ready_maps
from lymph.training.older import LINEAR_PROBE
from lymph.training.phases import Phase
from lymph.training.run_data import Check, Material

log = logging.getLogger("lymph")

# What a phase trains or validates on.
Supply = Batches | FeatureBatches | MapBatches


@torch.no_grad()
def features_of(
    material: Material,
    batches: Batches,
    make: Callable[[Tensor | TiledFeatures], Tensor | TiledFeatures],
    check: Check,
) -> Tensor:
    """Return what is made of each picture, float32, N x D, or of each tile, T x D."""
    material.model.eval()
    made, done = Rows(), 0
    for pictures, _ in batches:
        check()
        with autocast(material.precision.bfloat16, material.device.type):
            found = make(pictures)
        made.add((found.values if isinstance(found, Tiled) else found).float())
        done += len(pictures)
        if material.progress:
            material.progress(done, len(batches.rows))
    return made.whole()


def backbone_features(material: Material, batches: Batches, check: Check) -> Tensor | TiledFeatures:
    """Return the backbone's features, float32, of the pictures that all processes share."""
    own = features_of(material, batches, material.model.encode, check)
    return material.processes.gather(material.data.in_tiles(own, batches.rows))


def first_features(material: Material, check: Check) -> Tensor | TiledFeatures:
    """Return the features of all pictures from a backbone that nothing has trained yet.

    They are the same for every run from these values, every fold and every resumption: they are
    kept with the pixels. What an encoder makes is kept by content.
    """
    if material.config.spec.frozen:
        return encoded(material, check).ready()
    data, processes = material.data, material.processes
    every = np.arange(len(data.pixels))
    bfloat16 = material.precision.bfloat16
    file = feature_file(material.config.data, data.stem, material.model.backbone, bfloat16)
    kept = processes.broadcast(read_features(file, len(data.mapped)))
    if kept is not None:
        return data.in_tiles(kept, every)
    ready = ready_maps(material, check) if material.config.tunes_last_block else None
    if ready is not None:
        made = last_block_features(material, ready, check)
    else:
        rows = every[processes.rank :: processes.world_size]
        made = backbone_features(material, replace(material.batches("train"), rows=rows), check)
    if processes.is_main:
        keep_features(file, made.values if isinstance(made, Tiled) else made)
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
) -> tuple[nn.Module, Supply, Supply]:
    """Return what a phase trains, with its batches to train on and to validate on.

    A frozen backbone runs once for the whole phase; ``first`` tells that nothing trained it before.
    So does what comes before the last block, where that learns, unless there are too many pictures.
    """
    ready = ready_maps(material, check) if phase.name == "last_block" else None
    if ready is not None:
        train = material.map_batches(ready, "train", training=True)
        return LastBlock(probed(material)), train, material.map_batches(ready, "val")
    if phase.name != LINEAR_PROBE:
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


def feature_file(root: str, seen: str, backbone: nn.Module, bfloat16: bool) -> Path:
    """Return where the features of all pictures of a data root are kept, for these very values.

    The name tells the backbone's values, the number format and what is ``seen``, the name of the
    file of pixels, so that nothing that has changed is taken for what it was.
    """
    kind = "bfloat16" if bfloat16 else "float32"
    return cache_folder(Path(root)) / f"features-{values_digest(backbone)}-{kind}-{seen}.npy"


def read_features(file: Path, count: int) -> Tensor | None:
    """Return kept features, float32 N x D, or None where there are not so many."""
    try:
        kept = np.load(file)
    except (OSError, ValueError):
        return None
    return torch.from_numpy(kept) if len(kept) == count else None
