"""Who visits and what is whose: one SQLite file in the workspace, in short transactions.

The run folders stay the truth; what this file loses is who started them. So a damaged file is put
aside, whole, and an empty one takes its place: what nobody owns is the lecturer's.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lymph import workspace
from lymph.errors import ClassError, DiskError

FILE = "class.sqlite3"
VERSION = 2
# A transaction takes milliseconds; who waits longer meets another program's lock.
WAIT_SECONDS = 5.0

SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
UNUSABLE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
)
# What SQLite keeps beside a file.
BESIDE = ("-wal", "-shm")

TABLES = ("visitors", "owners", "copies", "questions", "votes")
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS visitors (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    key TEXT NOT NULL DEFAULT '',
    seen REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS owners (thing TEXT PRIMARY KEY, owner TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS copies (
    name TEXT PRIMARY KEY,
    root TEXT NOT NULL,
    copy TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS questions (
    meeting TEXT NOT NULL,
    question TEXT NOT NULL,
    open INTEGER NOT NULL,
    asked REAL NOT NULL,
    PRIMARY KEY (meeting, question)
);
CREATE TABLE IF NOT EXISTS votes (
    meeting TEXT NOT NULL,
    question TEXT NOT NULL,
    voter TEXT NOT NULL,
    choice INTEGER NOT NULL,
    PRIMARY KEY (meeting, question, voter)
);
PRAGMA user_version = {VERSION};
COMMIT;
"""

# The file that this process has found sound, by path and inode.
_sound: dict[str, int] = {}
_looking = threading.Lock()


def file() -> Path:
    """Return the database of the workspace; it need not exist."""
    return workspace.home() / FILE


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Open the database for one short transaction, kept at the end and undone by an error.

    Raises
    ------
    ClassError
        When another program holds the database, or a later version of lymph made it.
    DiskError
        When it cannot be written.
    """
    path = file()
    with workspace.writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _told(path):
        _ensure_sound(path)
        connection = _connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.close()


@contextmanager
def reading() -> Iterator[sqlite3.Connection | None]:
    """Open the database for reading, beside whoever writes; None where there is none yet.

    Raises
    ------
    ClassError, DiskError
        As :func:`transaction`.
    """
    path = file()
    if not path.is_file():
        yield None
        return
    with _told(path):
        _ensure_sound(path)
        with contextlib.closing(_connect(path)) as connection:
            yield connection


def doubt() -> str:
    """Say that a damaged database was put aside, while its copy lies there; else nothing."""
    found = sorted(file().parent.glob(f"{FILE}{workspace.DAMAGED}*"))
    copies = [path for path in found if not path.name.endswith(BESIDE)]
    if not copies:
        return ""
    return (
        "The record of who started what was damaged, and a new one was started; a copy is kept as"
        f" {copies[-1]}. Whatever is no longer on record counts as the lecturer's. Delete the copy"
        " when you no longer need it."
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what SQLite refuses into a sentence; a file found damaged is put aside."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = _code_of(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ClassError(
                f"Another program is using {path}, which records who started what. Close that"
                " program and try again; nothing was changed."
            ) from error
        if code == sqlite3.SQLITE_IOERR and _is_sound_now(path):
            raise ClassError(
                f"{path}, which records who started what, was being replaced; try again."
            ) from error
        if code in UNUSABLE:
            words = f"{path} cannot be used ({error}). Free some space, or make it writable."
            raise DiskError(words) from error
        if code not in SPOILT:
            raise
        with _looking, workspace.turn(path):
            if _is_damaged(path):  # of many who see it one puts it aside, not the new one after it
                _put_aside(path)
        raise ClassError(
            f"{path}, which records who started what, is damaged. A copy is kept beside it, and a"
            " new one has been started; try again."
        ) from error


def _code_of(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _ensure_sound(path: Path) -> None:
    """Make the tables where they are missing; a damaged file is put aside first."""
    with _looking:
        if _sound.get(str(path)) == _inode(path):
            return
        with workspace.turn(path):
            if _is_damaged(path):
                _put_aside(path)
            with contextlib.closing(_connect(path)) as connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > VERSION:
                    raise ClassError(
                        f"{path} was made by a later version of lymph; use that version, or choose"
                        " another workspace with LYMPH_HOME."
                    )
                if version < VERSION:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.executescript(SCHEMA)
        _sound[str(path)] = _inode(path)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def _is_damaged(path: Path) -> bool:
    """Tell whether SQLite finds fault with a file; a lock is no damage, and told by itself."""
    if not path.is_file():
        return False
    try:
        with contextlib.closing(_connect(path)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return True
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            return version == VERSION and not tables.issuperset(TABLES)
    except sqlite3.DatabaseError as error:
        if _code_of(error) in SPOILT:
            return True
        raise


def _is_sound_now(path: Path) -> bool:
    """Tell whether a file that could not be read can be: another was just putting it aside."""
    try:
        with _looking, workspace.turn(path):
            return not _is_damaged(path)
    except sqlite3.DatabaseError:
        return False


def _put_aside(path: Path) -> None:
    """Move a damaged database, with what belongs to it, to a name of its own."""
    _sound.pop(str(path), None)
    stem, count = f"{FILE}{workspace.DAMAGED}", 1
    while (target := path.with_name(stem if count == 1 else f"{stem}-{count}")).exists():
        count += 1
    for end in ("", *BESIDE):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{end}", f"{target}{end}")
