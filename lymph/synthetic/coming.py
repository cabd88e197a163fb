"""A set while it is drawn: what of it is there, and where a picture lies meanwhile."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from lymph.errors import PictureError

# End of the hidden names beside a set while it is drawn.
MAKING = "-making"


def begun_file(folder: Path) -> Path:
    """Return the file that says that a set's drawing was begun."""
    return folder.with_name(f".{folder.name}.begun")


def is_coming(folder: Path) -> bool:
    """Tell whether a set is not there yet, but someone draws it or was asked to."""
    # By os.path: below a folder that is closed to reading nothing is there, and nothing is raised.
    if os.path.exists(folder):
        return False
    return os.path.exists(begun_file(folder)) or any(makings(folder))


def makings(folder: Path) -> Iterator[Path]:
    """List the folders that a set is drawn in just now; a killed drawing may have left one more."""
    return folder.parent.glob(f".{folder.name}-*{MAKING}")


def pictures_drawn(folder: Path) -> int:
    """Count the pictures of a set that someone is drawing just now."""
    return sum(1 for making in makings(folder) for _ in making.glob("*/*.png"))


def last_drawn(folder: Path) -> float:
    """Return when a set that is being drawn got its last picture, as ``time.time``; 0 before that.

    A drawing that was killed is told by it.
    """
    inside = [label for making in makings(folder) for label in making.glob("*")]
    changed = [0.0]
    for label in inside:
        with contextlib.suppress(OSError):  # the set is put in place just now
            changed.append(os.stat(label).st_mtime)
    return max(changed)


def place_of(folder: Path, picture: str) -> Path:
    """Return where a picture of a set lies; one that is drawn already has its place meanwhile.

    Of folders that are there, drawn or not, it is the path below them.

    Raises
    ------
    PictureError
        When the set is being drawn and the picture has not been yet.
    """
    if is_coming(folder):
        drawn = (making / picture for making in makings(folder))
        if found := next((file for file in drawn if file.is_file()), None):
            return found
        if is_coming(folder):  # no more where the set was put in place while it was looked for
            raise PictureError(f"{picture} is still being drawn; open it again in a moment.")
    return folder / picture
