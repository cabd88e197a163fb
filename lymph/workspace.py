"""The workspace folder: data, caches and runs, and the safe writing of small files."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

# What is added to the name of a damaged file that was written anew.
DAMAGED = ".damaged"


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
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    lock = cache_home() / "locks" / f"{digest}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        kept = read_json_or(path, None)
        if kept is None and path.is_file():
            os.replace(path, path.with_name(f"{path.name}{DAMAGED}"))
        write_json(path, change(kept))
