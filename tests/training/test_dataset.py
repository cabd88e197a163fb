"""Batches: the order that a seed draws, and memory that does not grow with the pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lymph.models.augmentations import AUGMENTATIONS
from lymph.models.specs import MODELS
from lymph.training.dataset import Batches
from lymph.training.processes import Processes

PROC = Path("/proc/self/status")


def batches(count: int = 30, pixels: np.ndarray | None = None, **changes: object) -> Batches:
    """Return batches of grey pictures whose label is their number."""
    if pixels is None:
        pixels = np.random.default_rng(0).integers(0, 255, (count, 128, 128)).astype(np.uint8)
    rows, labels = np.arange(count), np.arange(count)
    options = {"training": True, "augmentation": tuple(AUGMENTATIONS), **changes}
    return Batches(pixels, rows, labels, MODELS["cnn"], 16, **options)


def everything(given: Batches) -> tuple[torch.Tensor, list[int]]:
    """Return all pictures and labels of a pass."""
    pictures, labels = zip(*given, strict=True)
    return torch.cat(pictures), torch.cat(labels).tolist()


def test_an_epoch_depends_on_seed_and_number_alone() -> None:
    """Not on what was drawn before: a run that was resumed sees what it would have seen."""
    given = batches(seed=3)
    first, order = everything(given.of_epoch(2))
    torch.manual_seed(99)
    again, same_order = everything(given.of_epoch(2))
    assert torch.equal(first, again)
    assert order == same_order
    assert sorted(order) == list(range(30))
    assert everything(given.of_epoch(3))[1] != order
    assert everything(batches(seed=4).of_epoch(2))[1] != order


def test_the_parts_of_two_processes_are_the_batches_of_one() -> None:
    """Also the variations are the same, picture by picture."""
    pictures, labels = everything(batches())
    parts = [everything(batches(processes=Processes(rank, 2))) for rank in range(2)]
    known = dict(zip(labels, pictures, strict=True))
    for part, numbers in parts:
        for picture, number in zip(part, numbers, strict=True):
            assert torch.equal(picture, known[number])
    assert sorted(parts[0][1] + parts[1][1]) == sorted(labels)


@pytest.mark.skipif(not PROC.exists(), reason="private memory is read from Linux's /proc")
def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    """A pass over 200 MB of mapped pixels takes a few of them at a time: less than 20 MB more."""

    def private_kilobytes() -> int:
        (line,) = [line for line in PROC.read_text().splitlines() if line.startswith("RssAnon")]
        return int(line.split()[1])

    count = 12_000
    file = tmp_path / "pixels.npy"
    np.lib.format.open_memmap(file, "w+", np.uint8, (count, 128, 128))
    pixels = np.load(file, mmap_mode="r")
    list(zip(range(3), batches(count, pixels), strict=False))
    before = private_kilobytes()
    seen = sum(len(labels) for _, labels in batches(count, pixels, augmentation=("flips",)))
    assert seen == count
    assert private_kilobytes() - before < 20_000
