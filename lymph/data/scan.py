"""A folder of pictures becomes the picture table: one row a picture, class by class."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import workspace
from lymph.data.names import compile_pattern, origin_of
from lymph.data.parallel import Progress, map_in_threads
from lymph.data.read import SUFFIXES, read_header, read_picture
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
        _name(path.relative_to(root))
        for folder in root.iterdir()
        if folder.is_dir() and not folder.name.startswith((".", "__"))
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.is_dir()
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if len({name.split("/")[0] for name in found}) < 2:
        raise DataError(
            f"{root} does not hold at least two class folders with pictures; put each class's"
            " pictures into a folder named like the class, such as CLL/, FL/ and MCL/."
        )
    return found


def _name(path: Path) -> str:
    """Return a path with ``/``; bytes that are no UTF-8 become ``?``, so that it can be written."""
    return path.as_posix().encode("utf-8", "replace").decode("utf-8")


def read_patients_csv(path: Path) -> dict[str, str]:
    """Read a table ``picture,patient`` that takes the place of the patient pattern.

    Raises
    ------
    DataError
        When the file or one of its two columns is missing, or a picture has two patients.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = [(row["picture"], row["patient"].strip()) for row in csv.DictReader(lines)]
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is not a table of patients; it needs the columns picture and patient."
        ) from error
    named: dict[str, str] = {}
    for picture, patient in rows:
        if named.setdefault(picture, patient) != patient:
            raise DataError(f"{path} gives {picture} two patients; keep the right one.")
    return named


def _examine(path: Path) -> dict[str, Any]:
    """Decode a picture once and say what it is, or why it cannot serve."""
    try:
        header = read_header(path)
        height, width, _ = read_picture(path).shape  # upright, where the header may lie on its side
    except PictureError as error:
        length = stamp_of(path)[1]
        nameless = "?" in str(path) and not path.exists()
        problem = "Its name is not UTF-8; rename the file." if nameless else str(error)
        return {"width": 0, "height": 0, "mode": "", "bytes": length, "problem": problem}
    return {**header._asdict(), "width": width, "height": height, "problem": ""}


def _facts(root: Path, pictures: list[str], progress: Progress | None) -> dict[str, dict[str, Any]]:
    """Examine new and changed files; what is remembered of the others is taken as it stands."""
    memory_file = cache_folder(root) / "scan.json"
    try:
        memory = workspace.read_json(memory_file)
    except (OSError, ValueError):
        memory = {}
    stamps = {picture: list(stamp_of(root / picture)) for picture in pictures}
    fresh = [p for p in pictures if memory.get(p, {}).get("stamp") != stamps[p]]
    examined = map_in_threads(lambda picture: _examine(root / picture), fresh, progress)
    new = {p: {"stamp": stamps[p], "facts": f} for p, f in zip(fresh, examined, strict=True)}
    if fresh or len(memory) != len(pictures):
        memory = {p: new.get(p) or memory[p] for p in pictures}
        workspace.write_json(memory_file, memory)
    return {p: dict(memory[p]["facts"]) for p in pictures}


def _row(picture: str, facts: dict[str, Any], patient: str, slide: str) -> dict[str, Any]:
    problem = facts["problem"]
    if not problem and not patient:
        problem = (
            "The patient cannot be told from this name; rename the file, or give a pattern"
            " or a CSV table picture,patient."
        )
    label = picture.split("/")[0]
    return {
        **facts,
        "picture": picture,
        "label": label,
        "patient": patient,
        "slide": slide,
        "problem": problem,
    }


def scan(
    root: Path | str,
    pattern: str = PATIENT_PATTERN,
    patients_csv: Path | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Make the picture table of a folder: one row a picture, sorted by path.

    Every new or changed file is decoded once, so that a damaged one is known before training.

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
    facts = _facts(root, pictures, progress)
    rows = []
    for picture in pictures:
        if named is None:
            patient, slide = origin_of(picture, compiled) or ("", "")
        else:
            patient = slide = named.get(picture, "")
        rows.append(_row(picture, facts[picture], patient, slide))
    return pd.DataFrame(rows, columns=COLUMNS)


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
