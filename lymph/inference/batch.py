"""Folders of any size: answers go into a CSV as they come, and a second call goes on."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from lymph.data.read import SUFFIXES
from lymph.errors import DataError, PictureError
from lymph.inference.answers import Answer, answer_columns, answer_row
from lymph.inference.classify import Classifier, classify_files
from lymph.parallel import Progress
from lymph.text import as_cell


def picture_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """List the files to classify, each with its name; a folder stands for the pictures below it.

    Raises
    ------
    PictureError
        When there is none.
    """
    found: list[tuple[str, Path]] = []
    for path in paths:
        inside = path.rglob("*") if path.is_dir() else ()
        below = sorted(file for file in inside if file.suffix.lower() in SUFFIXES)
        found += [(str(file), file) for file in (below if path.is_dir() else [path])]
    if not found:
        raise PictureError("There is no picture in this folder; name pictures or another folder.")
    return found


class Written(NamedTuple):
    """What a call has done: pictures answered now, before, and those with a problem among now's."""

    csv: str
    pictures: int
    before: int
    problems: int


def classify_to_csv(
    classifier: Classifier,
    run_id: str,
    pictures: Sequence[tuple[str, Path]],
    path: Path,
    progress: Progress | None = None,
) -> Written:
    """Append one line a picture; pictures that the file already answers are passed over.

    Only a few pictures are in memory at any time. A line that was cut off half-way, by a power cut
    for instance, is taken away and answered again.

    Raises
    ------
    DataError
        When the file is another table, holds another run's answers, or cannot be written.
    """
    columns = ["run", *answer_columns(classifier.classes)]
    try:
        done = _go_on_from(path, columns, run_id)
        left = [(name, file) for name, file in pictures if str(as_cell(name)) not in done]
        with path.open("a", newline="", encoding="utf-8") as file:
            problems = 0
            for answer in classify_files(classifier, left, progress):
                _write_line(file, run_id, answer, classifier)
                problems += bool(answer["problem"])
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); choose another.") from error
    return Written(str(path), len(left), len(pictures) - len(left), problems)


def _write_line(file: TextIO, run_id: str, answer: Answer, classifier: Classifier) -> None:
    row = [run_id, *answer_row(answer, classifier.classes)]
    csv.writer(file, lineterminator="\n").writerow([as_cell(value) for value in row])
    file.flush()


def _go_on_from(path: Path, columns: list[str], run_id: str) -> set[str]:
    """Begin the file, or repair its end and return the pictures that it answers."""
    if not path.exists() or path.stat().st_size == 0:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(columns)
        return set()
    _cut_half_line(path)
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            header = list(reader.fieldnames or [])
            rows = [(row["run"], row["picture"]) for row in reader] if header == columns else []
    except (UnicodeDecodeError, csv.Error):
        header, rows = [], []
    if header != columns:
        raise DataError(f"{path} is another table; choose another name for the answers.")
    if any(run != str(as_cell(run_id)) for run, _ in rows):
        raise DataError(f"{path} holds the answers of another run; choose another name.")
    return {picture for _, picture in rows}


def _cut_half_line(path: Path) -> None:
    """Take away what follows the last whole line."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        block = 1 << 16
        start = max(0, end - block)
        file.seek(start)
        tail = file.read()
        if not tail.endswith(b"\n"):
            file.truncate(start + tail.rfind(b"\n") + 1)
