"""What the files of pictures are found to be, and the picture table read and counted."""

from pathlib import Path
from typing import Any

import pandas as pd

from lymph.data import cache, depth
from lymph.data.read import read_header, read_with_notes
from lymph.data.stamps import cache_folder, stamp_of
from lymph.errors import DataError, PictureError
from lymph.parallel import Progress

COLUMNS = ["picture", "label", "patient", "slide", "width", "height", "mode", "bytes", "problem"]


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


def _cache_file(root: Path) -> Path:
    return cache_folder(root) / "scan.json"


def _cached(root: Path, stamps: pd.DataFrame) -> pd.DataFrame:
    """Return the facts of unchanged files; those of an earlier reader count as not decoded."""
    known = cache.load(_cache_file(root), stamps)
    return known if "top" in known or known.empty else known.assign(decoded=False, top=0)


def examine(
    root: Path, pictures: list[str], decode: bool = True, progress: Progress | None = None
) -> pd.DataFrame:
    """Examine new and changed files; what is cached of the others is taken as it stands.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : list of str
        Paths below it.
    decode : bool
        Whether to decode files that were not decoded before; otherwise their header is enough.
    progress : callable, optional
        Called with the files done and the files to do.

    Returns
    -------
    DataFrame
        Columns ``width height mode bytes problem decoded``, indexed by picture; ``problem`` is
        empty where the file is sound.
    """
    stamps = cache.stamps_of(root, pictures)
    known = _cached(root, stamps)
    if decode and len(known):
        known = known[known["decoded"].astype(bool)]
    cache_file = _cache_file(root)
    facts = cache.fill(cache_file, known, stamps, lambda p: _examine(root / p, decode), progress)
    if decode:
        depth.store_depth(root, facts.loc[facts["problem"] == "", "top"])
    return facts


def count_unopened(root: Path | str, pictures: list[str]) -> int:
    """Count the pictures whose pixels have not been decoded yet, so that damage may be unknown."""
    stamps = cache.stamps_of(Path(root), pictures)
    known = _cached(Path(root), stamps)
    return len(stamps) - int(known["decoded"].sum() if len(known) else 0)


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
