"""Splits with a name, kept in the workspace; and splits as tables for other programs."""

import contextlib
import csv
import io
import json
from pathlib import Path

import pandas as pd

from lymph.data.decisions import name_of
from lymph.database import reading, transaction
from lymph.errors import SplitError
from lymph.splits.split import SET_NAMES, By, Split
from lymph.text import as_cell, from_cell

MAX_NAME = 60
# What a document raises that is no split.
NO_SPLIT = (SplitError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def save_split(root: Path | str, name: str, split: Split, copy: str = "") -> str:
    """Keep a split of a data root under a name.

    Returns
    -------
    str
        The name; with a number where another split has it already.

    Raises
    ------
    SplitError
        When the name is empty or too long.
    """
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise SplitError(f"Give the split a name of 1 to {MAX_NAME} characters.")
    place, text = name_of(root, copy), json.dumps(split.to_json())
    with transaction() as database:
        query = "SELECT name, value FROM splits WHERE place = ?"
        known = dict(database.execute(query, [place]))
        free, count = name, 2
        while known.get(free, text) != text:
            free, count = f"{name} ({count})", count + 1
        database.execute("INSERT OR REPLACE INTO splits VALUES (?, ?, ?)", [place, free, text])
    return free


def list_splits(root: Path | str, copy: str = "") -> dict[str, Split]:
    """Return the readable splits that were saved for a data root, by name."""
    query = "SELECT name, value FROM splits WHERE place = ? ORDER BY name"
    with reading() as database:
        rows = database.execute(query, [name_of(root, copy)]).fetchall()
    found = {}
    for name, text in rows:
        with contextlib.suppress(*NO_SPLIT):
            found[name] = Split.from_json(json.loads(text))
    return found


def delete_split(root: Path | str, name: str, copy: str = "") -> None:
    """Forget a saved split."""
    with transaction() as database:
        row = [name_of(root, copy), name]
        database.execute("DELETE FROM splits WHERE place = ? AND name = ?", row)


def to_csv(table: pd.DataFrame, split: Split) -> str:
    """Return a table ``picture,label,patient,set`` of a split, as CSV safe in a spreadsheet."""
    rows = table[["picture", "label", "patient"]].assign(set=split.assign(table))
    return rows.map(as_cell).to_csv(index=False)


def from_csv(text: str) -> Split:
    """Read a split from a table with a column ``set`` (or ``fold``), and pictures or patients.

    Where every patient of the table is in one set, the split is by patient.

    Raises
    ------
    SplitError
        When a column is missing or a set has another name than train, val, test or a fold's.
    """
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    rows = [{name: from_cell(cell or "") for name, cell in row.items() if name} for row in lines]
    columns = set(rows[0]) if rows else set()
    home = next((name for name in ("set", "fold") if name in columns), "")
    if not home or not columns & {"picture", "patient"}:
        raise SplitError("A table of a split needs a column set, and a column picture or patient.")
    by_patient = "patient" in columns and all(row["patient"] for row in rows)
    if by_patient:
        by_patient = len({(r["patient"], r[home]) for r in rows}) == len(
            {r["patient"] for r in rows}
        )
    member = "patient" if by_patient else "picture"
    if member not in columns:
        raise SplitError("A patient is in two sets of the table; add a column picture.")
    groups: dict[str, list[str]] = {}
    for row in rows:
        if row[home]:
            groups.setdefault(row[home], []).append(row[member])
    unique = {name: list(dict.fromkeys(members)) for name, members in groups.items()}
    return _from_groups("patient" if by_patient else "picture", unique)


def _from_groups(by: By, groups: dict[str, list[str]]) -> Split:
    if set(groups) <= set(SET_NAMES):
        return Split(by, 0, {name: groups.get(name, []) for name in SET_NAMES})
    numbers = {name: name.removeprefix("fold").strip() for name in groups}
    if not all(number.isdigit() for number in numbers.values()):
        strange = next(name for name in groups if name not in SET_NAMES)
        raise SplitError(
            f"The table has a set {strange!r}; the sets are train, val and test, or fold 1, fold 2"
            " and so on."
        )
    ordered = sorted(groups, key=lambda name: int(numbers[name]))
    return Split(by, 0, folds=[groups[name] for name in ordered])


def from_file(name: str, content: bytes) -> Split:
    """Read an uploaded ``split.json`` or table.

    Raises
    ------
    SplitError
        When it is neither.
    """
    try:
        text = content.decode("utf-8")
        return (
            from_csv(text) if name.lower().endswith(".csv") else Split.from_json(json.loads(text))
        )
    except SplitError:
        raise
    except (*NO_SPLIT, csv.Error) as error:
        raise SplitError(
            f"{name[:80]} is no split; give a split.json, or a CSV with columns picture and set."
        ) from error
