"""Audit a published split from its lists of names: which patients both train and test.

No images are needed. Patients are taken from a table's own column where every side has one, else
read from the names.
"""

import glob
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lymph.data.layout import set_name
from lymph.data.names import GENERAL_PATTERNS, SPECIFIC_PATTERNS, origins_of
from lymph.data.patients import doubts_about, propose
from lymph.data.tables import TABLE_SUFFIXES
from lymph.errors import SplitError
from lymph.splits.published import Published, Row, read_published
from lymph.splits.sides import Part, Sides, sides_of, sides_of_files
from lymph.text import counted

REMEDY = (
    "Accuracy on this test set is too optimistic: the model has already seen patients of it in"
    " training. Split by patient, so that all pictures of a patient are on one side, and report new"
    " figures."
)
# What the columns of its table are called for people.
COLUMNS = {
    "patient": "Patient",
    "train_images": "Training pictures",
    "test_images": "Test pictures",
    "folds": "Folds",
}
# The share of names that a data set's own way of naming has to match.
ENOUGH = 0.5
# How many levels of a path may name the patient.
MAX_DEPTH = 6
# Lines of the table that a terminal shows.
SHOWN = 50


class FoldAudit(NamedTuple):
    """What one fold, or the only part, has on both sides.

    ``leaked`` gives the training and the test images of each patient on both sides;
    ``shared`` lists the test images that are training images themselves; ``unknown`` counts those
    whose name tells no patient. Where only patients are listed, ``test_images`` is 0.
    """

    name: str
    test_images: int
    leaked_test_images: int
    of_leaked_patients: int
    shared: list[str]
    leaked: dict[str, tuple[frozenset[str], frozenset[str]]]
    unknown: int
    train_patients: frozenset[str]
    test_patients: frozenset[str]

    def to_json(self) -> dict[str, Any]:
        """Return the figures of this fold."""
        return {
            "fold": self.name,
            **_figures([self]),
            "images_on_both_sides": sorted(self.shared),
        }


class Audit(NamedTuple):
    """Who is on both sides of a published split.

    ``pattern`` read the patients from the names; it is empty where the files tell them.
    """

    folds: list[FoldAudit]
    pattern: str
    doubts: list[str]

    @property
    def leaks(self) -> bool:
        """Tell whether a patient or an image is on both sides."""
        return any(fold.leaked or fold.shared for fold in self.folds)

    @property
    def sentence(self) -> str:
        """Return the finding in words."""
        over = f", over {len(self.folds)} folds" if len(self.folds) > 1 else ""
        images = sum(fold.test_images for fold in self.folds)
        told = _images_words(self.folds, images, over) if images else self._patients_words(over)
        unknown = sum(fold.unknown for fold in self.folds)
        if unknown:
            told += f" The patient of {counted(unknown, 'test picture')} is unknown."
        return told + _shared_words(sum(len(fold.shared) for fold in self.folds))

    def _patients_words(self, over: str) -> str:
        patients = sum(len(fold.test_patients) for fold in self.folds)
        leaked = sum(len(fold.leaked) for fold in self.folds)
        of = _of(leaked, patients, "test patient")
        return f"{of} also {'train' if leaked > 1 else 'trains'}{over}."

    @property
    def remedy(self) -> str:
        """Return what to do about a leak, nothing where there is none."""
        return REMEDY if self.leaks else ""

    @property
    def table(self) -> pd.DataFrame:
        """Return the patients on both sides, those with the most test images first.

        Columns ``patient``, ``train_images``, ``test_images`` (different ones, over all folds)
        and ``folds`` (in how many the patient is on both sides).
        """
        train: dict[str, set[str]] = {}
        test: dict[str, set[str]] = {}
        folds: Counter[str] = Counter()
        for fold in self.folds:
            for patient, (trains, tests) in fold.leaked.items():
                train.setdefault(patient, set()).update(trains)
                test.setdefault(patient, set()).update(tests)
                folds[patient] += 1
        order = sorted(folds, key=lambda patient: (-len(test[patient]), patient))
        return pd.DataFrame({
            "patient": order,
            "train_images": [len(train[patient]) for patient in order],
            "test_images": [len(test[patient]) for patient in order],
            "folds": [folds[patient] for patient in order],
        })  # fmt: skip

    @property
    def table_shown(self) -> pd.DataFrame:
        """Return the table without columns that say nothing: one fold, pictures not listed."""
        table = self.table
        silent = [] if len(self.folds) > 1 else ["folds"]
        silent += [name for name in ("train_images", "test_images") if not table[name].any()]
        return table.drop(columns=silent)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``lymph audit --json``."""
        several = len(self.folds) > 1
        return {
            "sentence": self.sentence,
            **_figures(self.folds),
            "images_on_both_sides": sorted({name for fold in self.folds for name in fold.shared}),
            "patient_pattern": self.pattern,
            "folds": [fold.to_json() for fold in self.folds] if several else [],
            "doubts": self.doubts,
        }

    @property
    def text(self) -> str:
        """Return the audit for a terminal: sentence, patients on both sides, doubts, remedy."""
        table = self.table_shown
        lines = [self.sentence]
        if len(table):
            shown = table.head(SHOWN).rename(columns=COLUMNS)
            lines += ["", "Patients on both sides:", shown.to_string(index=False)]
        if len(table) > SHOWN:
            lines.append(f"and {len(table) - SHOWN} more; --json lists them all.")
        doubts = [f"To check: {doubt}" for doubt in self.doubts]
        return "\n".join([*lines, *([""] if doubts else []), *doubts, *self._last()])

    def _last(self) -> list[str]:
        return ["", self.remedy] if self.leaks else []


def _figures(folds: Sequence[FoldAudit]) -> dict[str, Any]:
    """Count over folds; figures of images are None where only patients are listed."""
    images = sum(fold.test_images for fold in folds)
    leaked = sum(fold.leaked_test_images for fold in folds)
    return {
        "test_images": images or None,
        "leaked_test_images": leaked if images else None,
        "leaked_test_share": leaked / images if images else None,
        "leaked_patients": sorted({patient for fold in folds for patient in fold.leaked}),
        "patients_train": len({p for fold in folds for p in fold.train_patients}),
        "patients_test": len({p for fold in folds for p in fold.test_patients}),
    }


def _images_words(folds: Sequence[FoldAudit], images: int, over: str) -> str:
    leaked = sum(fold.of_leaked_patients for fold in folds)
    of = _of(leaked, images, "test picture")
    return f"{of} {'come' if leaked > 1 else 'comes'} from a patient who also trains{over}."


def _of(number: int, whole: int, noun: str) -> str:
    return f"{number or 'None'} of {counted(whole, noun)}"


def _shared_words(shared: int) -> str:
    if not shared:
        return ""
    return (
        " 1 test picture is a training picture itself."
        if shared == 1
        else f" {shared} test pictures are training pictures themselves."
    )


# ---- from files ----------------------------------------------------------------------------------


def audit_files(files: Sequence[str | Path], pattern: str = "", folds: bool = False) -> Audit:
    """Audit files: a training and a test list, one per fold of each, or one that names the sets.

    Parameters
    ----------
    files : sequence of str or Path
        Files, folders of them, or patterns such as ``train_*.txt``. Two of them, folders and
        patterns as well, are the training and the test side.
    pattern : str
        Regular expression that reads the patient from a name; the one that fits best by default.
    folds : bool
        Each file lists the test images of one fold, trained on the others.

    Raises
    ------
    SplitError, DataError
        When a file cannot be read, the sides are unclear, or nothing tells the patients.
    """
    groups = [[read_published(path) for path in _expand(str(file))] for file in files]
    everything = list(chain.from_iterable(groups))
    if len(groups) == 2 and len(everything) > 2 and not folds:
        return audit_sides(sides_of(*groups), pattern)
    return audit_sides(sides_of_files(everything, folds), pattern)


def audit_lists(train: Sequence[Published], test: Sequence[Published], pattern: str = "") -> Audit:
    """Audit the files of two sides, or one file on either that names both.

    Raises
    ------
    SplitError, DataError
        When a side is missing, or nothing tells the patients.
    """
    return audit_sides(sides_of(train, test), pattern)


def _expand(file: str) -> list[Path]:
    """List the files that a path, a folder or a pattern stands for."""
    path = Path(file)
    if path.is_dir():
        suffixes = (*TABLE_SUFFIXES, ".json")
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in suffixes and p.is_file())
    elif glob.has_magic(file) and not path.exists():
        found = sorted(map(Path, glob.glob(file)))
    else:
        return [path]
    if not found:
        raise SplitError(f"There are no lists in {file}; give files such as train.txt or test.csv.")
    return found


# ---- who is on both sides ------------------------------------------------------------------------


def audit_sides(sides: Sides, pattern: str = "") -> Audit:
    """Compare the sides of each fold.

    Raises
    ------
    SplitError, DataError
        When nothing tells the patients, or the pattern cannot serve.
    """
    rows = list(dict.fromkeys(row for part in sides.parts for row in (*part.train, *part.test)))
    told, pattern, doubts = _patients_of(rows, sides.parts, pattern)
    _check_told(sides.parts, told, pattern)
    folds = [_compare(part, told) for part in sides.parts]
    return Audit(folds, pattern, [*sides.doubts, *doubts])


Told = dict[Row, str]


def _patients_of(
    rows: list[Row], parts: Sequence[Part], pattern: str
) -> tuple[Told, str, list[str]]:
    """Return the patient of each row, the pattern that read them, and doubts."""
    from_files = not pattern and all(
        any(row.patient for row in side) for part in parts for side in (part.train, part.test)
    )
    images = list(dict.fromkeys(row.image for row in rows if row.image))
    if from_files or not images:
        told, doubts = {row: row.patient for row in rows}, []
    else:
        proposed = not pattern
        pattern = pattern or _fitting(images, parts)
        read = _read(images, pattern)
        # Where a side lists patients only, they are what the other side's are compared with.
        told = {row: read[row.image] if row.image else row.patient for row in rows}
        doubts = _guess(read) if proposed and pattern in GENERAL_PATTERNS.values() else []
    return told, pattern if images and not from_files else "", [*doubts, *_doubts(told)]


def _fitting(images: list[str], parts: Sequence[Part]) -> str:
    found = propose(images)
    if found is not None:
        return found.pattern
    # Lists hold other files as well, and a data set may have one image per patient: both are no
    # proof against names of a well-known way.
    matched = {p: len(_told(_read(images, p))) for p in SPECIFIC_PATTERNS.values()}
    best = max(matched, key=matched.__getitem__)
    if matched[best] >= ENOUGH * len(images):
        return best
    shared = len({name for part in parts for name in _shared(part)})
    raise SplitError(
        f"No ready pattern reads patients from names such as {images[0][:80]}: give a pattern"
        " (--pattern) with a group 'patient', as in (?P<patient>[^_]+)_, or tables with a column"
        " patient." + _shared_words(shared)
    )


def _read(images: Sequence[str], pattern: str) -> dict[str, str]:
    """Read the patient from each file name, else from its folders, the innermost first.

    Tiles are often named by their place alone, in a folder named after the slide. The general
    patterns, which match nearly any word, are kept from folders.
    """
    read = dict.fromkeys(images, "")
    depths = 1 if pattern in GENERAL_PATTERNS.values() else MAX_DEPTH
    left = {image: image.split("/") for image in images}
    for depth in range(1, depths + 1):
        left = {i: parts for i, parts in left.items() if not read[i] and len(parts) >= depth}
        origins = origins_of([parts[-depth] for parts in left.values()], pattern)
        read |= {i: o.patient for i, o in zip(left, origins, strict=True) if o}
    return read


def _told(read: dict[str, str]) -> list[str]:
    return [patient for patient in read.values() if patient]


def _guess(read: dict[str, str]) -> list[str]:
    image, patient = next((image, patient) for image, patient in read.items() if patient)
    name = image.rsplit("/", 1)[-1]
    return [
        f"The file names seem to identify the patient: {name} belongs to patient {patient}. Is that"
        " right?"
    ]


def _doubts(told: Told) -> list[str]:
    """Doubt patients that do not look like people, and count the names that tell none."""
    patients = {row.image: patient for row, patient in told.items() if row.image}
    silent = [image for image, patient in patients.items() if not patient]
    doubts = []
    if silent:
        one = len(silent) == 1
        doubts.append(
            f"{len(silent)} of {counted(len(patients), 'name')} {'tells' if one else 'tell'} no"
            f" patient, such as {silent[0][:80]}: not compared by patient."
        )
    return doubts + doubts_about([patient for patient in patients.values() if patient], [])


def _check_told(parts: Sequence[Part], told: Told, pattern: str) -> None:
    """Refuse to acquit where a side tells no patient at all."""
    for part in parts:
        for side, rows in (("training", part.train), ("test", part.test)):
            if not any(told[row] for row in rows):
                how = f"the pattern {pattern[:80]}" if pattern else "the column patient"
                raise SplitError(
                    f"No {side} name tells a patient by {how}, such as"
                    f" {rows[0].image[:80]}; give a pattern (--pattern) that fits both sides, as"
                    " in (?P<patient>[^_]+)_."
                )


def _compare(part: Part, told: Told) -> FoldAudit:
    train, test = _by_patient(part.train, told), _by_patient(part.test, told)
    both = sorted((set(train) & set(test)) - {""})
    leaked = {patient: (frozenset(train[patient]), frozenset(test[patient])) for patient in both}
    images = {row.image for row in part.test if row.image}
    of_patients = {image for patient in both for image in test[patient]}
    shared = _shared(part)
    return FoldAudit(
        part.name,
        len(images),
        len(of_patients | set(shared)),
        len(of_patients),
        shared,
        leaked,
        len(test.get("", ())),
        frozenset(train) - {""},
        frozenset(test) - {""},
    )


def _by_patient(rows: Iterable[Row], told: Told) -> dict[str, set[str]]:
    """Return the images of each patient; none where only patients are listed."""
    images: dict[str, set[str]] = {}
    for row in rows:
        images.setdefault(told[row], set()).update([row.image] if row.image else [])
    return images


def _shared(part: Part) -> list[str]:
    """Return the test images that are training images themselves, whatever their folder is called.

    Folders named after sets and suffixes do not count, nor outer folders that only one side
    writes. A name that several images of one side share proves nothing.
    """
    train, test = (
        {row.image: _pieces(row.image) for row in side if row.image}
        for side in (part.train, part.test)
    )
    if not train or not test:
        return []
    depth = min(_usual_depth(side.values()) for side in (train, test))
    seen = dict(_unique_ends(train, depth))
    return sorted(image for end, image in _unique_ends(test, depth) if end in seen)


def _pieces(image: str) -> list[str]:
    *folders, name = image.split("/")
    stem = name.rsplit(".", 1)[0] if "." in name[-7:] else name
    return [*(folder for folder in folders if not set_name(folder)), stem]


def _usual_depth(images: Iterable[list[str]]) -> int:
    return Counter(map(len, images)).most_common(1)[0][0]


def _unique_ends(images: dict[str, list[str]], depth: int) -> Iterator[tuple[str, str]]:
    ends = {image: "/".join(pieces[-depth:]) for image, pieces in images.items()}
    counts = Counter(ends.values())
    return ((end, image) for image, end in ends.items() if counts[end] == 1)
