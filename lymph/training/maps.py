"""What the frozen part of ResNet-50 makes of the pictures, kept for every epoch and fold."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lymph import workspace
from lymph.data.stamps import cache_folder
from lymph.models.encoded import values_digest
from lymph.models.last_block import LastBlock, ProbedResNet50, ReadyMaps
from lymph.models.tiles import Tiled, TiledFeatures
from lymph.training.loop import Rows
from lymph.training.run_data import Check, Material

# Of more pictures than fit into so much it is made anew whenever it is needed.
MOST_BYTES = 8 << 30


def ready_maps(material: Material, check: Check) -> ReadyMaps | Tiled[ReadyMaps] | None:
    """Return what the frozen part makes of all pictures of a run; None where they are too many.

    It is the same for every run from these values, every fold and every resumption: it is kept with
    the pixels, so that nobody makes it twice.
    """
    shape = _shape_of(material)
    size = 2 * math.prod(shape)
    if size > MOST_BYTES:
        return None
    found, maps = _files(material)
    if material.processes.is_main and not (found.exists() and maps.exists()):
        workspace.need_room(maps.parent, size)
        _make(material, shape, (found, maps), check)
    material.processes.broadcast(None)  # The others look when it is there.
    # Copied where it is written to, which nobody does: torch has no tensors that are read-only.
    kept = np.load(maps, mmap_mode="c")
    features = torch.from_numpy(np.load(found))
    ready = ReadyMaps(features, torch.from_numpy(kept), torch.arange(len(features)))
    return material.data.in_tiles(ready, np.arange(len(material.data.pixels)))


def probed(material: Material) -> ProbedResNet50:
    """Return the model of a run whose last block learns."""
    assert isinstance(material.model, ProbedResNet50)
    return material.model


def last_block_features(
    material: Material, ready: ReadyMaps | Tiled[ReadyMaps], check: Check
) -> Tensor | TiledFeatures:
    """Return the features, float32 N x D, of pictures by the last block as it stands."""
    if isinstance(ready, Tiled):
        return Tiled(_last_block_rows(material, ready.values, check), ready.counts)
    return _last_block_rows(material, ready, check)


def _last_block_rows(material: Material, ready: ReadyMaps, check: Check) -> Tensor:
    tail, rows = LastBlock(probed(material)), Rows()
    material.model.eval()
    with torch.no_grad():
        for start in range(0, len(ready), material.config.batch_size):
            check()
            part = np.arange(start, min(start + material.config.batch_size, len(ready)))
            rows.add(tail.features(ready[part].to(material.device)).cpu())
    return rows.whole()


def _files(material: Material) -> tuple[Path, Path]:
    """Return where features and maps are kept, for these very values and pixels."""
    name = f"{values_digest(probed(material).staged.frozen_part())}-{material.data.stem}.npy"
    folder = cache_folder(Path(material.config.data))
    return folder / f"found-{name}", folder / f"maps-{name}"


@torch.no_grad()
def _shape_of(material: Material) -> tuple[int, ...]:
    """Return the shape of all maps together, N x h x w x C, or T of so many tiles."""
    nothing = torch.zeros(1, 3, *material.config.spec.size, device=material.device)
    material.model.eval()
    _, maps = probed(material).staged.stem(nothing)
    return (len(material.data.mapped), *maps.shape[1:])


@torch.no_grad()
def _make(
    material: Material, shape: tuple[int, ...], places: tuple[Path, Path], check: Check
) -> None:
    """Run every picture through the frozen part and keep what comes out."""
    material.model.eval()
    stem, found = probed(material).staged.stem, Rows()
    # All pictures in the order of the table, whoever else trains.
    batches = replace(material.batches("train"), rows=np.arange(len(material.data.pixels)))

    def write(temporary: Path) -> None:
        done = pictures_done = 0
        maps = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
        for pictures, labels in batches:
            given = pictures.values if isinstance(pictures, Tiled) else pictures
            for rows in given.split(batches.batch_size):
                check()
                features, part = stem(rows)
                found.add(features.cpu())
                maps[done : done + len(rows)] = part.cpu().numpy()
                done += len(rows)
            pictures_done += len(labels)
            if material.progress:
                material.progress(pictures_done, len(batches.rows))
        maps.flush()

    workspace.write_atomically(places[1], write)
    keep_features(places[0], found.whole())


def keep_features(file: Path, features: Tensor) -> None:
    """Keep features, float32 N x D."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as opened:
            np.save(opened, features.numpy())

    workspace.write_atomically(file, write)
