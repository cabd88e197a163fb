"""A set while it is drawn: what of it is there, and where a picture lies meanwhile."""

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
    if folder.exists():
        return False
    return begun_file(folder).exists() or any(makings(folder))


def makings(folder: Path) -> Iterator[Path]:
    """List the folders that a set is drawn in just now; a killed drawing may have left one more."""
    return folder.parent.glob(f".{folder.name}-*{MAKING}")


def pictures_drawn(folder: Path) -> int:
    """Count the pictures of a set that someone is drawing just now."""
    return sum(1 for making in makings(folder) for _ in making.glob("*/*.png"))


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
