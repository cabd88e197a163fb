"""Small JPEG copies of the pictures for galleries: made once, served small."""

import hashlib
import json
from pathlib import Path

from PIL import Image

from lymph import workspace
from lymph.data.depth import read_of, white_of
from lymph.data.stamps import cache_folder, stamp_of
from lymph.errors import PictureError
from lymph.parallel import Progress, map_in_threads
from lymph.synthetic import place_of


def _file_name(root: Path, picture: str, white: int) -> str:
    """Name the thumbnail after the picture's path and stamp: a changed file gets a new one.

    A set of deep pictures gets new ones when another value becomes white.
    """
    stamp = stamp_of(place_of(root, picture))
    key = json.dumps([picture, stamp, *([white] if white else [])])
    return f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.jpg"


def _make(root: Path, picture: str, height: int, white: int, file: Path) -> None:
    try:
        full = Image.fromarray(read_of(root, picture, white))
    except PictureError as error:
        raise PictureError(f"{picture}: {error}") from error
    width = max(1, min(4 * height, round(full.width * height / full.height)))
    small = full.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    workspace.write_atomically(file, lambda path: small.save(path, "JPEG", quality=88))


def thumbnail_paths(
    root: Path | str, pictures: list[str], height: int = 96, progress: Progress | None = None
) -> list[Path]:
    """Return the thumbnail file of each picture, making those that are missing.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : list of str
        Paths below the root, of sound pictures.
    height : int
        Height in pixels; the width keeps the picture's shape.

    Raises
    ------
    PictureError
        When a picture can no longer be read, or is still being drawn.
    """
    folder = Path(root)
    white = white_of(folder)
    home = cache_folder(folder) / f"thumbnails-{height}"
    files = [home / _file_name(folder, picture, white) for picture in pictures]
    missing = [pair for pair in zip(pictures, files, strict=True) if not pair[1].exists()]

    def make(pair: tuple[str, Path]) -> None:
        _make(folder, pair[0], height, white, pair[1])

    if missing:
        list(map_in_threads(make, missing, progress))
    return files
