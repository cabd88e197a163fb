"""Tables that say something of pictures, as spreadsheets and data sets write them."""

import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lymph import workspace
from lymph.data.read import SUFFIXES
from lymph.errors import DataError
from lymph.text import from_cell

MAX_BYTES = 50_000_000

# What a column may be called, the best first; case, blanks, underscores and hyphens do not count.
# Where a table has several for one meaning, the first in this order is taken.
COLUMNS: dict[str, tuple[str, ...]] = {
    "picture": (
        *("picture", "image", "file", "filename", "imageid", "imagename", "img", "path"),
        *("filepath", "imagepath", "imagefile", "imagefilename", "imgname", "imgid", "imgpath"),
        *("pictureid", "picturename", "imageindex", "isicid", "images", "files", "name", "id"),
    ),
    "label": ("label", "class", "dx", "diagnosis", "category", "target", "labels", "type"),
    "patient": (
        *("patient", "patientid", "subject", "subjectid", "case", "caseid", "lesionid", "person"),
        *("personid", "donor", "donorid", "participant", "participantid"),
    ),
    "set": ("set", "split", "fold", "partition", "subset", "usage"),
}
SAYING = ("label", "patient", "set")

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")


def read_table(content: bytes | Path, name: str = "") -> pd.DataFrame:
    """Read a table of labels, patients or sets from the bytes of a file.

    Commas, semicolons or tabs; UTF-8, UTF-16 with its mark, or Windows' Latin letters; the line
    ends of any system. Columns are known by their usual names (``COLUMNS``). Where no column
    holds labels, columns of 0 and 1 with exactly one 1 per row are taken as one label each, which
    is how the ISIC challenges write them.

    Parameters
    ----------
    content : bytes or Path
        A file's content, or the file.
    name : str
        The user's name of the file, for messages; a path's own by default.

    Returns
    -------
    DataFrame
        One row per picture, columns of text: ``picture``, and those of ``label``, ``patient`` and
        ``set`` that the table has; "" where a cell is empty.

    Raises
    ------
    DataError
        When it is no such table, or says two different things of one picture.
    """
    name = name or (content.name if isinstance(content, Path) else "The table")
    text, delimiter = _without_sep(read_text(content, name))
    delimiter = delimiter or _delimiter(text)
    columns = _columns(text, delimiter, name)
    frame = pd.DataFrame(_cells(columns, name))
    return _one_row_each(frame[frame["picture"] != ""], name)


def read_columns(content: bytes | Path, name: str = "") -> pd.DataFrame:
    """Read the columns with usual names as they stand, whatever a table is for.

    Unlike ``read_table`` it needs no column of pictures, and one picture may have several rows
    that contradict each other, as in a published split that uses it twice.

    Returns
    -------
    DataFrame
        Columns of text among ``picture``, ``label``, ``patient`` and ``set``; none where the first
        line names none of them, as in a plain list.

    Raises
    ------
    DataError
        When it is no text, or its rows and columns do not fit.
    """
    name = name or (content.name if isinstance(content, Path) else "The table")
    text, delimiter = _without_sep(read_text(content, name))
    delimiter = delimiter or _delimiter(text)
    header = _header(text, delimiter)
    places = _meanings(header)
    if not places:
        return pd.DataFrame()
    rows = list(_filled(_rows(text, delimiter), len(header), list(places.values()), name))
    if len(rows) < 2:
        raise DataError(f"{name} has column names but no rows; it needs a row per picture.")
    columns = zip(places, zip(*rows[1:], strict=True), strict=True)
    return pd.DataFrame({meaning: _stripped(cells) for meaning, cells in columns})


def read_text(content: bytes | Path, name: str) -> str:
    """Read a file as text: UTF-8, UTF-16 with its mark, or Windows' Latin letters.

    Raises
    ------
    DataError
        When it cannot be read, is too large, is empty or is no text.
    """
    return _text(_bytes(content, name), name)


def _bytes(content: bytes | Path, name: str) -> bytes:
    if isinstance(content, Path):
        try:
            with content.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise DataError(f"{name} cannot be read ({error.strerror}); check its path.") from error
    if len(content) > MAX_BYTES:
        raise DataError(
            f"{name} is larger than {MAX_BYTES // 1_000_000} MB; keep only the columns picture,"
            " label, patient and set."
        )
    return content


def _text(content: bytes, name: str) -> str:
    """Decode a table and make its line ends Unix's."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(
            f"{name} is a spreadsheet or an archive; open it in the spreadsheet program, save it"
            " as CSV and give that file."
        )
    text = _decoded(content)
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        raise DataError(f"{name} is not a table of text; save it as CSV (UTF-8).")
    if not text.strip():
        raise DataError(f"{name} is empty; it needs a line of column names and a line per picture.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str:
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _without_sep(text: str) -> tuple[str, str]:
    """Take off Excel's leading line ``sep=;``; return the rest and the delimiter ("" if none)."""
    first, _, rest = text.lstrip().partition("\n")
    match = re.fullmatch(r'"?sep=([,;|\t])"?\s*', first, re.IGNORECASE)
    # A tab at the end of the line is what it names.
    return (rest, match[1]) if match else (text, "")


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the first line into the most known columns."""

    def columns(delimiter: str) -> tuple[int, int]:
        header = _header(text, delimiter)
        return len(_meanings(header)), len(header)

    return max(",;\t", key=columns)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(
        io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True
    )
    # A line of commas alone is what spreadsheets leave of an empty row.
    return ([from_cell(cell) for cell in row] for row in reader if any(row))


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(_rows(text, delimiter), [])]
    except csv.Error:
        return []


def _meanings(header: Sequence[str]) -> dict[str, int]:
    """Return which column has which meaning, by the order of ``COLUMNS``."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        places.setdefault(re.sub(r"[\s_\-]+", "", cell).lower(), place)
    return {
        meaning: next(places[known] for known in names if known in places)
        for meaning, names in COLUMNS.items()
        if places.keys() & set(names)
    }


class _Columns(NamedTuple):
    """The cells of a table by column, with its header and what its columns mean."""

    header: list[str]
    meanings: dict[str, int]
    cells: list[tuple[str, ...]]


def _columns(text: str, delimiter: str, name: str) -> _Columns:
    """Read the cells that may say something."""
    header = _header(text, delimiter)
    meanings = _meanings(header)
    if "picture" not in meanings:
        found = ", ".join(header)[:100]
        raise DataError(
            f"{name} has no column of pictures (its first line is: {found}); let the first line"
            " name the columns, such as picture,label,patient,set."
        )
    # Without a column of labels, any other may be the 0 and 1 of one label.
    places = sorted(meanings.values()) if "label" in meanings else list(range(len(header)))
    rows = list(_filled(_rows(text, delimiter), len(header), places, name))
    kept = {meaning: places.index(place) for meaning, place in meanings.items()}
    cells = list(zip(*rows[1:], strict=True))
    return _Columns([header[place] for place in places], kept, cells)


def _filled(
    rows: Iterator[list[str]], width: int, places: list[int], name: str
) -> Iterator[list[str]]:
    """Yield the wanted cells of each row; rows that end early are filled up with empty cells."""
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            if len(row) > width and any(row[width:]):
                raise DataError(
                    f"{name} has {len(row)} cells in row {number}, but {width} column names;"
                    ' put cells that hold the separator into "quotes".'
                )
            row += [""] * (width - len(row))
            yield [row[place] for place in places]
    except csv.Error as error:
        raise DataError(
            f"{name} has a faulty quote after row {number} ({error}); save it again as CSV."
        ) from error


def _cells(columns: _Columns, name: str) -> dict[str, pd.Series]:
    """Return the columns that say something, stripped."""
    if not columns.cells:
        raise DataError(f"{name} has column names but no rows; it needs a row per picture.")
    cells = {
        meaning: _stripped(columns.cells[columns.meanings[meaning]])
        for meaning in COLUMNS
        if meaning in columns.meanings
    }
    if "label" not in cells:
        labels = _one_hot(columns)
        if labels is not None:
            cells["label"] = labels
    if len(cells) < 2:
        raise DataError(
            f"{name} says nothing of its pictures; it needs a column label, patient or set, or a"
            " column per class with exactly one 1 in each row."
        )
    return {meaning: cells[meaning] for meaning in COLUMNS if meaning in cells}


def _stripped(cells: Sequence[str]) -> pd.Series:
    return pd.Series([cell.strip() for cell in cells], dtype=str)


_ONES = frozenset({"1", "1.0", "true"})
_ZEROS = frozenset({"0", "0.0", "false"})


def _one_hot(columns: _Columns) -> pd.Series | None:
    """Return the labels that columns of 0 and 1 write, or None where they write none."""
    used = set(columns.meanings.values())
    ones: dict[str, pd.Series] = {}
    for place, header in enumerate(columns.header):
        distinct = set() if place in used else set(columns.cells[place])
        signs = {cell: cell.strip().lower() for cell in distinct}
        if distinct and header and set(signs.values()) <= _ONES | _ZEROS:
            marked = {cell for cell, sign in signs.items() if sign in _ONES}
            ones[header] = pd.Series(columns.cells[place], dtype=str).isin(marked)
    marks = pd.DataFrame(ones)
    # Rows without a picture are dropped later, and say nothing here.
    named = _stripped(columns.cells[columns.meanings["picture"]]) != ""
    if len(ones) < 2 or not (marks.sum(axis=1)[named] == 1).all():
        return None
    return marks.idxmax(axis=1).astype(str)


def _one_row_each(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Merge the rows of one picture, which may complete but not contradict each other."""
    if frame.empty:
        raise DataError(f"{name} has no rows with a picture; it needs a row per picture.")
    if not frame["picture"].duplicated().any():
        return frame.reset_index(drop=True)
    merged = frame[["picture"]].drop_duplicates().reset_index(drop=True)
    for column in frame.columns[1:]:
        said = frame.loc[frame[column] != "", ["picture", column]].drop_duplicates()
        twice = said.loc[said["picture"].duplicated(), "picture"]
        if len(twice):
            first = twice.iloc[0]
            one, other = said.loc[said["picture"] == first, column].iloc[:2]
            raise DataError(
                f"{name} gives {first} two {column}s, {one} and {other}; keep the right one."
            )
        known = merged["picture"].map(said.set_index("picture")[column])
        merged[column] = known.fillna("").astype(str)
    return merged


class Matched(NamedTuple):
    """What a table says of the pictures of a data root.

    ``rows`` is indexed by picture in the order asked for, with the columns ``label patient set``,
    "" where unknown; ``matched`` counts the pictures that the table names; ``sentence`` says in
    words what is unmet, "" when nothing is.
    """

    rows: pd.DataFrame
    matched: int
    unmet_pictures: list[str]
    unmet_rows: list[str]
    sentence: str


def match_table(table: pd.DataFrame, pictures: list[str], name: str = "") -> Matched:
    """Find each picture's row in a table.

    A row names a picture by its path, else by the end of its path or of the picture's (whole
    folders, in any case, with either slash), else by the same without the file's suffix. The more
    exact way goes first, and the longer end. What fits several pictures, or shares a picture with
    another row, is left unmet.

    Parameters
    ----------
    table : DataFrame
        As ``read_table`` returns it.
    pictures : list of str
        Paths below a data root, with ``/``.
    name : str
        The user's name of the file, for messages.

    Raises
    ------
    DataError
        When the table names none of the pictures.
    """
    named = table["picture"].tolist()
    found, ambiguous = _pairs(named, pictures)
    title = f"The table {name}" if name else "The table"
    if not found:
        raise DataError(_nothing_met(title, named, pictures, ambiguous))
    taken = set(found.values())
    unmet_pictures = [picture for place, picture in enumerate(pictures) if place not in found]
    unmet_rows = [row for place, row in enumerate(named) if place not in taken]
    chosen = table.iloc[[found[place] for place in sorted(found)]]
    rows = chosen.set_axis([pictures[place] for place in sorted(found)])
    rows = rows.reindex(columns=list(SAYING), fill_value="").reindex(pictures, fill_value="")
    rows.index.name = "picture"
    sentence = _sentence(title, len(pictures), unmet_pictures, unmet_rows, ambiguous)
    return Matched(rows, len(found), unmet_pictures, unmet_rows, sentence)


_OTHER_SUFFIXES = {
    ".gif",
    ".jp2",
    ".dcm",
    ".svs",
    ".ndpi",
    ".mrxs",
    ".scn",
    ".heic",
    ".nii",
    ".npy",
}
_SUFFIX = re.compile(
    f"(?:{'|'.join(re.escape(suffix) for suffix in sorted(SUFFIXES | _OTHER_SUFFIXES))})$"
)


def _parts(paths: Iterable[str]) -> list[list[str]]:
    """Split paths into folders and file, with all that does not count made alike."""
    return [[part for part in _alike(path).split("/") if part not in ("", ".")] for path in paths]


def _alike(path: str) -> str:
    # File systems differ in how they write an accent.
    return unicodedata.normalize("NFC", path).replace("\\", "/").casefold()


def _bare(paths: list[list[str]]) -> list[list[str]]:
    return [[*parts[:-1], _SUFFIX.sub("", parts[-1])] if parts else parts for parts in paths]


def _pairs(named: list[str], pictures: list[str]) -> tuple[dict[int, int], int]:
    """Return each met picture's row, by position, and how many rows are ambiguous."""
    exact = {row: place for place, row in enumerate(named)}
    found = {place: exact[p] for place, p in enumerate(pictures) if p in exact}
    rows, wanted = _parts(named), _parts(pictures)
    if len(found) < min(len(named), len(pictures)):
        _meet(rows, wanted, found)
    rows, wanted = _bare(rows), _bare(wanted)
    if len(found) < min(len(named), len(pictures)):
        _meet(rows, wanted, found)
    taken = set(found.values())
    left = [parts for place, parts in enumerate(rows) if place not in taken]
    return found, _count_fitting(left, wanted)


def _meet(rows: list[list[str]], wanted: list[list[str]], found: dict[int, int]) -> None:
    """Add the pairs of which one path is the end of the other, the longest ends first."""
    taken = set(found.values())
    deepest = max(map(len, wanted), default=0)
    for depth in range(deepest, 0, -1):
        for row_is_shorter in (True, False):
            row_of = _unique_ends(rows, depth, row_is_shorter)
            picture_of = _unique_ends(wanted, depth, not row_is_shorter)
            for end in row_of.keys() & picture_of.keys():
                place, row = picture_of[end], row_of[end]
                if place >= 0 and row >= 0 and place not in found and row not in taken:
                    found[place] = row
                    taken.add(row)


def _unique_ends(paths: list[list[str]], depth: int, whole: bool) -> dict[str, int]:
    """Return the paths' last ``depth`` parts with their places, -1 for what several share.

    With ``whole``, only paths of just that depth.
    """
    ends: dict[str, int] = {}
    for place, parts in enumerate(paths):
        if len(parts) == depth or (len(parts) > depth and not whole):
            end = "/".join(parts[-depth:])
            ends[end] = -1 if end in ends else place
    return ends


def _count_fitting(rows: list[list[str]], wanted: list[list[str]]) -> int:
    """Count the unmet rows that fit a picture all the same, but not alone."""
    if not rows:
        return 0
    whole = {"/".join(parts) for parts in wanted}
    deepest = max(map(len, wanted), default=0)
    ends = {"/".join(parts[-k:]) for parts in wanted for k in range(1, len(parts) + 1)}
    return sum(
        "/".join(parts) in ends
        or any("/".join(parts[-k:]) in whole for k in range(1, min(len(parts), deepest + 1)))
        for parts in rows
        if len(parts)
    )


def _nothing_met(title: str, named: list[str], pictures: list[str], ambiguous: int) -> str:
    one, first = next(iter(pictures), "none"), next(iter(named), "none")
    remedy = (
        "each of its names fits several pictures, or shares one; write them with their folder"
        if ambiguous
        else "write the pictures in it as they are called here"
    )
    return f"{title} names none of the pictures (it has {first}, here is {one}): {remedy}."


def _sentence(title: str, count: int, pictures: list[str], rows: list[str], ambiguous: int) -> str:
    """Say what is unmet: pictures without a row, rows without a picture, ambiguous rows."""
    said = []
    if pictures:
        said.append(
            f"{title} names {count - len(pictures)} of {count} pictures; not among them:"
            f" {_some(pictures)}."
        )
    strange = len(rows) - ambiguous
    if strange:
        opening = "It has" if said else f"{title} has"
        said.append(
            f"{opening} {strange} {'row' if strange == 1 else 'rows'} without a picture here"
            + ("." if ambiguous else f": {_some(rows)}.")
        )
    if ambiguous:
        one = ambiguous == 1
        said.append(
            f"{ambiguous} of its names {'is' if one else 'are'} ambiguous and not used: write"
            f" {'it' if one else 'them'} with the folder."
        )
    return " ".join(said)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


def is_table(path: Path | str) -> bool:
    """Tell by a file's suffix whether it may be a table."""
    return os.path.splitext(path)[1].lower() in TABLE_SUFFIXES


# A text file may lie beside every picture; a table is a CSV, or one of the largest of these.
MAX_TRIED = 12
# A row says something of a picture in at least so many bytes, as in "1,a\n".
BYTES_PER_ROW = 4


def find_table(folder_files: list[Path], pictures: list[str]) -> Path | None:
    """Find the one table among files that names at least half of the pictures.

    Parameters
    ----------
    folder_files : list of Path
        Files of any kind that lie beside the pictures.
    pictures : list of str
        Paths below a data root, with ``/``.

    Returns
    -------
    Path or None
        None where no file does, or several name equally many.
    """
    least = max(1, (len(pictures) + 1) // 2)
    tables = [
        (size, path)
        for path in folder_files
        if is_table(path) and (size := workspace.size_of(path)) >= least * BYTES_PER_ROW
    ]
    tables.sort(key=lambda table: (table[1].suffix.lower() != ".txt", table[0]), reverse=True)
    met = [(_met(path, pictures), path) for _, path in tables[:MAX_TRIED]]
    best = max((count for count, _ in met), default=0)
    winners = [path for count, path in met if count == best]
    return winners[0] if best >= least and len(winners) == 1 else None


def _met(path: Path, pictures: list[str]) -> int:
    try:
        return match_table(read_table(path), pictures).matched
    except DataError:
        return 0
