"""A patient's pictures side by side in one small picture: the eye sees the slides' colours."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lymph import workspace
from lymph.data.ahead import LINE_HEIGHT
from lymph.data.stamps import cache_folder
from lymph.data.thumbnails import thumbnail_paths

# In pixels, twice what a page shows, for screens of double density.
GAP = 4
WIDTH = 560
MOST = 14


def shown_of(pictures: Sequence[str]) -> list[str]:
    """Return those pictures of a patient that a strip shows: all, or some from first to last."""
    if len(pictures) <= MOST:
        return list(pictures)
    return [pictures[round(i * (len(pictures) - 1) / (MOST - 1))] for i in range(MOST)]


def strip_file(root: Path, pictures: Sequence[str]) -> Path:
    """Return the file of a strip, in WebP; it is put together where it is missing.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : sequence of str
        Paths below the root, of sound pictures; see :func:`shown_of`.

    Raises
    ------
    PictureError
        When a picture can no longer be read.
    """
    parts = thumbnail_paths(root, list(pictures), LINE_HEIGHT)
    name = hashlib.sha256("\0".join(part.name for part in parts).encode()).hexdigest()[:20]
    file = cache_folder(root) / "strips" / f"{name}.webp"
    if not file.exists():
        strip = _put_together(parts)
        workspace.write_atomically(file, lambda path: strip.save(path, "WEBP", quality=80))
    return file


def _put_together(parts: Sequence[Path]) -> Image.Image:
    """Lay small pictures in rows; what they leave free is transparent."""
    pictures = [Image.open(part) for part in parts]
    places, x, y = [], 0, 0
    for picture in pictures:
        if x and x + picture.width > WIDTH:
            x, y = 0, y + LINE_HEIGHT + GAP
        places.append((x, y))
        x += picture.width + GAP
    right = max(x + p.width for (x, _), p in zip(places, pictures, strict=True))
    strip = Image.new("RGBA", (right, y + LINE_HEIGHT))
    for place, picture in zip(places, pictures, strict=True):
        strip.paste(picture, place)
    return strip
