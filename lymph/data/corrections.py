"""What a user may correct of what was found: who tells the classes, the patients, a ready split."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lymph.data.layout import CLASS, PATIENT, SET, Level
from lymph.data.look import Found
from lymph.data.source import PictureSource, source_of

# A way to tell, and for a level of folders its depth.
Way = tuple[str, int]
NAME, TABLE, UNKNOWN, NO_SETS, BY_LEVEL = "name", "table", "none", "", "level"


def way_of(source: PictureSource, role: str) -> Way:
    """Return the way in which a source tells classes, patients or sets."""
    told = {CLASS: source.labels, PATIENT: source.patients, SET: "folder"}[role]
    if told == "folder" and role in source.folders:
        return (BY_LEVEL, source.folders.index(role))
    if role == SET:
        return (NO_SETS, 0)
    return (told or NAME, 0)


def ways_of(source: PictureSource) -> tuple[Way, Way, Way]:
    """Return the ways in which a source tells classes, patients and sets."""
    return way_of(source, CLASS), way_of(source, PATIENT), way_of(source, SET)


def told_by(levels: Sequence[Level], label: Way, patient: Way, sets: Way) -> dict[str, Any]:
    """Return the fields of a source that tells classes, patients and sets by these ways.

    Where two of them want one level of folders, the classes have it.
    """
    roles = [""] * len(levels)
    for role, (way, depth) in ((SET, sets), (PATIENT, patient), (CLASS, label)):
        if way == BY_LEVEL:
            roles[depth] = role
    return {
        "labels": "folder" if label[0] == BY_LEVEL else label[0],
        "patients": "folder" if patient[0] == BY_LEVEL else patient[0],
        "folders": tuple(roles),
    }


def quick_corrections(found: Found[PictureSource], copy: str = "") -> dict[str, PictureSource]:
    """Return the answers to most doubts: what each is called, and the source that it makes."""
    source = found.source
    answers = {}
    if found.doubts and any(found.patients) and not source_of(source.root, copy).confirmed:
        answers["Yes, this is right"] = source
    pairs = {(p, c) for p, c in zip(found.patients, found.labels, strict=True) if p and c}
    if len(pairs) > len({patient for patient, _ in pairs}) and not source.within_class:
        answers["Number within the class"] = replace(source, within_class=True)
    if not any(found.patients):
        unknown = replace(source, patients=UNKNOWN)
        answers["Patients are unknown: each picture by itself"] = unknown
    return answers
