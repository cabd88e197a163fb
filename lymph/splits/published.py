"""Splits as people publish them: lists of names, tables with a column of sets, split files."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lymph.data.layout import set_name
from lymph.data.tables import read_columns, read_text
from lymph.errors import DataError, SplitError
from lymph.splits.split import VERSION

COMMENTS = ("#", "%")
# More cells than this in a line of a list are no labels.
MAX_CELLS = 20
# Names with blanks, cut at the first one, must stay this distinct: the rest was a label.
DISTINCT = 0.9
# A name up to its suffix; a blank and a label may follow.
_WITH_SUFFIX = re.compile(r".*?\.[A-Za-z][A-Za-z0-9]{0,5}(?=\s|$)")
_QUOTED = re.compile(r"""[\[({]?\s*(['"`])(?P<name>.+?)\1""")


class Row(NamedTuple):
    """What a published split says of one image, or of one patient where it lists patients.

    ``image`` is empty where only patients are listed, ``patient`` where the file does not tell it,
    ``set`` where it names none, else ``train``, ``val``, ``test``, ``fold N`` or another word.
    """

    image: str
    patient: str = ""
    set: str = ""


class Published(NamedTuple):
    """One file of a published split: its path or name, and its rows without repeats."""

    path: str
    rows: list[Row]

    @property
    def name(self) -> str:
        """Return the file's name without its folders."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]


def read_published(content: bytes | Path, path: str = "") -> Published:
    """Read one file of a published split, whatever its shape.

    A list has one name per line, with or without folders, quotes, suffixes, comments and labels
    behind a blank, comma or tab. A table is known by its column names, a split file of lymph and
    other JSON by its brackets.

    Parameters
    ----------
    content : bytes or Path
        A file's content, or the file.
    path : str
        The user's name of the file; a path's own by default.

    Raises
    ------
    SplitError
        When it is nothing of these.
    """
    path = path or str(content)
    name = Published(path, []).name[:80]
    if isinstance(content, Path) and not content.is_file():
        raise SplitError(f"There is no file {content}; give a list of names, a table or a split.")
    text = _without_comments(content, name)
    rows = _from_json(text, name)
    rows = _from_table(text, name) if rows is None else rows
    rows = _from_list(text) if rows is None else rows
    if not rows:
        raise SplitError(f"{name} names no pictures; a list has one picture name per line.")
    return Published(path, list(dict.fromkeys(rows)))


def _without_comments(content: bytes | Path, name: str) -> str:
    try:
        text = read_text(content, name)
    except DataError as error:
        raise SplitError(f"{error} Or give a list with one picture name per line.") from error
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(COMMENTS))


# ---- JSON ----------------------------------------------------------------------------------------


def _from_json(text: str, name: str) -> list[Row] | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            return None
        raise SplitError(f"{name} is damaged ({error}); get the file once more.") from error
    if isinstance(document, list):
        return _rows_of(document, "", False, name)
    return _from_sets(document, name)


def _from_sets(document: dict[str, Any], name: str) -> list[Row]:
    """Read a split file of lymph, or a plain object of lists by set."""
    if document.get("version", VERSION) != VERSION:
        raise SplitError(
            f"{name} has version {document['version']}, this program reads {VERSION}; update the"
            " program or make the split again."
        )
    groups = document.get("sets") or document.get("folds") or document
    if isinstance(groups, list):
        groups = {f"fold {i}": group for i, group in enumerate(groups, start=1)}
    by_patient = document.get("by") == "patient"
    lists = groups.items() if isinstance(groups, dict) else ()
    return [
        row
        for key, members in lists
        if isinstance(members, list)
        for row in _rows_of(members, _set_of(str(key)), by_patient, name)
    ]


def _rows_of(members: list[Any], home: str, by_patient: bool, name: str) -> list[Row]:
    if not all(isinstance(member, str) for member in members):
        raise SplitError(
            f"{name} holds more than lists of names; give a split.json, a table (CSV) or lists."
        )
    if by_patient:
        return [Row("", member, home) for member in members]
    return [Row(_clean(member), "", home) for member in members]


# ---- tables --------------------------------------------------------------------------------------


def _from_table(text: str, name: str) -> list[Row] | None:
    if not text.strip():
        return None
    try:
        table = read_columns(text.encode("utf-8", "replace"), name)
    except DataError as error:
        raise SplitError(str(error)) from error
    if not len(table.columns):
        return None
    if not {"picture", "patient"} & set(table.columns):
        raise SplitError(
            f"{name} has no column of pictures; let its first line name the columns, such as"
            " image,patient,set."
        )
    columns = table.reindex(columns=["picture", "patient", "set"], fill_value="")
    rows = [
        Row(_clean(picture), patient, _set_of(home))
        for picture, patient, home in columns.itertuples(index=False)
    ]
    return [row for row in rows if row.image or row.patient]


def _set_of(value: str) -> str:
    """Return the set that a cell names; a plain number is a fold."""
    number = re.fullmatch(r"(\d{1,3})(?:\.0)?", value, re.ASCII)
    return f"fold {int(number[1])}" if number else set_name(value) or value


# ---- lists ---------------------------------------------------------------------------------------


def _from_list(text: str) -> list[Row]:
    cells = [_cells(line.strip()) for line in text.split("\n") if line.strip()]
    # All names may stand in one line.
    names = cells[0] if len(cells) == 1 else _names_among(cells)
    cut = [_before_label(name) for name in names]
    kept = cut if len(set(cut)) >= DISTINCT * len(set(names)) else names
    return [Row(name) for name in map(_clean, kept) if name]


def _cells(line: str) -> list[str]:
    """Split a line of a list; what is in quotes at its start is its only cell."""
    quoted = _QUOTED.match(line)
    if quoted and line.count(quoted[1]) == 2:
        return [quoted["name"]]
    cells = [cell.strip() for cell in re.split(r"[\t,;]", line)]
    return [cell for cell in cells if cell] or [""]


def _names_among(cells: Sequence[Sequence[str]]) -> list[str]:
    """Take from each line the cell that is the name: suffixes tell it, else the most variety."""

    def score(place: int) -> tuple[int, int]:
        column = [row[place] for row in cells if place < len(row)]
        return sum(bool(_WITH_SUFFIX.match(cell)) for cell in column), len(set(column))

    width = min(MAX_CELLS, max(map(len, cells), default=1))
    best = max(range(width), key=score)
    return [row[best] if best < len(row) else row[0] for row in cells]


def _before_label(name: str) -> str:
    """Cut off what follows a suffix and a blank, or the first blank where there is no suffix."""
    found = _WITH_SUFFIX.match(name)
    return found[0] if found else name.split()[0] if name.split() else ""


def _clean(name: str) -> str:
    """Make one way of writing a path of all."""
    path = name.strip("'\"`[], \t").replace("\\", "/")
    return "/".join(part for part in path.split("/") if part not in ("", "."))
