"""Pixels at working size: decoded once, kept on disk, mapped into memory."""

import contextlib
import hashlib
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from lymph import workspace
from lymph.data.depth import image_of, white_of
from lymph.data.stamps import cache_folder, stamp_of
from lymph.errors import PictureError
from lymph.parallel import Progress, map_in_threads

Size = tuple[int, int]
Rows = dict[tuple[str, int, int], np.ndarray]


def shrink(pixels: np.ndarray, size: Size, grey: bool) -> np.ndarray:
    """Bring an RGB picture to working size; training and classification share this function.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    size : (height, width)
        In pixels; the whole picture is kept, its sides may shrink by different factors.
    grey : bool
        Whether to return one channel (ITU-R 601 luma) instead of three.

    Returns
    -------
    ndarray of uint8, shape (height, width) or (height, width, 3)
    """
    return _shrink_image(Image.fromarray(pixels), size, grey)


def _shrink_image(picture: Image.Image, size: Size, grey: bool) -> np.ndarray:
    if grey:
        picture = picture.convert("L")
    height, width = size
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _earlier_rows(folder: Path, purpose: str) -> Rows:
    """Return the rows of the earlier caches of the same purpose, by picture and stamp."""
    rows: Rows = {}
    for index_file in folder.glob(f"{purpose}-*.json"):
        try:
            entries = workspace.read_json(index_file)
            pixels = np.load(index_file.with_suffix(".npy"), mmap_mode="r")
        except (OSError, ValueError):
            continue
        rows |= {(name, *stamp): pixels[row] for row, (name, stamp) in enumerate(entries)}
    return rows


def _fill(
    target: np.ndarray,
    root: Path,
    entries: list,
    earlier: Rows,
    grey: bool,
    white: int,
    progress: Progress,
) -> None:
    """Copy rows of unchanged files from the earlier caches and read the others."""
    to_read = []
    for row, (picture, stamp) in enumerate(entries):
        known = earlier.get((picture, *stamp))
        if known is None:
            to_read.append(row)
        else:
            target[row] = known

    def read(row: int) -> np.ndarray:
        picture = entries[row][0]
        try:
            return _shrink_image(image_of(root, picture, white), target.shape[1:3], grey)
        except PictureError as error:
            raise PictureError(f"{picture}: {error}") from error

    for row, small in zip(to_read, map_in_threads(read, to_read, progress), strict=True):
        target[row] = small


def _remove_others(root: Path, folder: Path, purpose: str, keep: str) -> None:
    """Delete the caches whose pictures have changed or stand in a cache that is kept."""
    stems = {path.stem for path in folder.glob(f"{purpose}-*")}
    by_length = sorted(stems - {keep}, key=lambda stem: -stamp_of(folder / f"{stem}.npy")[1])
    held: set[str] = set()
    for stem in (keep, *by_length):
        try:
            entries = workspace.read_json(folder / f"{stem}.json")
        except (OSError, ValueError):
            entries = []
        others = [(name, stamp) for name, stamp in entries if name not in held]
        new = {name for name, stamp in others if stamp == list(stamp_of(root / name))}
        held |= new
        if stem != keep and not new:
            _remove(folder / f"{stem}.npy")
            _remove(folder / f"{stem}.json")


def _remove_other_whites(folder: Path, size_and_colour: str, keep: str) -> None:
    """Delete the caches of the same purpose that were scaled by another white."""
    for path in folder.glob(f"pixels-*{size_and_colour}-*"):
        purpose = re.fullmatch(rf"(pixels-(?:w\d+-)?{size_and_colour})-[0-9a-f]+", path.stem)
        if purpose and purpose[1] != keep:
            _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows keeps a file that another process has mapped.
        path.unlink()


def load_pixels(
    root: Path | str,
    pictures: list[str],
    size: Size,
    grey: bool,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the pixels of pictures at working size, from the cache where nothing has changed.

    A cache's name tells the pictures, their times and lengths, and the white of deep pictures
    (``lymph.data.depth``), so that a changed file is read anew and a cache that another process has
    open is never written to.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : list of str
        Paths below the root; row i of the result is ``pictures[i]``.
    size : (height, width)
        In pixels.
    grey : bool
        One channel or three.

    Returns
    -------
    read-only memmap of uint8, shape (N, height, width) or (N, height, width, 3)

    Raises
    ------
    PictureError
        When a picture cannot be read; scan the folder first to have it listed and left out.
    DiskError
        When the disk has no room for the pixels.
    """
    root = Path(root)
    folder = cache_folder(root)
    white = white_of(root)
    kind = f"{size[0]}x{size[1]}-{'grey' if grey else 'rgb'}"
    purpose = f"pixels-w{white}-{kind}" if white else f"pixels-{kind}"
    entries = [[picture, list(stamp_of(root / picture))] for picture in pictures]
    digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]
    file = folder / f"{purpose}-{digest}.npy"
    if not file.exists():
        shape = (len(pictures), *size) if grey else (len(pictures), *size, 3)
        earlier = _earlier_rows(folder, purpose)

        def write(temporary: Path) -> None:
            target = np.lib.format.open_memmap(temporary, "w+", np.uint8, shape)
            workspace.reserve(temporary)
            tell = progress or (lambda done, total: None)
            _fill(target, root, entries, earlier, grey, white, tell)
            target.flush()

        workspace.write_atomically(file, write)
        workspace.write_text(file.with_suffix(".json"), json.dumps(entries))
        _remove_others(root, folder, purpose, file.stem)
        _remove_other_whites(folder, kind, purpose)
    return np.load(file, mmap_mode="r")
