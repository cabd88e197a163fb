"""What was dropped becomes a list of files: a zip is opened in memory, nothing touches the disk."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from lymph.data.read import SUFFIXES
from lymph.errors import PictureError

# A zip's list of names is read whole, so it has a bound of its own; files are read one by one.
MAX_MEMBERS = 20_000
MAX_LIST_BYTES = 8 * 1024**2
MAX_MEMBER_BYTES = 400 * 1024**2

OPENED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
END_OF_ZIP = b"PK\x05\x06"
END_BYTES = 22
LONGEST_COMMENT = 65_535

# Stands between a zip's name and that of a file in it.
INSIDE = " › "

Opener = Callable[[], bytes]


class Dropped(NamedTuple):
    """One file: its name, which is only shown, a way to its bytes, or why there is none."""

    name: str
    open: Opener | None
    problem: str = ""


def is_zip(file: BinaryIO) -> bool:
    """Tell whether a file begins like a zip."""
    file.seek(0)
    return file.read(4) in (b"PK\x03\x04", END_OF_ZIP)


def unpack_drop(name: str, file: BinaryIO) -> list[Dropped]:
    """List the files of a drop: the file itself, or the pictures of a zip.

    Every member that is left out says why; only what no one means to classify (folders, hidden
    files, the Mac's copies) goes without a word.

    Parameters
    ----------
    name : str
        Never used as a path.
    file : binary file
        Kept open as long as the pictures are to be read.
    """
    if not is_zip(file):
        return [Dropped(name, partial(_whole, file))]
    try:
        _check_list(file)
        archive = zipfile.ZipFile(file)
    except PictureError as error:
        return [Dropped(name, None, str(error))]
    except Exception:  # zipfile raises nearly anything when damaged.
        return [Dropped(name, None, "The zip is damaged or cut short; create it again.")]
    found = list(_members(name, archive))
    return found or [Dropped(name, None, "There is no picture in this zip.")]


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _check_list(file: BinaryIO) -> None:
    """Refuse a zip whose list of names would fill the memory, before it is read."""
    length = file.seek(0, io.SEEK_END)
    file.seek(max(0, length - LONGEST_COMMENT - END_BYTES))
    tail = file.read()
    place = tail.rfind(END_OF_ZIP)
    end = tail[place : place + END_BYTES]
    if place < 0 or len(end) < END_BYTES:
        raise PictureError("The zip is damaged or cut short; create it again.")
    count, size = struct.unpack_from("<HI", end, 10)
    if count > MAX_MEMBERS or size > MAX_LIST_BYTES:
        raise PictureError(
            f"The zip holds more than {MAX_MEMBERS:,} files; unpack it and give the folder to"
            " `python -m lymph classify`."
        )


def _members(name: str, archive: zipfile.ZipFile) -> Iterator[Dropped]:
    for member in archive.infolist():
        if not member.filename:  # zipfile itself stumbles over such a name
            yield Dropped(name, None, "A file in this zip has no name, so it was skipped.")
            continue
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)
        if member.is_dir() or hidden:
            continue
        problem = _refusal(member, parts)
        opener = None if problem else partial(_read, archive, member)
        yield Dropped(f"{name}{INSIDE}{member.filename}", opener, problem)


def _refusal(member: zipfile.ZipInfo, parts: tuple[str, ...]) -> str:
    """Say why a member of a zip is not opened; an empty text when it is."""
    suffix = PurePosixPath(member.filename).suffix.lower()
    drive = bool(parts) and parts[0].endswith(":")
    if ".." in parts or drive or member.filename.startswith(("/", "\\")):
        return "Its name points out of the zip, so it was skipped; create the zip again."
    if stat.S_ISLNK(member.external_attr >> 16):
        return "It is a link to another file, so it was skipped; put the file itself in."
    if member.flag_bits & 1:
        return "It is encrypted; unpack the zip with its password and drop the pictures."
    if suffix == ".zip":
        return "A zip inside a zip is not opened; unpack it and drop the pictures."
    if suffix not in SUFFIXES:
        return "Its name is not that of a PNG, JPEG, TIFF, BMP or WebP picture, so it was skipped."
    if member.compress_type not in OPENED:
        return "It is packed in an unusual way; create the zip again with the usual compression."
    if member.file_size > MAX_MEMBER_BYTES:
        return _too_large()
    return ""


def _too_large() -> str:
    return (
        f"It unpacks to more than {MAX_MEMBER_BYTES // 1024**2} MB, which no picture here needs;"
        " it was skipped."
    )


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read a member, never more than its bound, whatever its entry claims."""
    try:
        with archive.open(member) as source:
            content = source.read(MAX_MEMBER_BYTES + 1)
    except Exception as error:  # zipfile and its decoders raise nearly anything when damaged.
        raise PictureError("It cannot be unpacked; the zip is damaged. Create it again.") from error
    if len(content) > MAX_MEMBER_BYTES:
        raise PictureError(_too_large())
    return content
