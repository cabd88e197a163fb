"""Pixels at working size: decoded once, kept on disk, mapped into memory."""

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lymph import workspace
from lymph.data.depth import image_of, white_of
from lymph.data.stamps import Stamp, cache_folder, stamp_of
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


class Kind(NamedTuple):
    """What is kept of each picture.

    Attributes
    ----------
    family, name : str
        ``pixels`` or ``tiles``, and which of them: size and colours.
    shape : tuple of int
        Of a row, uint8.
    make : callable
        Makes the rows, uint8 n x shape, of an RGB picture.
    """

    family: str
    name: str
    shape: tuple[int, ...]
    make: Callable[[Image.Image], np.ndarray]


class Kept(NamedTuple):
    """What a cache holds: rows, uint8 T x shape, and of each picture name, stamp and its rows."""

    rows: np.ndarray
    entries: list[tuple[str, Stamp, int]]

    def parts(self) -> Iterator[tuple[str, Stamp, np.ndarray]]:
        """Yield each picture's name, stamp and rows."""
        start = 0
        for name, stamp, count in self.entries:
            yield name, stamp, self.rows[start : start + count]
            start += count


def _kept(index_file: Path) -> Kept | None:
    """Return what a cache holds; None where it is missing or damaged."""
    entries = _entries(index_file)
    try:
        rows = np.load(index_file.with_suffix(".npy"), mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return Kept(rows, entries) if sum(count for _, _, count in entries) == len(rows) else None


def _entries(index_file: Path) -> list[tuple[str, Stamp, int]]:
    """Return of each picture of a cache name, stamp and count of rows; none where it is damaged."""
    try:
        # One row each, where an earlier version named none.
        found = [(name, stamp, *(rows or [1])) for name, stamp, *rows in _read_list(index_file)]
        return [(str(name), (int(a), int(b)), int(count)) for name, (a, b), count in found]
    except (OSError, ValueError, TypeError):
        return []


def _read_list(file: Path) -> list:
    return list(workspace.read_json(file))


def _earlier_rows(folder: Path, purpose: str) -> Rows:
    """Return the rows of the earlier caches of the same purpose, by picture and stamp."""
    rows: Rows = {}
    for index_file in folder.glob(f"{purpose}-*.json"):
        if (kept := _kept(index_file)) is not None:
            rows |= {(name, *stamp): part for name, stamp, part in kept.parts()}
    return rows


def _fill(
    target: np.ndarray,
    root: Path,
    stamped: list[tuple[str, Stamp]],
    earlier: Rows,
    make: Callable[[Image.Image], np.ndarray],
    progress: Progress,
) -> list[int]:
    """Copy rows of unchanged files from the earlier caches and read the others; count each's."""
    white = white_of(root)
    known = [earlier.get((picture, *stamp)) for picture, stamp in stamped]
    to_read = [picture for (picture, _), rows in zip(stamped, known, strict=True) if rows is None]

    def read(picture: str) -> np.ndarray:
        try:
            return make(image_of(root, picture, white))
        except PictureError as error:
            raise PictureError(f"{picture}: {error}") from error

    fresh = map_in_threads(read, to_read, progress)
    counts, end = [], 0
    for (picture, _), rows in zip(stamped, known, strict=True):
        made = next(fresh) if rows is None else rows
        start, end = end, end + len(made)
        if end > len(target):
            raise PictureError(f"{picture}: it has changed since the folder was scanned; try again")
        target[start:end] = made
        counts.append(len(made))
    return counts


def _shorten(file: Path, rows: np.ndarray, count: int) -> None:
    """Cut a file of mapped rows off after the first ones; its header has room for any number."""
    document = {"descr": "|u1", "fortran_order": False, "shape": (count, *rows.shape[1:])}
    with file.open("r+b") as opened:
        np.lib.format.write_array_header_1_0(opened, document)
        opened.truncate(opened.tell() + count * math.prod(rows.shape[1:]))


def _remove_others(root: Path, folder: Path, purpose: str, keep: str) -> None:
    """Delete the caches whose pictures have changed or stand in a cache that is kept."""
    stems = {path.stem for path in folder.glob(f"{purpose}-*")}
    by_length = sorted(stems - {keep}, key=lambda stem: -stamp_of(folder / f"{stem}.npy")[1])
    held: set[str] = set()
    for stem in (keep, *by_length):
        entries = _entries(folder / f"{stem}.json")
        others = [(name, stamp) for name, stamp, _ in entries if name not in held]
        new = {name for name, stamp in others if stamp == stamp_of(root / name)}
        held |= new
        if stem != keep and not new:
            _remove(folder / f"{stem}.npy")
            _remove(folder / f"{stem}.json")


def _remove_other_whites(folder: Path, kind: Kind, keep: str) -> None:
    """Delete the caches of the same purpose that were scaled by another white."""
    family, name = re.escape(kind.family), re.escape(kind.name)
    for path in folder.glob(f"{kind.family}-*{kind.name}-*"):
        purpose = re.fullmatch(rf"({family}-(?:w\d+-)?{name})-[0-9a-f]+", path.stem)
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
    PictureError, DiskError
        As :func:`load_rows`.
    """
    colours = "grey" if grey else "rgb"
    shape = size if grey else (*size, 3)
    name = f"{size[0]}x{size[1]}-{colours}"
    kind = Kind("pixels", name, shape, lambda image: _shrink_image(image, size, grey)[None])
    return load_rows(root, pictures, kind, len(pictures), progress).rows


def load_rows(
    root: Path | str,
    pictures: list[str],
    kind: Kind,
    most: int,
    progress: Progress | None = None,
) -> Kept:
    """Return what is made of pictures, from the cache where nothing has changed.

    A cache's name tells the pictures, their times and lengths, and the white of deep pictures
    (``lymph.data.depth``), so that a changed file is read anew and a cache that another process has
    open is never written to.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : list of str
        Paths below the root, in the order in which their rows follow each other.
    kind : Kind
    most : int
        How many rows there are at most.
    progress : callable, optional
        Called with the pictures read and the pictures to read.

    Returns
    -------
    Kept
        Its rows are a memmap that can only be read.

    Raises
    ------
    PictureError
        When a picture cannot be read; scan the folder first to have it listed and left out.
    DiskError
        When the disk has no room for the rows.
    """
    root = Path(root)
    folder = cache_folder(root)
    white = white_of(root)
    purpose = f"{kind.family}-w{white}-{kind.name}" if white else f"{kind.family}-{kind.name}"
    stamped = [(picture, stamp_of(root / picture)) for picture in pictures]
    digest = hashlib.sha256(json.dumps(stamped).encode()).hexdigest()[:16]
    file = folder / f"{purpose}-{digest}.npy"
    if (kept := _kept(file.with_suffix(".json"))) is not None:
        return kept
    earlier = _earlier_rows(folder, purpose)

    def write(temporary: Path) -> None:
        target = np.lib.format.open_memmap(temporary, "w+", np.uint8, (most, *kind.shape))
        workspace.reserve(temporary)
        tell = progress or (lambda done, total: None)
        counts = _fill(target, root, stamped, earlier, kind.make, tell)
        target.flush()
        if sum(counts) < most:
            _shorten(temporary, target, sum(counts))
        # The list comes first: without it nobody knows whose the rows are.
        entries = [[*one, count] for one, count in zip(stamped, counts, strict=True)]
        workspace.write_text(file.with_suffix(".json"), json.dumps(entries))

    workspace.write_atomically(file, write)
    _remove_others(root, folder, purpose, file.stem)
    _remove_other_whites(folder, kind, purpose)
    written = _kept(file.with_suffix(".json"))
    assert written is not None
    return written
