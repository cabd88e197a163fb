"""What other files hold, for the database: JSON files of an earlier version, and other databases.

An older file is read once; then it lies in the workspace's folder ``older``, whole.
"""

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lymph import workspace

OLDER = "older"
# The database of an earlier version, and what it held.
CLASS, CLASS_TABLES = "class.sqlite3", ("visitors", "owners", "copies")
# What SQLite keeps beside a file.
BESIDE = ("-wal", "-shm")

# A row, after the table that it belongs to.
Row = tuple[str, Sequence[Any]]


def older_files(home: Path) -> list[Path]:
    """List what an earlier version has left in a workspace; what comes first counts first."""
    data = home / "data"
    found = [home / CLASS, data / "data-sets.json", home / "runs" / "elsewhere.json"]
    for pattern in ("choices/*.json", "choices/*.csv", "splits/*/*.json"):
        found += sorted(data.glob(pattern))
    return [path for path in found if path.is_file()]


def take_over(database: sqlite3.Connection, home: Path) -> dict[Path, bool]:
    """Copy what older files hold, of damaged ones what can be read; what is known stays as it is.

    Returns
    -------
    dict of Path to bool
        The files that were read, and whether each was sound.
    """
    taken = {}
    for file in older_files(home):
        if file.name == CLASS:
            taken[file] = not copy_rows(database, file, CLASS_TABLES)
            continue
        with contextlib.suppress(OSError):  # what cannot be read now stays where it is
            rows, taken[file] = _rows_of(file)
            for table, row in rows:
                _insert(database, table, row)
    return taken


def put_away(file: Path, home: Path, sound: bool) -> None:
    """Move a file that was taken over to where it is kept, but for a table, which is in use."""
    if file.suffix == ".csv":
        return
    target = home / OLDER / file.relative_to(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    move(file, target if sound else target.with_name(target.name + workspace.DAMAGED))


def keep_copy(file: Path, to: Path) -> Path:
    """Copy a file, with what SQLite keeps beside it, and return the copy's name: one that is free.

    The copy is nobody's: whoever has the file open still can change it after it was moved, and by
    closing it removes what lies beside it.
    """
    to = _free(to)
    for end in BESIDE:
        with contextlib.suppress(FileNotFoundError):
            _copy(Path(f"{file}{end}"), Path(f"{to}{end}"))
    _copy(file, to)
    return to


def _copy(file: Path, to: Path) -> None:
    workspace.write_atomically(to, partial(shutil.copyfile, file))


def move(file: Path, to: Path) -> None:
    """Move a file, with what SQLite keeps beside it, to a name that is free."""
    to = _free(to)
    for end in ("", *BESIDE):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{file}{end}", f"{to}{end}")


def remove_beside(file: Path) -> None:
    """Remove what SQLite keeps beside a file."""
    for end in ("-journal", *BESIDE):
        Path(f"{file}{end}").unlink(missing_ok=True)


def _free(path: Path) -> Path:
    stem, count = path.name, 2
    while path.exists():
        path, count = path.with_name(f"{stem}-{count}"), count + 1
    return path


def copy_rows(database: sqlite3.Connection, file: Path, tables: Iterable[str]) -> list[str]:
    """Copy tables of another database; return those that could not be read to their end."""
    damaged = []
    for table in tables:
        columns, rows, whole = _rows_in(file, table)
        for row in rows:
            _insert(database, f"{table} ({', '.join(columns)})", row)
        damaged += [] if whole else [table]
    return damaged


def _rows_in(file: Path, table: str) -> tuple[list[str], list[Sequence[Any]], bool]:
    columns: list[str] = []
    rows: list[Sequence[Any]] = []
    # Where nothing may be written, SQLite reads only what it is told that nobody changes.
    for how in ("mode=ro", "immutable=1"):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"{file.as_uri()}?{how}", uri=True)) as other,
        ):
            found = other.execute(f"SELECT * FROM {table}")
            columns, rows = [column[0] for column in found.description], []
            rows.extend(found)
            return columns, rows, True
    return columns, rows, False


def _insert(database: sqlite3.Connection, table: str, row: Sequence[Any]) -> None:
    marks = ", ".join("?" * len(row))
    database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)


def _rows_of(file: Path) -> tuple[list[Row], bool]:
    """Return the rows that an older file stands for, and whether it holds nothing else."""
    if file.suffix == ".csv":  # a table of patients
        return [_decision(file, "source", {"patients_file": str(file)})], True
    try:
        document = workspace.read_json(file)
    except (ValueError, RecursionError):
        return [], False
    if file.name == "elsewhere.json":
        entries = document if isinstance(document, list) else [None]
        rows: list[Row] = [("elsewhere", [path]) for path in entries if _is_path(path)]
        return rows, len(rows) == len(entries)
    if not isinstance(document, dict):
        return [], False
    if file.parent.name == "choices":
        return _decisions(file, document)
    if file.name == "data-sets.json":
        rows = [("data_sets", item) for item in document.items() if _is_path(item[1])]
        return rows, len(rows) == len(document)
    return [("splits", [file.parent.name, unquote(file.stem), json.dumps(document)])], True


def _decisions(file: Path, document: dict[str, Any]) -> tuple[list[Row], bool]:
    excluded, source = document.get("left_out") or {}, document.get("source") or {}
    sound = isinstance(excluded, dict) and isinstance(source, dict)
    if not source and document.get("pattern") and not file.with_suffix(".csv").exists():
        source = {"pattern": str(document["pattern"])}
    values = {"source": source, "not_unpacked": document.get("not_unpacked")}
    rows = [_decision(file, name, value) for name, value in values.items() if value]
    if isinstance(excluded, dict):
        rows += [("exclusions", [file.stem, name, str(why)]) for name, why in excluded.items()]
    return rows, sound


def _decision(file: Path, name: str, value: Any) -> Row:
    return ("decisions", [file.stem, name, json.dumps(value)])


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value
