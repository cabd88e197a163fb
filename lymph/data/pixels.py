"""Pixels at working size: decoded once, kept on disk, mapped into memory."""

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from lymph import workspace
from lymph.data.parallel import Progress, map_in_threads
from lymph.data.read import read_picture
from lymph.data.stamps import cache_folder, stamp_of
from lymph.errors import PictureError

Size = tuple[int, int]


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
    picture = Image.fromarray(pixels)
    if grey:
        picture = picture.convert("L")
    height, width = size
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _earlier_rows(folder: Path, purpose: str) -> tuple[dict[str, list], np.ndarray | None]:
    """Return the newest earlier cache of the same purpose: its index and its pixels."""
    indices = sorted(folder.glob(f"{purpose}-*.json"), key=lambda path: path.stat().st_mtime_ns)
    for index_file in reversed(indices):
        try:
            entries = workspace.read_json(index_file)
            pixels = np.load(index_file.with_suffix(".npy"), mmap_mode="r")
        except (OSError, ValueError):
            continue
        rows = {picture: [row, stamp] for row, (picture, stamp) in enumerate(entries)}
        return rows, pixels
    return {}, None


def _fill(
    target: np.ndarray, root: Path, entries: list, earlier: tuple, grey: bool, progress: Progress
) -> None:
    """Copy rows of unchanged files from the earlier cache and read the others."""
    rows, pixels = earlier
    to_read = []
    for row, (picture, stamp) in enumerate(entries):
        known = rows.get(picture)
        if known and known[1] == stamp:
            target[row] = pixels[known[0]]
        else:
            to_read.append(row)

    def read(row: int) -> np.ndarray:
        picture = entries[row][0]
        try:
            return shrink(read_picture(root / picture), target.shape[1:3], grey)
        except PictureError as error:
            raise PictureError(f"{picture}: {error}") from error

    for row, small in zip(to_read, map_in_threads(read, to_read, progress), strict=True):
        target[row] = small


def _remove_others(folder: Path, purpose: str, keep: str) -> None:
    for path in folder.glob(f"{purpose}-*"):
        if path.stem != keep:
            try:
                path.unlink()
            except OSError:  # Windows keeps a file that another process has mapped.
                continue


def load_pixels(
    root: Path | str,
    pictures: list[str],
    size: Size,
    grey: bool,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the pixels of pictures at working size, from the cache where nothing has changed.

    A cache's name tells the pictures, their times and lengths, so that a changed file is read anew
    and a cache that another process has open is never written to.

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
    """
    root = Path(root)
    folder = cache_folder(root)
    purpose = f"pixels-{size[0]}x{size[1]}-{'grey' if grey else 'rgb'}"
    entries = [[picture, list(stamp_of(root / picture))] for picture in pictures]
    digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]
    file = folder / f"{purpose}-{digest}.npy"
    if not file.exists():
        shape = (len(pictures), *size) if grey else (len(pictures), *size, 3)
        earlier = _earlier_rows(folder, purpose)

        def write(temporary: Path) -> None:
            target = np.lib.format.open_memmap(temporary, "w+", np.uint8, shape)
            _fill(target, root, entries, earlier, grey, progress or (lambda done, total: None))
            target.flush()

        workspace.write_atomically(file, write)
        workspace.write_text(file.with_suffix(".json"), json.dumps(entries))
        _remove_others(folder, purpose, file.stem)
    return np.load(file, mmap_mode="r")
