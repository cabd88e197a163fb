"""The folder above one that holds a single class, where the other classes lie beside it."""

import os
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lymph.data.layout import BESIDE, set_name
from lymph.data.look import Found
from lymph.data.read import SUFFIXES
from lymph.facts import CLASS_NAMES

# More folders than these beside one another are patients or slides, and more entries of a folder
# than these are not looked through for a picture.
MOST_CLASSES, MOST_ENTRIES = 20, 500


class Above(NamedTuple):
    """The folder above, and the folders with pictures in it, which may be the classes."""

    folder: Path
    classes: list[str]


def folder_above(root: Path, found: Found | None) -> Above | None:
    """Return the folder above one of a single class where it holds more classes, or None.

    Parameters
    ----------
    root : Path
        A folder with pictures.
    found : Found or None
        What it holds; None where nothing tells its classes.
    """
    beside = _with_pictures(root.parent)
    if root.name not in beside or not 2 <= len(beside) <= MOST_CLASSES:
        return None
    classes = set(found.labels) - {""} if found else set()
    named = len({name.upper() for name in beside} & set(CLASS_NAMES)) > 1
    is_class = named and root.name.upper() in CLASS_NAMES
    return Above(root.parent, beside) if len(classes) < 2 or is_class else None


def _with_pictures(folder: Path) -> list[str]:
    """Return the names of the folders in a folder that hold pictures and may be classes."""
    return [
        entry.name
        for entry in _entries(folder)
        if entry.is_dir() and not _is_no_class(entry.name) and _holds(Path(entry), deeper=2)
    ]


def _is_no_class(name: str) -> bool:
    return name.startswith((".", "__")) or name.lower() in BESIDE or bool(set_name(name))


def _holds(folder: Path, deeper: int) -> bool:
    """Tell whether there are pictures in a folder, or a few folders deeper."""
    entries = _entries(folder)
    if any(os.path.splitext(entry.name)[1].lower() in SUFFIXES for entry in entries):
        return True
    inner = (Path(entry) for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    return deeper > 0 and any(_holds(one, deeper - 1) for one in islice(inner, 3))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return the first entries of a folder by name; none where it may not be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(islice(found, MOST_ENTRIES), key=lambda entry: entry.name)
    except OSError:
        return []
