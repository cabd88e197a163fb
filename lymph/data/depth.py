"""How deep the pictures of a set are: the raw value that is shown as white, judged over the set.

A camera of 10, 12 or 14 bits writes files of 16, and one dark picture does not tell which it was. A
scan that decodes keeps the set's white in its cache folder; whoever reads a picture of a set comes
through :func:`read_of` or :func:`image_of`, so that all of them are scaled alike.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lymph import workspace
from lymph.data.read import read_image, read_picture
from lymph.data.stamps import Stamp, cache_folder, stamp_of
from lymph.data.values import white_for
from lymph.synthetic import place_of


class Depth(NamedTuple):
    """A set's white, 0 where no picture is deep, and how many of its pictures are deep."""

    white: int = 0
    deep: int = 0
    pictures: int = 0


NONE = Depth()
_known: dict[Path, tuple[Stamp, Depth]] = {}


def _file(root: Path) -> Path:
    return cache_folder(root) / "depth.json"


def store_depth(root: Path, tops: Iterable[int]) -> None:
    """Keep a set's white; nothing is written of a set that never had a deep picture.

    Parameters
    ----------
    root : Path
        Data root.
    tops : iterable of int
        The largest raw value of every sound picture, 0 of those that are not of 16-bit integers.
    """
    largest = np.fromiter(tops, np.int64)
    deep = int((largest > 0).sum())
    white = white_for(int(largest.max())) if deep else 0
    found = Depth(white, deep, len(largest)) if deep else NONE
    if found != depth_of(root):
        workspace.write_json(_file(root), found._asdict())


def depth_of(root: Path | str) -> Depth:
    """Return what the last scan that decoded found; zeros where it found no deep picture."""
    file = _file(Path(root))
    stamp = stamp_of(file)
    if stamp == (0, 0):
        return NONE
    stored = _known.get(file)
    if stored is None or stored[0] != stamp:
        try:
            document = workspace.read_json(file)
            depth = Depth(*(int(document[name]) for name in Depth._fields))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            OverflowError,
        ):  # a cache may be deleted or damaged
            depth = NONE
        stored = _known[file] = (stamp, depth)
    return stored[1]


def white_of(root: Path | str) -> int:
    """Return the raw value that is white in a set's pictures of 16-bit integers.

    It is 0 where the set has none, or where no scan has decoded them yet: then each is judged by
    itself. It costs a look at one file's time of change.
    """
    return depth_of(root).white


def read_of(root: Path | str, picture: str, white: int | None = None) -> np.ndarray:
    """Read a picture of a set as 8-bit RGB, uint8, H x W x 3.

    Parameters
    ----------
    root : Path
        Data root.
    picture : str
        Path below the root.
    white : int, optional
        In place of the set's own.

    Raises
    ------
    PictureError
        As :func:`lymph.data.read.read_with_notes`, and when it is still being drawn.
    """
    return read_picture(place_of(Path(root), picture), white_of(root) if white is None else white)


def image_of(root: Path | str, picture: str, white: int | None = None) -> Image.Image:
    """Read a picture of a set as :func:`read_of`, for Pillow.

    Raises
    ------
    PictureError
        As :func:`read_of`.
    """
    return read_image(place_of(Path(root), picture), white_of(root) if white is None else white)


def depth_sentence(root: Path | str) -> str:
    """Say how the 16-bit pictures of a set are shown; empty where it has none."""
    white, deep, pictures = depth_of(root)
    if not white:
        return ""
    bits = white.bit_length()
    kept = "16 bits" if bits == 16 else f"{bits} bits in 16-bit files"
    if deep == pictures:
        return f"The pictures hold {kept}; {white:,} is shown as white."
    verb = "holds" if deep == 1 else "hold"
    return (
        f"{deep:,} of {pictures:,} pictures {verb} {kept}, of which {white:,} is shown as white;"
        " the others hold 8 bits."
    )
