"""Every file below a folder: pictures, other files, and folders that hold nothing."""

import os
from pathlib import Path
from typing import NamedTuple

from lymph.data.read import SUFFIXES
from lymph.errors import DataError


class Tree(NamedTuple):
    """What lies below a folder, as paths with ``/``, sorted; hidden files and folders aside.

    ``pictures`` are the files that claim to be pictures, ``others`` all other files, ``empty`` the
    folders below which there is no picture.
    """

    pictures: list[str]
    others: list[str]
    empty: list[str]


def walk(root: Path) -> Tree:
    """List what lies below a folder; folders that are links are followed, each one once.

    Hidden files and folders (Jupyter keeps copies in ``.ipynb_checkpoints``) and the Mac's own are
    passed over.

    Raises
    ------
    DataError
        When there is no such folder.
    """
    if not root.is_dir():
        raise DataError(f"There is no folder {root}; check the path.")
    pictures: list[str] = []
    others: list[str] = []
    folders: set[str] = set()
    entered = {os.path.realpath(root)}
    for path, inner, files in os.walk(root, followlinks=True):
        inner[:] = [name for name in inner if _wanted(os.path.join(path, name), name, entered)]
        below = Path(path).relative_to(root).as_posix()
        prefix = "" if below == "." else f"{readable(below)}/"
        folders.update(prefix + readable(name) for name in inner)
        for file in files:
            if not file.startswith("."):
                is_picture = os.path.splitext(file)[1].lower() in SUFFIXES
                (pictures if is_picture else others).append(prefix + readable(file))
    filled = {parent for picture in pictures for parent in parents_of(picture)}
    return Tree(sorted(pictures), sorted(others), sorted(folders - filled))


def _wanted(path: str, name: str, entered: set[str]) -> bool:
    """Tell whether to enter a folder: not a hidden one, and none that was entered before.

    Only links can lead to a folder twice, and only they are looked up.
    """
    if name.startswith((".", "__")):
        return False
    if not os.path.islink(path):
        return True
    real = os.path.realpath(path)
    if any(real == other or other.startswith(real + os.sep) for other in entered):
        return False
    entered.add(real)
    return True


def parents_of(path: str) -> list[str]:
    """Return the folders that a path stands in, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def readable(path: str) -> str:
    """Return a path whose bytes that are no UTF-8 become ``?``, so that it can be written."""
    return path.encode("utf-8", "replace").decode("utf-8")
