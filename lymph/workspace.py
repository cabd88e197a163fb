"""The workspace folder: data, caches and runs, and the safe writing of small files."""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

# What is added to the name of a damaged file that was written anew.
DAMAGED = ".damaged"

# Ends the name of the file that marks a folder as not finished yet.
UNFINISHED = ".unfinished"
# Seconds between two looks of someone who waits for a turn.
LOOK_SECONDS = 0.25


def home() -> Path:
    """Return the workspace folder: ``LYMPH_HOME``, or ``workspace`` in the current folder."""
    return Path(os.environ.get("LYMPH_HOME") or "workspace").resolve()


def data_home() -> Path:
    """Return the folder that holds the data sets made, uploaded or fetched here."""
    return home() / "data"


def cache_home() -> Path:
    """Return the folder of pixels and thumbnails; it can be deleted at any time."""
    return home() / "cache"


def runs_home() -> Path:
    """Return the folder that holds one folder a run."""
    return home() / "runs"


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` fill a temporary neighbour of ``path``, then rename it into place.

    A reader sees the old file or the new one, never half of it; a failed write leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        _to_disk(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until the file's content is on the disk: a rename may outlive a power cut, data not."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text through a temporary name."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document through a temporary name."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON document written by :func:`write_json`."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_json_or(path: Path, default: Any) -> Any:
    """Read a JSON document, or return the default where it is missing or damaged."""
    try:
        return read_json(path)
    except (OSError, ValueError, RecursionError):
        return default


def change_json(path: Path, change: Callable[[Any], Any]) -> None:
    """Let ``change`` turn a JSON document, or None, into another; writers take turns.

    A lock makes the turns: of thirty that read, change and write at once, all but a few would be
    lost. A damaged file counts as None; before it is written over, a copy of it is kept beside it.
    """
    with turn(path):
        kept = read_json_or(path, None)
        if kept is None and path.is_file():
            os.replace(path, path.with_name(f"{path.name}{DAMAGED}"))
        write_json(path, change(kept))


@contextmanager
def turn(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the turn of what ``path`` names; of all threads and processes one has it at a time.

    The turn of a process that was killed is free again.

    Parameters
    ----------
    path : Path
        Need not exist; nothing is written beside it.
    waiting : callable, optional
        Called four times a second while another holds the turn. What it raises ends the wait.
    """
    # Not in the cache: that may be deleted at any time, and with the file would go the lock.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    place = home() / "locks" / f"{digest}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place)
    while waiting:
        try:
            lock.acquire(timeout=LOOK_SECONDS)
            break
        except Timeout:
            waiting()
    else:
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def new_folder(parent: Path, stem: str) -> Path:
    """Make a folder of its own for everyone who asks, however many ask for one name at once.

    Returns
    -------
    Path
        ``parent/stem``, or with ``-2``, ``-3`` and so on where that is taken.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for count in itertools.count(1):
        path = parent / (stem if count == 1 else f"{stem}-{count}")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            break
    return path


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Make a folder that is deleted where filling it fails, or by :func:`clear_unfinished`.

    A locked file beside it marks it as unfinished: the lock goes with the process, the mark stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = folder.with_name(f".{folder.name}{UNFINISHED}")
    owner = FileLock(mark)
    with turn(folder.parent):
        owner.acquire()
        folder.mkdir()
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        with turn(folder.parent):
            with contextlib.suppress(OSError):  # Windows deletes it as the lock is let go
                mark.unlink()
            owner.release()


def clear_unfinished(parent: Path) -> None:
    """Delete the unfinished folders whose process has ended; those that are being filled stay."""
    if not parent.is_dir():
        return
    with turn(parent):
        for mark in parent.glob(f".*{UNFINISHED}"):
            owner = FileLock(mark, timeout=0)
            with contextlib.suppress(Timeout), owner:
                left = mark.name.removeprefix(".").removesuffix(UNFINISHED)
                shutil.rmtree(mark.with_name(left), ignore_errors=True)
                with contextlib.suppress(OSError):
                    mark.unlink()
