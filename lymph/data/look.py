"""One look at a folder: every picture with its class and patient, and what is doubtful of it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import pandas as pd

from lymph.data import decisions
from lymph.data.exclusions import excluded
from lymph.data.layout import CLASS, FEW, PATIENT, SET, Layout, find_layout, set_name
from lymph.data.names import (
    GENERAL_PATTERNS,
    SPECIFIC_PATTERNS,
    Origin,
    compile_pattern,
    origins_of,
)
from lymph.data.not_read import BESIDE_THE_CLASSES, NotRead, not_read
from lymph.data.patients import Proposal, doubts_about, propose
from lymph.data.tables import Matched, find_table, match_table, read_table
from lymph.data.telling import Telling
from lymph.data.walk import Tree, walk
from lymph.errors import ClassesUnknown, DataError
from lymph.facts import MARKER, PATIENT_PATTERN, PATIENTS_UNKNOWN
from lymph.text import counted

Source = TypeVar("Source", bound=Telling)

# A way to tell patients serves when it does so for this share of the pictures.
ENOUGH = 0.5

# A folder this much smaller than the largest class is asked about.
ODD_SHARE = 20


class Found(NamedTuple, Generic[Source]):
    """What a folder holds; the lists of texts are in the order of ``pictures``.

    ``source`` is the one asked, with every field filled in: it tells the same for ever after.
    ``layout`` is ``class-folders``, ``patient-folders``, ``set-folders``, ``table`` or ``names``;
    ``sets`` names the part of a ready split that each picture is in, and is empty where the data
    bring none. ``proposal`` is the ready pattern that fits the names best, where it is not lymph's
    own.
    """

    source: Source
    layout: str
    pictures: list[str]
    labels: list[str]
    patients: list[str]
    slides: list[str]
    sets: list[str]
    not_read: list[NotRead]
    doubts: list[str]
    proposal: Proposal | None

    def set_counts(self) -> dict[str, int]:
        """Count the pictures of each part of the ready split; empty where there is none."""
        counts = Counter(name for name in self.sets if name)
        usual = [name for name in ("train", "val", "test") if name in counts]
        return {name: counts[name] for name in [*usual, *sorted(set(counts) - set(usual))]}

    def given_sets(self) -> pd.Series:
        """Return the part of the ready split of each picture, indexed by picture."""
        return pd.Series(self.sets, index=pd.Index(self.pictures, dtype=object), dtype=object)

    def to_json(self) -> dict[str, Any]:
        """Return what ``scan --json`` says beside the counts."""
        return {
            "layout": self.layout,
            "patients_from": self.source.patients,
            "sets": self.set_counts(),
            "not_read": [entry._asdict() for entry in self.not_read],
            "doubts": self.doubts,
        }


class Look(Generic[Source]):
    """One look at a folder: every property is found out when it is first asked for."""

    def __init__(self, asked: Source) -> None:
        self.asked = asked

    # ---- where the pictures are ----------------------------------------------------------------

    @cached_property
    def tree(self) -> Tree:
        return walk(self.asked.path)

    @cached_property
    def layout(self) -> Layout:
        """Return where the classes lie: as it was said, else as it looks."""
        if self.asked.folders or self.asked.base or self.asked.labels in ("table", "name"):
            said = Layout(self.asked.base, self.asked.folders, self.asked.skipped)
            if said.folders or said.base:
                return said
        found = find_layout(self.tree.pictures)
        return found._replace(skipped=tuple(sorted({*found.skipped, *self.asked.skipped})))

    @cached_property
    def inside(self) -> list[str]:
        """Return the pictures below the base, but for folders that are skipped."""
        base = f"{self.layout.base}/" if self.layout.base else ""
        skipped = tuple(f"{folder}/" for folder in self.layout.skipped)
        return [p for p in self.tree.pictures if p.startswith(base) and not p.startswith(skipped)]

    def level(self, pictures: Sequence[str], role: str) -> list[str]:
        """Return the name of the folder of a role that each picture stands in, or nothing."""
        if role not in self.layout.folders:
            return [""] * len(pictures)
        base = len(self.layout.base) + 1 if self.layout.base else 0
        depth = self.layout.folders.index(role)
        folders = (picture[base:].split("/")[:-1] for picture in pictures)
        return [parts[depth] if depth < len(parts) else "" for parts in folders]

    # ---- tables --------------------------------------------------------------------------------

    @cached_property
    def beside(self) -> str:
        """Return the one table that lies among the pictures and names them, or nothing."""
        if self.asked.labels and self.asked.patients:
            return ""
        found = find_table([self.asked.path / name for name in self.tree.others], self.inside)
        return str(found) if found else ""

    @cached_property
    def labels_table(self) -> Matched | None:
        """Return what the table of labels says: the one named, else the one beside the pictures."""
        file = self.asked.labels_file or self.beside
        return self._matched(file) if file else None

    @cached_property
    def patients_table(self) -> Matched | None:
        """Return what the table of patients says; one of labels may tell them too."""
        if not self.asked.patients_file:
            return self.labels_table
        return self._matched(self.asked.patients_file)

    def _matched(self, file: str) -> Matched:
        return match_table(read_table(Path(file)), self.inside, Path(file).name)

    # ---- classes -------------------------------------------------------------------------------

    @cached_property
    def labels_from(self) -> str:
        """Say how classes are told: as asked, else by folders, by a table, or by the names."""
        if self.asked.labels or self.asked.labels_file:
            return self.asked.labels or "table"
        if CLASS in self.layout.folders:
            return "folder"
        if self.labels_table is not None and self.labels_table.rows["label"].nunique() > 1:
            return "table"
        return "name" if self.label_pattern else "folder"

    @cached_property
    def label_pattern(self) -> str:
        """Return the pattern that reads classes from the names, or nothing."""
        if self.asked.pattern:
            return self.asked.pattern if "?P<label>" in self.asked.pattern else ""
        found = propose(self.inside, None)
        if found is None or "?P<label>" not in found.pattern:
            return ""
        return found.pattern if len(set(_labels(self.inside, found.pattern)) - {""}) > 1 else ""

    @cached_property
    def classed(self) -> tuple[list[str], list[str]]:
        """Return the pictures that count, and their classes.

        With class folders these are the ones that stand in one; otherwise all, and one whose class
        is not told has an empty one.
        """
        if self.labels_from == "folder":
            labels = self.level(self.inside, CLASS)
            kept = [i for i, label in enumerate(labels) if label]
            return [self.inside[i] for i in kept], [labels[i] for i in kept]
        if self.labels_from == "name":
            return self.inside, _labels(self.inside, self.label_pattern)
        if self.labels_table is None or not self.labels_table.rows["label"].any():
            raise DataError("No table tells the classes; give one with columns picture and label.")
        return self.inside, list(self.labels_table.rows["label"])

    # ---- patients ------------------------------------------------------------------------------

    @cached_property
    def own_origins(self) -> list[Origin | None]:
        """Return what lymph's own pattern makes of the names; a hundred thousand take a while."""
        return origins_of(self.classed[0], PATIENT_PATTERN)

    @cached_property
    def proposal(self) -> Proposal | None:
        """Return the ready pattern that fits the names best, where lymph's own does not serve.

        Where none keeps the classes apart, numbers may start again in each of them: the one that
        fits the names alone is taken then, and doubted.
        """
        if _share(self.own_origins) >= ENOUGH:
            return None
        pictures, labels = self.classed
        return propose(pictures, labels) or propose(pictures, None)

    @cached_property
    def patients_from(self) -> tuple[str, str]:
        """Say how patients are told, and by which pattern: as asked, else by what serves best."""
        asked, pattern = self.asked.patients, self.asked.pattern
        if asked or self.asked.patients_file or pattern:
            way = asked or ("table" if self.asked.patients_file else "name")
            return way, pattern or (self._usual_pattern() if way == "name" else "")
        table = self.patients_table
        if table is not None and _share(table.rows["patient"]) >= ENOUGH:
            return "table", ""
        if _share(self.own_origins) >= ENOUGH:
            return "name", PATIENT_PATTERN
        found = self.proposal
        if found is not None and found.pattern in SPECIFIC_PATTERNS.values():
            return "name", found.pattern
        if PATIENT in self.layout.folders:
            return "folder", ""
        return "name", found.pattern if found is not None else PATIENT_PATTERN

    def _usual_pattern(self) -> str:
        """Return lymph's own pattern where it serves, else the ready one that fits best."""
        return self.proposal.pattern if self.proposal else PATIENT_PATTERN

    @cached_property
    def origins(self) -> list[Origin | None]:
        """Return patient and slide of each picture that counts; None where they are not told."""
        pictures, labels = self.classed
        way, pattern = self.patients_from
        if way == "none":
            return [Origin(picture, picture) for picture in pictures]
        if way == "name":
            own = pattern == PATIENT_PATTERN
            found = self.own_origins if own else origins_of(pictures, pattern)
        else:
            told = self.level(pictures, PATIENT) if way == "folder" else self._in_table(pictures)
            found = [Origin(name, name) if name else None for name in told]
        if not self.asked.within_class:
            return found
        return [_within(o, label) for o, label in zip(found, labels, strict=True)]

    def _in_table(self, pictures: list[str]) -> list[str]:
        if self.patients_table is None:
            raise DataError("No table tells the patients; give one with the column patient.")
        return list(self.patients_table.rows["patient"].reindex(pictures).fillna(""))

    # ---- a ready split -------------------------------------------------------------------------

    @cached_property
    def sets(self) -> list[str]:
        """Return the part of the ready split of each picture, from a folder or a table."""
        pictures = self.classed[0]
        if SET in self.layout.folders:
            return [set_name(folder) for folder in self.level(pictures, SET)]
        for table in (self.labels_table, self.patients_table):
            if table is not None and table.rows["set"].any():
                return [_set_in_table(v) for v in table.rows["set"].reindex(pictures).fillna("")]
        return [""] * len(pictures)

    # ---- all of it -----------------------------------------------------------------------------

    def found(self) -> "Found[Source]":
        """Put together what was found.

        Raises
        ------
        DataError
            When the folder, a table or the pattern cannot serve.
        """
        pictures, labels = self.classed
        if len(set(labels) - {""}) < 2:
            raise self._no_classes()
        way, pattern = self.patients_from
        origins = self.origins
        source = replace(
            self.asked,
            labels=self.labels_from,
            patients=way,
            base=self.layout.base,
            folders=self.layout.folders,
            skipped=self.layout.skipped,
            pattern=pattern or (self.label_pattern if self.labels_from == "name" else ""),
            labels_file=self._file("labels_file", self.labels_from),
            patients_file=self._file("patients_file", way),
            excluded=excluded(self.asked.root)
            if self.asked.excluded is None
            else self.asked.excluded,
        )
        return Found(
            source,
            self._layout_name(),
            pictures,
            labels,
            [origin.patient if origin else "" for origin in origins],
            [origin.slide if origin else "" for origin in origins],
            self.sets,
            self.not_read,
            self._doubts(labels),
            self.proposal,
        )

    def _file(self, name: str, way: str) -> str:
        # A table of labels may serve for its ready split alone.
        sets_from_table = any(self.sets) and not self._set_folder
        serves = way == "table" or (name == "labels_file" and sets_from_table)
        return getattr(self.asked, name) or (self.beside if serves else "")

    @cached_property
    def not_read(self) -> list[NotRead]:
        """List what lies in the folder and is not read."""
        files = (self.asked.labels_file, self.asked.patients_file, self.beside)
        used = {MARKER, *(Path(file).name for file in files if file)}
        return not_read(self.tree, self.classed[0], self.layout, used, self._not_unpacked())

    def _not_unpacked(self) -> Counter[str]:
        """Return the suffixes of the files of a zip or a drop that were not kept."""
        kept = decisions.read(self.asked.root, decisions.NOT_UNPACKED)
        counts = kept if isinstance(kept, dict) else {}
        return Counter({str(k): v for k, v in counts.items() if isinstance(v, int)})

    @property
    def _set_folder(self) -> bool:
        return SET in self.layout.folders

    def _layout_name(self) -> str:
        if self.labels_from != "folder":
            return {"table": "table", "name": "names"}[self.labels_from]
        if self._set_folder:
            return "set-folders"
        folders = self.layout.folders
        before = PATIENT in folders and folders.index(PATIENT) < folders.index(CLASS)
        return "patient-folders" if before else "class-folders"

    def _no_classes(self) -> DataError:
        root = self.asked.root
        if not self.tree.pictures:
            return DataError(
                f"{root} does not hold any pictures; choose a folder that holds at least two class"
                " folders with pictures."
            )
        return ClassesUnknown(
            f"{self.asked.root} does not hold at least two class folders with pictures. Put each"
            " class's pictures into a folder named like the class, such as CLL/, FL/ and MCL/, or"
            " give a table with the columns picture and label."
        )

    # ---- doubts --------------------------------------------------------------------------------

    def _doubts(self, labels: list[str]) -> list[str]:
        """Say what should be looked at, the most important first."""
        return [
            *self._patient_doubts(labels),
            *self._table_doubts(),
            *self._folder_doubts(labels),
        ]

    def _patient_doubts(self, labels: list[str]) -> list[str]:
        way, pattern = self.patients_from
        if way == "none":
            return [PATIENTS_UNKNOWN]
        patients = [origin.patient if origin else "" for origin in self.origins]
        if not any(patients):
            return [
                "No patient can be told from these names: give a pattern, a table with the columns"
                " picture and patient, or say that the patients are unknown (on the Data page, or"
                " with `--patients none`)."
            ]
        doubts = doubts_about(patients, labels)
        if (
            way == "name"
            and not (self.asked.pattern or self.asked.patients)
            and pattern in GENERAL_PATTERNS.values()
        ):
            place = next(i for i, origin in enumerate(self.origins) if origin)
            name, patient = self.classed[0][place].rsplit("/", 1)[-1], patients[place]
            doubts.insert(
                0,
                f"The file names seem to identify the patient: {name} belongs to patient {patient}."
                " Is that right?",
            )
        return doubts

    def _table_doubts(self) -> list[str]:
        ways = (self.labels_from, self.patients_from[0])
        tables = (self.labels_table, self.patients_table)
        used = [t for way, t in zip(ways, tables, strict=True) if way == "table" and t is not None]
        return list(dict.fromkeys(table.sentence for table in used if table.sentence))

    def _folder_doubts(self, labels: list[str]) -> list[str]:
        doubts = [
            f"The folder {entry.what} with {counted(entry.count, 'picture')} lies beside the"
            " classes and is not read: is that right?"
            for entry in self.not_read
            if entry.reason == BESIDE_THE_CLASSES and not self.asked.confirmed
        ]
        counts = Counter(label for label in labels if label)
        largest = max(counts.values())
        doubts += [
            f"{name} holds only {count} of {len(labels)} pictures: is it a class?"
            for name, count in sorted(counts.items())
            if count <= FEW and count * ODD_SHARE <= largest and not self.asked.confirmed
        ]
        if self.labels_from == "folder":
            doubts += [
                f"The folder {folder} holds no picture, so the class is missing."
                for folder in self.tree.empty
                if self._is_class_folder(folder)
            ]
        return doubts

    def _is_class_folder(self, folder: str) -> bool:
        depth = self.layout.folders.index(CLASS)
        base = f"{self.layout.base}/" if self.layout.base else ""
        return folder.startswith(base) and folder[len(base) :].count("/") == depth


def _labels(pictures: Sequence[str], pattern: str) -> list[str]:
    """Read the class of each picture from its name; empty where it is not told."""
    origins = origins_of(pictures, compile_pattern(pattern, ("label",)))
    return [origin.label if origin else "" for origin in origins]


def _share(told: Collection[object] | pd.Series) -> float:
    return sum(bool(value) for value in told) / max(1, len(told))


def _within(origin: Origin | None, label: str) -> Origin | None:
    if origin is None:
        return None
    return origin._replace(patient=f"{label}/{origin.patient}", slide=f"{label}/{origin.slide}")


def _set_in_table(value: str) -> str:
    """Return the set that a table's cell names; a plain number is a fold."""
    return set_name(value) or (f"fold {int(value)}" if value.isdecimal() else value)
