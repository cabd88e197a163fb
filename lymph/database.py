"""What visitors share and change: one SQLite file in the workspace, in short transactions.

Data sets, what was decided about them, saved splits, and who visits and what is whose. The run
folders stay the truth about runs. A damaged file is put aside, whole, and what can be read of it
and of its last copy is the beginning of a new one. Without a server, on a network drive and in a
workspace that may only be read, it serves as well.
"""

import contextlib
import errno
import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lymph import workspace
from lymph.errors import DatabaseError, DiskError
from lymph.takeover import (
    BESIDE,
    OLDER,
    copy_rows,
    keep_copy,
    older_files,
    put_away,
    remove_beside,
    take_over,
)
from lymph.text import counted

FILE = "shared.sqlite3"
# A copy, never older than a minute when something is changed.
BACKUP, BACKUP_SECONDS = f"{FILE}.backup", 60.0
# What a file is called until it is whole.
NEW = f"{FILE}.new"
# A transaction takes milliseconds; who waits longer meets another program's lock.
WAIT_SECONDS = 5.0

SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
REFUSED = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
}
# File systems that several machines use, which share no memory as the write-ahead log needs it.
NETWORK = ("nfs", "cifs", "smb", "afp", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs", "fuse.")

# A new table is added here, and the version raised by one.
VERSION = 3
SCHEMA = """
CREATE TABLE IF NOT EXISTS data_sets (name TEXT PRIMARY KEY, path TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS former_names (
    name TEXT PRIMARY KEY, path TEXT NOT NULL, copy TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS elsewhere (path TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS decisions (
    place TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (place, name)
);
CREATE TABLE IF NOT EXISTS exclusions (
    place TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (place, name)
);
CREATE TABLE IF NOT EXISTS splits (
    place TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (place, name)
);
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
"""
TABLES = re.findall(r"IF NOT EXISTS (\w+)", SCHEMA)

# The file that this process has found sound, by path and inode.
_sound: dict[str, int] = {}
_looking = threading.Lock()
# What this thread has open: whatever is called within takes part in it.
_own = threading.local()


def file() -> Path:
    """Return the database of the workspace; it need not exist."""
    return workspace.home() / FILE


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Open the database for one short transaction, kept at the end and undone by an error.

    Within a transaction of the same thread it is this one.

    Raises
    ------
    DatabaseError
        When another program holds the database, or a later version of lymph made it.
    DiskError
        When it cannot be written.
    """
    if joined := getattr(_own, "changed", None):
        yield joined
        return
    path = file()
    with _told(path), contextlib.closing(_opened(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        _own.changed = connection
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            # What stood in memory for a file that was not there is out of date from now on.
            _own.changed = _own.read = None
        _back_up(connection, path)


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """Open the database for reading, beside whoever writes; where there is none, an empty one.

    What may only be read is read all the same. Within another one of the same thread it is that
    one: a page opens it once, and sees in it what others write meanwhile.

    Raises
    ------
    DatabaseError
        As :func:`transaction`.
    """
    if joined := getattr(_own, "changed", None):
        yield joined
        return
    path = file()
    if joined := getattr(_own, "read", None):
        with _told(path):
            yield joined
        return
    with _told(path), contextlib.closing(_opened_to_read(path)) as connection:
        _own.read = connection
        try:
            yield connection
        finally:
            _own.read = None


def _opened(path: Path) -> sqlite3.Connection:
    with workspace.writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    _ensure_sound(path)
    return _connect(path)


def _opened_to_read(path: Path) -> sqlite3.Connection:
    """Open the database, or in memory what stands for one that is missing or may not be opened."""
    if path.is_file() or older_files(path.parent):
        with contextlib.suppress(DiskError), _told(path):
            _ensure_sound(path)
            connection = _connect(path)
            connection.execute("SELECT 1 FROM sqlite_master")
            return connection
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    if path.is_file():
        copy_rows(connection, path, TABLES)
    take_over(connection, path.parent)
    return connection


def doubt() -> str:
    """Say what was damaged and put aside, while its copy lies there; else nothing."""
    home = workspace.home()
    places = (f"{OLDER}/**/*{workspace.DAMAGED}*", f"{FILE}{workspace.DAMAGED}*")
    found = [path for place in places for path in sorted(home.glob(place))]
    copies = [path for path in found if not path.name.endswith(BESIDE)]
    if not copies:
        return ""
    verb = "was" if len(copies) == 1 else "were"
    return (
        f"{counted(len(copies), 'file')} of this workspace {verb} damaged. Everything readable was"
        f" recovered; a copy is kept as {copies[-1]}. Check your data sets, patients, exclusions"
        " and saved splits, then delete the copy. In a class, what is no longer on record as a"
        " student's belongs to the lecturer."
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what SQLite refuses into a sentence; a file found damaged is put aside."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = _code_of(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DatabaseError(
                f"Another program is using {path}. Close that program and try again; nothing was"
                " changed."
            ) from error
        if code == sqlite3.SQLITE_IOERR and _is_sound_now(path):
            raise DatabaseError(f"{path} was being replaced; try again.") from error
        if code in REFUSED:
            with workspace.writing(path.parent):
                if code != sqlite3.SQLITE_FULL:
                    path.touch()  # the system says better what is the matter
                raise OSError(REFUSED[code], str(error)) from error
        if code == sqlite3.SQLITE_IOERR:
            raise DiskError(f"{path} cannot be used ({error}); check the disk.") from error
        if code not in SPOILT:
            raise
        with _looking, workspace.turn(path):
            if _is_damaged(path):  # of many who see it one puts it aside, not the new one after it
                _begin(path)
        raise DatabaseError(
            f"{path} is damaged. A copy is kept beside it, and a new one was made of what could be"
            " read; try again."
        ) from error


def _code_of(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _ensure_sound(path: Path) -> None:
    """Begin a database that is missing, damaged or of an earlier version."""
    with _looking:
        if _sound.get(str(path)) == _inode(path):
            return
        with workspace.turn(path):
            _begin(path)
        _sound[str(path)] = _inode(path)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def _begin(path: Path) -> None:
    """Make the tables where they are missing, of what was there before.

    A new file has another name until it is whole. Who still has a damaged one open would else take
    the journal of the new one for its own, and empty what is kept.
    """
    damaged = None
    if _is_damaged(path):
        _sound.pop(str(path), None)
        damaged = keep_copy(path, path.with_name(f"{FILE}{workspace.DAMAGED}"))
    place = path if path.exists() and not damaged else path.with_name(NEW)
    with workspace.writing(path.parent):
        if place != path:
            remove_beside(place)
            # As open to others as the system says; SQLite would close it to a group.
            place.write_bytes(b"")
    with contextlib.closing(_connect(place)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise DatabaseError(
                f"{path} was made by a later version of lymph; use that version, or choose another"
                " workspace with LYMPH_HOME."
            )
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute(f"PRAGMA journal_mode = {_journal(path)}")
        taken = {}
        if version < VERSION or any(one.suffix != ".csv" for one in older_files(path.parent)):
            taken = _fill(connection, path, damaged)
        _back_up(connection, path)
    if place != path:
        with workspace.writing(path.parent):
            remove_beside(path)
            os.replace(place, path)
    for older, sound in taken.items():
        put_away(older, path.parent, sound)
    if damaged or not all(taken.values()):
        logging.getLogger(__name__).warning(doubt())


def _fill(connection: sqlite3.Connection, path: Path, damaged: Path | None) -> dict[Path, bool]:
    """Bring a database up to date; a new one begins with what a damaged one or a copy holds."""
    connection.execute("BEGIN IMMEDIATE")
    is_new = connection.execute("PRAGMA user_version").fetchone() == (0,)
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    if is_new:
        lost = copy_rows(connection, damaged, TABLES) if damaged else TABLES
        copy_rows(connection, path.with_name(BACKUP), lost)
    taken = take_over(connection, path.parent)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.commit()
    return taken


def _journal(path: Path) -> str:
    """Return how changes are kept: in a write-ahead log, but where several machines may write."""
    import psutil  # only once for a process

    places = [
        one for one in psutil.disk_partitions(all=True) if path.is_relative_to(one.mountpoint)
    ]
    place = max(places, key=lambda one: len(one.mountpoint), default=None)
    remote = place and (place.fstype.lower().startswith(NETWORK) or "remote" in place.opts)
    return "DELETE" if remote or path.drive.startswith("\\\\") else "WAL"


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the database where the last copy is not of this minute."""
    backup = path.with_name(BACKUP)

    def write(to: Path) -> None:
        with contextlib.closing(sqlite3.connect(to)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it

    with contextlib.suppress(OSError, sqlite3.Error):
        if not backup.exists() or time.time() - backup.stat().st_mtime > BACKUP_SECONDS:
            workspace.write_atomically(backup, write)


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
