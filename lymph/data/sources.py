"""Where data sets come from: the demonstration set, folders, zips, dropped files and Kaggle."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from lymph import workspace
from lymph.data import decisions
from lymph.data.not_read import UNSAFE, suffix_of
from lymph.data.read import SUFFIXES
from lymph.data.source import source_of
from lymph.database import reading, transaction
from lymph.errors import ClassesUnknown, DataError, DiskError
from lymph.facts import MARKER
from lymph.jobs.detached import start_python
from lymph.parallel import Progress
from lymph.synthetic import (
    DRAWING,
    begun_file,
    clear_leftovers,
    drawing_of,
    make_demo,
    number_of_pictures,
    pictures_drawn,
)
from lymph.text import printable

DEMO_NAME = "Demonstration set"
REAL_NAME = "Lymphoma (Kaggle)"
LONGEST_NAME = 80

# Begins the name of a folder that a visitor of a class has uploaded; who it was comes next.
VISITOR = "visitor-"

KAGGLE_HANDLE = "andrewmvd/malignant-lymphoma-classification"
KAGGLE_SIZE = "about 1.5 GB"

# Pictures, and tables that say something of them.
KEPT = SUFFIXES | {".csv", ".tsv"}

# What may come out of an archive or a drop; a zip bomb or a wrong folder ends here.
MAX_FILES = 200_000
MAX_BYTES = 20 * 1024**3


class DataSet(NamedTuple):
    """A named folder of pictures; ``synthetic`` when its pictures are computer drawn.

    ``copy`` names decisions of somebody's own about them, see :mod:`lymph.data.decisions`.
    """

    name: str
    path: Path
    synthetic: bool
    copy: str = ""


def demo_folder() -> Path:
    """Return where the demonstration set lives in the workspace."""
    return workspace.data_home() / "demonstration"


def demo_ready() -> bool:
    """Tell whether the demonstration set has been made."""
    return (demo_folder() / MARKER).is_file()


def make_demonstration(progress: Progress | None = None, first: Sequence[str] = ()) -> DataSet:
    """Make the demonstration set in the workspace unless it is there.

    Of several who ask at once one draws; the others wait, and their ``progress`` tells how far it
    is. Pictures whose paths below its root are in ``first`` are drawn before all others, in that
    order.
    """
    return _drawn_in_turn(demo_ready, progress, first)


def begin_demonstration(first: Sequence[str] = ()) -> None:
    """Let the demonstration set be drawn by a process of its own; it is listed from now on.

    Who needs all of its pictures meanwhile waits for that process with :func:`make_demonstration`,
    and draws where it has died; who needs some reads them as they come. Of several such processes
    one draws, those in ``first`` before all others.
    """
    if demo_ready():
        return
    workspace.write_text(begun_file(demo_folder()), "The demonstration set is being drawn.\n")
    start_python(["-m", "lymph.data.drawing", *first], subprocess.DEVNULL)


def demo_listed() -> bool:
    """Tell whether the demonstration set is there or is being drawn."""
    return demo_ready() or begun_file(demo_folder()).exists()


def demo_progress() -> tuple[int, int]:
    """Return how many pictures of the demonstration set are drawn, and how many it will have."""
    total = number_of_pictures()
    return (total if demo_ready() else pictures_drawn(demo_folder())), total


def draw_anew(progress: Progress | None = None) -> DataSet:
    """Draw the demonstration set again where an earlier version of lymph drew it.

    Runs keep their figures; the pictures shown with them are the new ones. Several who ask at once
    get one drawing, as with :func:`make_demonstration`.
    """
    return _drawn_in_turn(lambda: demo_ready() and not demo_outdated(), progress)


def _drawn_in_turn(
    is_done: Callable[[], bool], progress: Progress | None, first: Sequence[str] = ()
) -> DataSet:
    folder = demo_folder()

    def waiting() -> None:
        if progress:
            progress(pictures_drawn(folder), number_of_pictures())

    if not is_done():
        with workspace.turn(folder, waiting):
            clear_leftovers(folder)
            if not is_done():
                make_demo(folder, progress=progress, first=first)
            begun_file(folder).unlink(missing_ok=True)
    return DataSet(DEMO_NAME, folder, True)


def demo_outdated() -> bool:
    """Tell whether the demonstration set is there and was drawn by an earlier version of lymph."""
    return demo_ready() and drawing_of(demo_folder()) < DRAWING


class _Taken(Exception):
    """Someone else has the turn."""


def clear_unfinished() -> None:
    """Delete what killed processes left unfinished: drawings, drops and unpacked archives.

    Those that are being made just now stay.
    """
    workspace.clear_unfinished(_uploads())

    def never() -> None:
        raise _Taken

    with contextlib.suppress(_Taken), workspace.turn(demo_folder(), never):
        clear_leftovers(demo_folder())


def _uploads() -> Path:
    return workspace.data_home() / "uploads"


def is_upload(path: Path) -> bool:
    """Tell whether pictures were uploaded, so that the workspace holds the only copy lymph has."""
    return _uploads() in path.parents


def uploads_of(whose: str) -> list[Path]:
    """List the folders that hold what somebody has uploaded."""
    return sorted(_uploads().glob(f"{VISITOR}{whose}-*"))


def uploader_of(path: Path) -> str:
    """Return who has uploaded the pictures of a folder, or nothing.

    It is told by the folder's own name, so that no lost list makes a visitor's pictures public.
    """
    if not is_upload(path):
        return ""
    top = path.relative_to(_uploads()).parts[0]
    return top.split("-")[1] if top.startswith(VISITOR) else ""


def is_synthetic(root: Path | str) -> bool:
    """Tell whether a folder carries the marker of computer-drawn pictures, or soon will."""
    root = Path(root)
    return (root / MARKER).is_file() or (root == demo_folder() and not root.exists())


def list_data_sets() -> list[DataSet]:
    """List the demonstration set, made or begun, and every registered folder that still exists."""
    known = [DataSet(DEMO_NAME, demo_folder(), True)] if demo_listed() else []
    with reading() as database:
        rows = database.execute("SELECT name, path FROM data_sets ORDER BY rowid").fetchall()
    there = [(name, path) for name, path in rows if os.path.isdir(path)]
    return known + [DataSet(name, Path(path), is_synthetic(path)) for name, path in there]


def add_folder(path: Path | str, name: str = "") -> DataSet:
    """Register a folder of pictures; they stay where they are.

    Raises
    ------
    DataError
        When it holds no pictures of two classes, however these may be told.
    """
    text = str(path).strip().strip("\"'")
    if not text:
        raise DataError("Type the path of a folder that holds one sub-folder per class.")
    try:
        root = unwrapped(Path(text).expanduser().resolve())
        _check(root)
    except (OSError, RuntimeError, ValueError) as error:  # no such user, too long, no permission
        raise DataError(f"{text[:200]} cannot be opened ({error}); check the path.") from error
    return _enter(root, name or root.name)


def _enter(root: Path, name: str) -> DataSet:
    """Return the data set of a folder, entered in the list where it is not in it yet."""
    with transaction() as database:
        # Looked up within: of two who open one folder at once the second finds it.
        for known in list_data_sets():
            if known.path == root:
                return known
        taken = _names_taken(database)
        free, count = name, 2
        while free in taken:
            free, count = f"{name} ({count})", count + 1
        database.execute("INSERT INTO data_sets VALUES (?, ?)", [free, str(root)])
    return DataSet(free, root, is_synthetic(root))


def _names_taken(database: sqlite3.Connection) -> set[str]:
    rows = database.execute("SELECT name FROM data_sets UNION SELECT name FROM copies")
    return {DEMO_NAME, *(name for (name,) in rows)}


def rename_data_set(data_set: DataSet, name: str) -> DataSet:
    """Give a data set or a copy another name; runs know it by its folder, links by both names.

    Raises
    ------
    DataError
        When the name is empty, too long or taken, or the data set is the demonstration set.
    """
    name = printable(name)
    if not name or len(name) > LONGEST_NAME:
        raise DataError(f"Type a name of 1 to {LONGEST_NAME} letters.")
    if data_set.path == demo_folder() and not data_set.copy:
        raise DataError(f"The {DEMO_NAME.lower()} keeps its name.")
    with transaction() as database:
        others = _names_taken(database) - {data_set.name}
        if name.casefold() in map(str.casefold, others):
            raise DataError(f"There is already a data set named {name}; choose another name.")
        table = "copies" if data_set.copy else "data_sets"
        database.execute(f"UPDATE {table} SET name = ? WHERE name = ?", [name, data_set.name])
        former = [data_set.name, str(data_set.path), data_set.copy]
        database.execute("INSERT OR REPLACE INTO former_names VALUES (?, ?, ?)", former)
        database.execute("DELETE FROM former_names WHERE name = ?", [name])
    return data_set._replace(name=name)


def named_before(name: str, known: Iterable[DataSet]) -> DataSet | None:
    """Return the one of some data sets that had a name before, or None."""
    query = "SELECT path, copy FROM former_names WHERE name = ?"
    with reading() as database:
        row = database.execute(query, [name]).fetchone()
    return next((one for one in known if (str(one.path), one.copy) == row), None)


def _check(root: Path) -> None:
    """Refuse a folder without pictures; one whose classes have to be said first is opened."""
    with contextlib.suppress(ClassesUnknown):
        source_of(root).look()


def unwrapped(folder: Path) -> Path:
    """Return a folder, or the only thing it holds as long as that is a folder again.

    Archives often wrap everything into one folder more.
    """
    while folder.is_dir():
        inside = [p for p in folder.iterdir() if not p.name.startswith((".", "__"))]
        if len(inside) != 1 or not inside[0].is_dir() or _holds_pictures(inside[0]):
            return folder
        folder = inside[0]
    return folder


def _holds_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())


def remove_data_set(name: str) -> None:
    """Forget a data set; a copy that lies in the workspace is deleted, other folders are not."""
    with transaction() as database:
        row = database.execute("SELECT path FROM data_sets WHERE name = ?", [name]).fetchone()
        database.execute("DELETE FROM data_sets WHERE name = ?", [name])
        database.execute("DELETE FROM former_names WHERE path = ? AND copy = ''", row or [""])
    uploads = _uploads()
    if row and is_upload(Path(row[0])):
        top = uploads / Path(row[0]).relative_to(uploads).parts[0]
        shutil.rmtree(top, ignore_errors=True)


def safe_parts(name: str) -> tuple[str, ...] | None:
    """Turn an archive's or a browser's file name into path parts, or None when it is not wanted.

    Names are never trusted: absolute ones, ``..``, drive letters and hidden files are refused, and
    so is everything that claims to be neither a picture nor a table, but for the marker of a
    synthetic set.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    parts = tuple(part for part in path.parts if part not in (".", ""))
    bad = any(p == ".." or p.startswith((".", "/", "__MACOSX")) or ":" in p for p in parts)
    wanted = path.suffix.lower() in KEPT or path.name == MARKER
    if bad or not parts or not wanted:
        return None
    return tuple(re.sub(r'[<>|?*"\x00-\x1f]', "_", part).rstrip(" .") or "_" for part in parts)


class _Budget:
    """Counts files and bytes on their way in and stops at the bounds."""

    def __init__(self, most: int) -> None:
        self.files = self.bytes = 0
        self.most = most

    def take(self, files: int = 0, length: int = 0) -> None:
        self.files += files
        self.bytes += length
        if self.most < MAX_BYTES and self.bytes > self.most:
            raise DataError(
                f"This is too large: you may upload {self.most / 1024**2:,.0f} MB more here. Remove"
                " one of your data sets, or upload fewer pictures."
            )
        if self.files > MAX_FILES or self.bytes > MAX_BYTES:
            raise DataError(
                f"This holds more than {MAX_FILES:,} files or {MAX_BYTES // 1024**3} GB; unpack it"
                " yourself and give the folder's path."
            )


def _write_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, budget: _Budget
) -> None:
    with archive.open(member) as source, workspace.writing(workspace.data_home()):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while block := source.read(1 << 20):
                budget.take(length=len(block))
                out.write(block)


def _unpack(
    archive: zipfile.ZipFile, folder: Path, progress: Progress | None, most: int
) -> Counter[str]:
    """Unpack what is wanted, and return the suffixes of what was left."""
    left: Counter[str] = Counter()
    members = [m for m in archive.infolist() if not m.is_dir()]
    wanted = sum(m.file_size for m in members if safe_parts(m.filename))
    workspace.need_room(folder, min(wanted, most))
    budget = _Budget(most)
    for done, member in enumerate(members, start=1):
        parts = safe_parts(member.filename)
        if parts:
            budget.take(files=1)
            _write_member(archive, member, folder.joinpath(*parts), budget)
        left.update(_left(member.filename, parts))
        if progress:
            progress(done, len(members))
    return left


def _left(name: str, parts: tuple[str, ...] | None) -> list[str]:
    """Return what a file is counted under that is not kept; hidden ones are not counted."""
    inside = name.replace("\\", "/").split("/")
    if parts or any(part.startswith((".", "__MACOSX")) and part != ".." for part in inside):
        return []
    wanted = PurePosixPath(name).suffix.lower() in KEPT
    return [UNSAFE if wanted else suffix_of(name)]


def add_zip(
    name: str,
    file: BinaryIO,
    progress: Progress | None = None,
    whose: str = "",
    most: int = MAX_BYTES,
) -> DataSet:
    """Unpack a zip of pictures into the workspace and register it.

    Parameters
    ----------
    name : str
        Of the zip; the data set is called after it.
    file : file
        Open for reading.
    progress : callable, optional
        Called with the files done and the files to do.
    whose : str
        The visitor of a class whose upload it is, and stays.
    most : int
        Bytes that may be unpacked.

    Raises
    ------
    DataError
        When the file is no zip, is encrypted or too large, or holds no pictures.
    DiskError
        When there is no room for it, or the workspace is closed to writing.
    """

    def fill(folder: Path) -> Counter[str]:
        try:
            with zipfile.ZipFile(file) as archive:
                return _unpack(archive, folder, progress, most)
        except (DataError, DiskError):
            raise
        except Exception as error:  # zipfile and its decoders raise nearly anything when damaged.
            if "password" in str(error):
                raise DataError("The zip is encrypted; unpack it and drop the folder.") from error
            raise DataError(f"The zip cannot be unpacked ({error}); create it again.") from error

    return _take_in(Path(name).stem, fill, whose)


def add_uploads(
    name: str, files: Iterable[tuple[str, bytes]], whose: str = "", most: int = MAX_BYTES
) -> DataSet:
    """Keep dropped files, given as (path, content), in the workspace and register them.

    ``whose`` and ``most`` are as for :func:`add_zip`.

    Raises
    ------
    DataError
        When there are no pictures among them.
    """

    def fill(folder: Path) -> Counter[str]:
        budget, left = _Budget(most), Counter[str]()
        for path, content in files:
            parts = safe_parts(path)
            if parts:
                budget.take(files=1, length=len(content))
                _write_upload(folder.joinpath(*parts), content)
            left.update(_left(path, parts))
        return left

    return _take_in(name, fill, whose)


def _write_upload(target: Path, content: bytes) -> None:
    try:
        with workspace.writing(workspace.data_home()):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except DiskError:
        raise
    except OSError as error:  # a name too long, a file and a folder of one name
        raise DataError(f"{target.name[:80]} cannot be kept ({error.strerror}).") from error


def _take_in(name: str, fill: Callable[[Path], Counter[str]], whose: str) -> DataSet:
    """Fill a temporary folder, check it, then give it its place among the uploads."""
    stem = f"{VISITOR}{whose}" if whose else "upload"
    with workspace.unfinished(_uploads() / f"{stem}-{uuid.uuid4().hex[:12]}") as folder:
        left = fill(folder)
        data_set = add_folder(folder, name or "Uploaded pictures")
        if left:
            decisions.keep(data_set.path, decisions.NOT_UNPACKED, dict(left))
        return data_set


def fetch_kaggle() -> DataSet:
    """Fetch the real set from Kaggle into the workspace and register it.

    Raises
    ------
    DataError
        When it cannot be fetched; the message tells how to fetch it by hand.
    DiskError
        When there is no room for it.
    """
    place = workspace.data_home() / "lymphoma"
    try:
        import kagglehub

        os.environ.setdefault("KAGGLEHUB_CACHE", str(workspace.data_home() / "kaggle"))
        with workspace.writing(workspace.data_home()):
            fetched = Path(kagglehub.dataset_download(KAGGLE_HANDLE))
    except DiskError:
        raise
    except Exception as error:  # kagglehub passes on whatever its network library raises.
        raise DataError(
            f"The real set could not be fetched ({type(error).__name__}). By hand: download"
            f" https://www.kaggle.com/datasets/{KAGGLE_HANDLE} in a browser, unpack it so that"
            f" {place} holds the folders CLL, FL and MCL, and open that folder here."
        ) from error
    return add_folder(fetched, REAL_NAME)
