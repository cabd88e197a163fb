"""The workspace folder: data, caches and runs, and safe writing, with words for a full disk."""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from lymph.errors import DiskError

Result = TypeVar("Result")

# What is added to the name of a damaged file that was written anew.
DAMAGED = ".damaged"
# Ends the name of the file that marks a folder as not finished yet.
UNFINISHED = ".unfinished"
# Seconds between two looks of someone who waits for a turn.
LOOK_SECONDS = 0.25
# Windows lets nobody replace or delete a file that another process reads, nor read one that is
# being replaced: both are over in a moment. Elsewhere a refusal is final.
PATIENCE_SECONDS = 2.0 if sys.platform == "win32" else 0.0
RETRY_SECONDS = 0.02

# In nanoseconds.
FINE_TICKS, COARSE_TICK = 50_000_000, 2_500_000_000

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)
# What a file system answers that cannot set space aside.
CANNOT_RESERVE = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def home() -> Path:
    """Return the workspace folder: ``LYMPH_HOME``, or ``workspace`` in the current folder."""
    name = os.environ.get("LYMPH_HOME") or "workspace"
    return _resolved(name, "" if os.path.isabs(name) else os.getcwd())


@lru_cache(maxsize=8)
def _resolved(name: str, _current: str) -> Path:
    # A page asks sixty times, and each time the disk would be asked for every folder of the path.
    return Path(name).resolve()


def data_home() -> Path:
    """Return the folder that holds the data sets made, uploaded or fetched here."""
    return home() / "data"


def cache_home() -> Path:
    """Return the folder of pixels and thumbnails; it can be deleted at any time."""
    return home() / "cache"


def runs_home() -> Path:
    """Return the folder that holds one folder a run."""
    return home() / "runs"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses while something is written to a folder into a sentence.

    Raises
    ------
    DiskError
        When the disk is full or the folder is closed to writing; other errors pass unchanged.
    """
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise _disk_error(error.errno, _full_words(folder)) from error
        if error.errno in CLOSED:
            words = (
                f"{folder} cannot be written to ({error.strerror}). Make it writable, or choose"
                " another workspace with LYMPH_HOME."
            )
            raise _disk_error(error.errno, words) from error
        raise


def _disk_error(number: int, words: str) -> DiskError:
    error = DiskError(words)
    error.errno = number
    return error


def _full_words(folder: Path, needed: int = 0) -> str:
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    free = shutil.disk_usage(there).free
    wanted = f"{_megabytes(needed)} MB are needed" if needed else "there is no room"
    return (
        f"The disk is full: {wanted} in {folder}, where {_megabytes(free)} MB are free. Free some"
        " space and try again, or choose a workspace on another disk with LYMPH_HOME."
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f}" if count < 1e8 else f"{count / 1e6:,.0f}"


def need_room(folder: Path, needed: int) -> None:
    """Refuse to begin what cannot fit into a folder.

    Parameters
    ----------
    folder : Path
        An existing folder.
    needed : int
        In bytes.

    Raises
    ------
    DiskError
        When less is free; the message tells how much is needed, how much is free, and where.
    """
    if shutil.disk_usage(folder).free < needed:
        raise _disk_error(errno.ENOSPC, _full_words(folder, needed))


def reserve(path: Path) -> None:
    """Set the space of a sparse file aside: a mapped page without any kills the process (SIGBUS).

    Raises
    ------
    DiskError
        When the disk has no room for the whole file.
    """
    needed = path.stat().st_size
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        _allocate(handle, needed)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _disk_error(error.errno, _full_words(path.parent, needed)) from error
    finally:
        os.close(handle)


def _allocate(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
            return
        except OSError as error:
            if error.errno not in CANNOT_RESERVE:
                raise
    # What is there already is written once more, so that no page of the file stays without room.
    for start in range(0, size, 1 << 20):
        os.lseek(handle, start, os.SEEK_SET)
        block = os.read(handle, 1 << 20)
        os.lseek(handle, start, os.SEEK_SET)
        os.write(handle, block)


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` fill a temporary neighbour of ``path``, then rename it into place.

    A reader sees the old file or the new one, never half of it; a failed write leaves the old one.

    Raises
    ------
    DiskError
        When the disk is full or the folder is closed to writing.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not by tempfile: what that makes is closed to everybody else of a shared workspace.
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{path.suffix}")
        temporary.touch(exist_ok=False)
        try:
            write(temporary)
            _to_disk(temporary)
            patiently(lambda: os.replace(temporary, path))
        finally:
            temporary.unlink(missing_ok=True)


def patiently(act: Callable[[], Result]) -> Result:
    """Do something with a file, again and again where another process holds it for a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(RETRY_SECONDS)


def size_of(path: Path) -> int:
    """Return a file's bytes, 0 where there is none or it cannot be reached."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):
        return 0


def remove(path: Path) -> None:
    """Delete a file that others may be reading, where there is one."""
    patiently(lambda: path.unlink(missing_ok=True))


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
    return json.loads(patiently(lambda: path.read_text(encoding="utf-8")))


def read_json_or(path: Path, default: Any) -> Any:
    """Read a JSON document, or return the default where it is missing or damaged."""
    try:
        return read_json(path)
    except (OSError, ValueError, RecursionError):
        return default


def settled(path: Path) -> tuple[int, ...] | None:
    """Return what tells a file's content from any other that it had or will have.

    None is returned where there is no file, and where it is so young that a later change might
    bear the same time: within ticks of the system's clock, or seconds where the disk keeps those.
    """
    try:
        seen = path.stat()
    except OSError:
        return None
    coarse = seen.st_mtime_ns % 1_000_000_000 == 0
    if time.time_ns() - seen.st_mtime_ns < (COARSE_TICK if coarse else FINE_TICKS):
        return None
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


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
    with writing(home()):
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place)
        _acquire(lock, waiting)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, waiting: Callable[[], None] | None) -> None:
    """Wait for a lock, and call ``waiting`` four times a second meanwhile."""
    while waiting:
        try:
            lock.acquire(timeout=LOOK_SECONDS)
            return
        except Timeout:
            waiting()
    lock.acquire()


def new_folder(parent: Path, stem: str) -> Path:
    """Make a folder of its own for everyone who asks, however many ask for one name at once.

    Returns
    -------
    Path
        ``parent/stem``, or with ``-2``, ``-3`` and so on where that is taken.
    """
    with writing(parent):
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
    mark = folder.with_name(f".{folder.name}{UNFINISHED}")
    owner = FileLock(mark)
    with turn(folder.parent), writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
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
