"""What users have decided about a data root, kept in the database of the workspace.

In a class somebody may have decisions of their own about pictures that others see, too: a *copy*,
which has a name; without a name the decisions are everybody's.
"""

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.stamps import cache_folder
from lymph.database import reading, transaction

# How classes and patients are told.
SOURCE = "source"
# How many files of each suffix were left in a zip or a drop.
NOT_UNPACKED = "not_unpacked"
# The tables of all that belongs to a place.
TABLES = ("decisions", "exclusions", "splits")


def name_of(root: Path | str, copy: str = "") -> str:
    """Return what the database, and folders, call a data root or a copy of it."""
    name = cache_folder(Path(root)).name
    return f"{name}-{copy}" if copy else name


def read(root: Path | str, name: str, copy: str = "") -> Any:
    """Return what was decided about a data root under a name, or None."""
    query = "SELECT value FROM decisions WHERE place = ? AND name = ?"
    with reading() as database:
        row = database.execute(query, [name_of(root, copy), name]).fetchone()
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(row[0]) if row else None
    return None


def keep(root: Path | str, name: str, value: Any, copy: str = "") -> None:
    """Decide something about a data root."""
    with transaction() as database:
        row = [name_of(root, copy), name, json.dumps(value)]
        database.execute("INSERT OR REPLACE INTO decisions VALUES (?, ?, ?)", row)


def stamp(root: Path | str, copy: str = "") -> str:
    """Return what is another one as soon as something else is decided about a data root."""
    query = "SELECT name, value FROM {} WHERE place = ?"
    with reading() as database:
        rows = [
            database.execute(query.format(table), [name_of(root, copy)]).fetchall()
            for table in ("decisions", "exclusions")
        ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def begin_copy(root: Path | str, copy: str) -> None:
    """Begin decisions and saved splits of one's own with those that everybody has."""
    with transaction() as database:
        for table in TABLES:
            database.execute(
                f"INSERT INTO {table} SELECT ?, name, value FROM {table} WHERE place = ?",
                [name_of(root, copy), name_of(root)],
            )


def forget_copy(root: Path | str, copy: str) -> None:
    """Forget decisions and saved splits of one's own."""
    with transaction() as database:
        for table in TABLES:
            database.execute(f"DELETE FROM {table} WHERE place = ?", [name_of(root, copy)])


def keep_table(root: Path | str, content: bytes, name: str = "table.csv") -> Path:
    """Keep a table that a user gave for a data root, and return its place.

    The place is told by the content: an earlier table stays where it is, since runs that learned
    from it go on reading it. ``name`` is the user's own, for messages; it is never trusted.
    """
    digest = hashlib.sha256(content).hexdigest()[:12]
    safe = re.sub(r"[^\w. ()-]", "_", name)[-80:].lstrip(". ") or "table.csv"
    file = workspace.data_home() / "choices" / name_of(root) / digest / safe
    workspace.write_atomically(file, lambda temporary: temporary.write_bytes(content))
    return file
