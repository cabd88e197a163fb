"""The file that keeps what encoders make of pictures; read without torch, by a page too."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from lymph import workspace
from lymph.data.depth import white_of
from lymph.data.stamps import stamp_of
from lymph.errors import DiskError
from lymph.models.grid import MOST_PIXELS
from lymph.models.specs import ModelSpec
from lymph.models.view import MOST_TILED_PIXELS, TILED_PIXELS

# Seconds for which a writer waits for another one.
WAIT_SECONDS = 60.0

TABLES = """
CREATE TABLE IF NOT EXISTS contents (
    file TEXT, kind TEXT, changed INTEGER, length INTEGER, white INTEGER, digest TEXT,
    PRIMARY KEY (file, kind));
CREATE TABLE IF NOT EXISTS features (
    encoder TEXT, digest TEXT, numbers BLOB, PRIMARY KEY (encoder, digest));
"""


def unseen(root: Path | str, pictures: Sequence[str], spec: ModelSpec) -> list[str]:
    """Return the pictures that no encoder has seen as they are now: those that take time."""
    if not file().exists():
        return list(pictures)
    with opened() as store:
        known = known_contents(store, Path(root), pictures, kind_of(spec))
    return [picture for picture in pictures if picture not in known]


def kind_of(spec: ModelSpec) -> str:
    """Name the size at which pictures are seen."""
    if spec.tiles:
        limits = f"{TILED_PIXELS} to {MOST_TILED_PIXELS}, {MOST_PIXELS} in tiles of {spec.tiles}"
        return f"{spec.scale:g} times, at most {limits}"
    return f"{spec.scale:g} times, at most {spec.size[0]}x{spec.size[1]}"


def file() -> Path:
    """Return the file, in the workspace's cache."""
    return workspace.cache_home() / "features.sqlite"


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """Open the file; one that is no database is begun anew.

    Raises
    ------
    DiskError
        When it cannot be read or written, or was found damaged inside; then it is deleted.
    """
    with workspace.writing(file().parent):
        file().parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_opened()) as store:
            yield store
    except sqlite3.OperationalError as error:
        raise DiskError(
            f"{file()} cannot be used ({error}). Make room for it and make it writable, or choose"
            " another workspace with LYMPH_HOME."
        ) from error
    except sqlite3.DatabaseError as error:
        file().unlink(missing_ok=True)
        raise DiskError(
            f"{file()}, which kept the features of pictures, was damaged and is deleted. Try"
            " again: they are computed again."
        ) from error


def _opened() -> sqlite3.Connection:
    """Open the file; one that is no database is begun anew, one that is only busy waited for."""
    try:
        return _open()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        file().unlink(missing_ok=True)
        return _open()


def _open() -> sqlite3.Connection:
    store = sqlite3.connect(file(), timeout=WAIT_SECONDS)
    try:
        store.executescript(TABLES)
    except sqlite3.DatabaseError:
        store.close()
        raise
    return store


def known_contents(
    store: sqlite3.Connection, root: Path, pictures: Sequence[str], kind: str
) -> dict[str, str]:
    """Return the contents of the pictures whose files have not changed since they were read."""
    home, white = str(root.resolve()), white_of(root)
    rows = store.execute(
        "SELECT file, changed, length, white, digest FROM contents WHERE kind = ?", (kind,)
    )
    kept = {file: (tuple(stamp), content) for file, *stamp, content in rows}
    known = {}
    for picture in pictures:
        stamp, content = kept.get(f"{home}/{picture}", (None, ""))
        if stamp == (*stamp_of(root / picture), white):
            known[picture] = content
    return known


def note(store: sqlite3.Connection, row: tuple[str, str, int, int, int, str]) -> None:
    """Note the content of a file: its path, the kind, what it looked like, and the digest."""
    store.execute("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?, ?)", row)


def contents_of(store: sqlite3.Connection, encoder: str) -> set[str]:
    """Return the digests of what an encoder has seen."""
    rows = store.execute("SELECT digest FROM features WHERE encoder = ?", (encoder,))
    return {content for (content,) in rows}


def put(store: sqlite3.Connection, encoder: str, content: str, numbers: np.ndarray) -> None:
    """Keep what an encoder has made of a content."""
    row = (encoder, content, numbers.astype(np.float32).tobytes())
    store.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", row)


def numbers_of(
    store: sqlite3.Connection, encoder: str, contents: Sequence[str]
) -> list[np.ndarray]:
    """Return what an encoder has made of contents, float32, one array each."""
    asked = "SELECT numbers FROM features WHERE encoder = ? AND digest = ?"
    return [
        np.frombuffer(store.execute(asked, (encoder, content)).fetchone()[0], np.float32)
        for content in contents
    ]
