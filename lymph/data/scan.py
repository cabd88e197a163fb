"""A folder of pictures becomes the picture table: one row a picture, class by class."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lymph.data import choices, depth
from lymph.data.memory import complete, recall, stamps_of
from lymph.data.names import compile_pattern, origin_of
from lymph.data.parallel import Progress
from lymph.data.read import SUFFIXES, read_header, read_with_notes
from lymph.data.stamps import cache_folder, stamp_of
from lymph.errors import DataError, PictureError
from lymph.facts import PATIENT_PATTERN

COLUMNS = ["picture", "label", "patient", "slide", "width", "height", "mode", "bytes", "problem"]


def find_pictures(root: Path) -> list[str]:
    """List every picture file below the class folders of ``root``, as paths with ``/``, sorted.

    A class is a sub-folder; deeper folders belong to it. Hidden files and folders (Jupyter keeps
    copies in ``.ipynb_checkpoints``) are passed over, and so are files that do not claim to be
    pictures.

    Raises
    ------
    DataError
        When the folder is missing or holds fewer than two class folders with pictures.
    """
    if not root.is_dir():
        raise DataError(f"There is no folder {root}; check the path.")
    found = sorted(
        name
        for folder in root.iterdir()
        if folder.is_dir() and not folder.name.startswith((".", "__"))
        for name in _pictures_below(root, folder)
    )
    if len({name.split("/")[0] for name in found}) < 2:
        raise DataError(
            f"{root} does not hold at least two class folders with pictures; put each class's"
            " pictures into a folder named like the class, such as CLL/, FL/ and MCL/."
        )
    return found


def _pictures_below(root: Path, folder: Path) -> Iterator[str]:
    """Yield the pictures below one class folder, as paths below the root."""
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = _name(Path(path).relative_to(root).as_posix())
        for file in files:
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in SUFFIXES:
                yield f"{below}/{_name(file)}"


def _name(path: str) -> str:
    """Return a path whose bytes that are no UTF-8 become ``?``, so that it can be written."""
    return path.encode("utf-8", "replace").decode("utf-8")


def read_patients_csv(path: Path) -> dict[str, str]:
    """Read a table ``picture,patient`` that takes the place of the patient pattern.

    Raises
    ------
    DataError
        When the file or one of its two columns is missing, or a picture has two patients.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            # A table without rows has to name its columns too.
            if not {"picture", "patient"} <= set(reader.fieldnames or ()):
                raise KeyError("picture, patient")
            rows = [(row["picture"], row["patient"].strip()) for row in reader]
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is not a table of patients; it needs the columns picture and patient."
        ) from error
    named: dict[str, str] = {}
    for picture, patient in rows:
        if named.setdefault(picture, patient) != patient:
            raise DataError(f"{path} gives {picture} two patients; keep the right one.")
    return named


def _examine(path: Path, decode: bool) -> dict[str, Any]:
    """Say what a file's header tells, and with ``decode`` what its pixels are found to be."""
    try:
        header = read_header(path)
        height, width, top = header.height, header.width, 0
        if decode:
            reading = read_with_notes(path)
            # Upright, where the header may lie on its side.
            (height, width, _), top = reading.pixels.shape, reading.top
    except PictureError as error:
        length = stamp_of(path)[1]
        nameless = "?" in str(path) and not path.exists()
        problem = "Its name is not UTF-8; rename the file." if nameless else str(error)
        facts = {"width": 0, "height": 0, "mode": "", "bytes": length, "problem": problem}
        return {**facts, "decoded": True, "top": 0}
    facts = {**header._asdict(), "width": width, "height": height, "problem": ""}
    return {**facts, "decoded": decode, "top": top}


def _memory_file(root: Path) -> Path:
    return cache_folder(root) / "scan.json"


def _remembered(root: Path, stamps: pd.DataFrame) -> pd.DataFrame:
    """Return the facts of unchanged files; those of an earlier reader count as not decoded."""
    known = recall(_memory_file(root), stamps)
    return known if "top" in known or known.empty else known.assign(decoded=False, top=0)


def _facts(
    root: Path, pictures: list[str], decode: bool, progress: Progress | None
) -> pd.DataFrame:
    """Examine new and changed files; what is remembered of the others is taken as it stands."""
    stamps = stamps_of(root, pictures)
    known = _remembered(root, stamps)
    if decode and len(known):
        known = known[known["decoded"].astype(bool)]
    memory_file = _memory_file(root)
    facts = complete(memory_file, known, stamps, lambda p: _examine(root / p, decode), progress)
    if decode:
        depth.store_depth(root, facts.loc[facts["problem"] == "", "top"])
    return facts


def count_unopened(root: Path | str) -> int:
    """Count the pictures whose pixels have not been decoded yet, so that damage may be unknown."""
    root = Path(root)
    stamps = stamps_of(root, find_pictures(root))
    known = _remembered(root, stamps)
    return len(stamps) - int(known["decoded"].sum() if len(known) else 0)


NO_PATIENT = (
    "The patient cannot be told from this name; rename the file, or give a pattern"
    " or a CSV table picture,patient."
)


def scan(
    root: Path | str,
    pattern: str = PATIENT_PATTERN,
    patients_csv: Path | None = None,
    progress: Progress | None = None,
    decode: bool = True,
) -> pd.DataFrame:
    """Make the picture table of a folder: one row a picture, sorted by path.

    Every new or changed file is decoded once, so that a damaged one is known before training;
    without ``decode`` only its header is read, which is enough for a first look. Both are
    remembered. Pictures that the user left out (``lymph.data.choices``) have that as a problem.

    Parameters
    ----------
    root : Path
        Folder with one sub-folder a class.
    pattern : str
        Regular expression that tells the patient from a file name (see ``lymph.data.names``).
    patients_csv : Path, optional
        Table ``picture,patient`` in place of the pattern; pictures as paths below ``root``.
    progress : callable, optional
        Called with the files done and the files to do.
    decode : bool
        Whether to decode the files that were not decoded before.

    Returns
    -------
    DataFrame
        Columns ``picture label patient slide width height mode bytes problem``; ``problem`` is
        empty for a sound picture.

    Raises
    ------
    DataError
        When the folder, the pattern or the table cannot serve.
    """
    root = Path(root)
    compiled = compile_pattern(pattern)
    named = read_patients_csv(patients_csv) if patients_csv else None
    pictures = find_pictures(root)
    facts = _facts(root, pictures, decode, progress)
    if named is None:
        origins = [origin_of(picture, compiled) or ("", "") for picture in pictures]
    else:
        origins = [(named.get(picture, ""),) * 2 for picture in pictures]
    table = facts.reset_index(drop=True).assign(
        picture=pictures,
        label=[picture.split("/", 1)[0] for picture in pictures],
        patient=[origin[0] for origin in origins],
        slide=[origin[1] for origin in origins],
    )
    table["problem"] = _problems(table, choices.left_out(root))
    return table[COLUMNS]


def _problems(table: pd.DataFrame, left_out: dict[str, str]) -> list[str]:
    """Name each picture's first problem: a damaged file, a choice of the user, no patient."""
    rows = zip(table["picture"], table["problem"], table["patient"], strict=True)
    return [
        problem or left_out.get(picture, "") or ("" if patient else NO_PATIENT)
        for picture, problem, patient in rows
    ]


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sound pictures, numbered anew from 0.

    Raises
    ------
    DataError
        When fewer than two classes have a sound picture.
    """
    sound = table[table["problem"] == ""].reset_index(drop=True)
    if sound["label"].nunique() < 2:
        problems = [problem for problem in table["problem"] if problem]
        first = f" See the list of problems; the first is: {problems[0]}" if problems else ""
        raise DataError(f"Fewer than two classes have pictures that can be used.{first}")
    return sound


def classes_of(table: pd.DataFrame) -> list[str]:
    """Return the class names in the order used everywhere: sorted."""
    return sorted(table.loc[table["problem"] == "", "label"].unique())


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Count sound pictures, classes, patients and slides, and list the problems."""
    sound = table[table["problem"] == ""]
    bad = table[table["problem"] != ""]
    return {
        "pictures": len(sound),
        "classes": {name: int((sound["label"] == name).sum()) for name in classes_of(table)},
        "patients": int(sound["patient"].nunique()),
        "slides": int(sound["slide"].nunique()),
        "problems": bad[["picture", "problem"]].to_dict("records"),
    }
