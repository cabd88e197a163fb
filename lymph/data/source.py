"""One object says what the pictures are; whoever needs the picture table asks it.

PictureSource("my-pictures", patients="folder").table()
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from lymph.data import decisions, exclusions
from lymph.data.look import Found, Look
from lymph.data.names import origins_of
from lymph.data.scan import COLUMNS, examine, usable
from lymph.data.tables import match_table, read_table
from lymph.data.telling import Telling
from lymph.errors import ConfigError, DataError
from lymph.facts import PATIENTS_UNKNOWN
from lymph.parallel import Progress

NO_LABEL = {
    "table": "It is not in the table of labels; add it there.",
    "name": "The class cannot be told from this name; rename the file or give a table.",
}
NO_PATIENT = {
    "name": "The patient cannot be told from this name; rename the file, give a pattern or a table"
    " with the columns picture and patient, or say that patients are unknown (on the Data page, or"
    " with `--patients none`).",
    "folder": "It is in no patient's folder; move it into one.",
    "table": "It is not in the table of patients; add it there.",
}


@dataclass(frozen=True)
class PictureSource(Telling):
    """A folder of pictures, how classes and patients are told, and what is excluded.

    See :class:`lymph.data.telling.Telling` for its fields; only ``root`` is needed.
    """

    def look(self) -> "Found[Self]":
        """Find every picture with its class and patient; no picture is opened.

        Raises
        ------
        DataError
            When the folder, a table or the pattern cannot serve.
        """
        return Look(self).found()

    def table(self, progress: Progress | None = None, decode: bool = True) -> pd.DataFrame:
        """Return the picture table: one row a picture, sorted by path.

        Every new or changed file is decoded once, so that a damaged one is known before training;
        without ``decode`` only its header is read, which is enough for a first look. Both are
        remembered.

        Parameters
        ----------
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
            As :meth:`look`.
        """
        return table_of(self.look(), progress, decode)

    def usable(self, progress: Progress | None = None) -> pd.DataFrame:
        """Return the sound pictures of the table, numbered from 0.

        Raises
        ------
        DataError
            As :meth:`look`, and when fewer than two classes have a sound picture.
        """
        return usable(self.table(progress))

    def patients_of(self, names: Sequence[str], known: pd.DataFrame) -> list[str]:
        """Tell the patients of files that are not among the pictures, as of dropped ones.

        Parameters
        ----------
        names : sequence of str
            File names, or paths as they were dropped; never used as paths here.
        known : DataFrame
            Columns ``picture patient`` of the pictures that the source has served for.

        Returns
        -------
        list of str
            Empty where nothing is known.
        """
        if self.within_class:  # a file of its own has no class yet
            return [""] * len(names)
        if self.patients == "name":
            return [origin.patient if origin else "" for origin in origins_of(names, self.pattern)]
        if self.patients == "folder":
            patients = set(known["patient"])
            return [_in_folder(name, patients) for name in names]
        if self.patients == "table":
            return _in_table(self.patients_file or self.labels_file, names)
        return [""] * len(names)

    @property
    def caveat(self) -> str:
        """Return what has to be said beside every figure where patients are unknown, or nothing."""
        return PATIENTS_UNKNOWN if self.patients == "none" else ""


def _in_folder(name: str, patients: set[str]) -> str:
    folders = name.replace("\\", "/").split("/")[:-1]
    return next((folder for folder in reversed(folders) if folder in patients), "")


def _in_table(file: str, names: Sequence[str]) -> list[str]:
    """Look names up in a table of patients; without the table nobody is known."""
    if not os.path.isfile(file):
        return [""] * len(names)
    try:
        return list(match_table(read_table(Path(file)), list(names)).rows["patient"])
    except DataError:
        return [""] * len(names)


def table_of(
    found: Found[Any], progress: Progress | None = None, decode: bool = True
) -> pd.DataFrame:
    """Return the picture table of what a look has found; see :meth:`PictureSource.table`."""
    source = found.source
    facts = examine(source.path, found.pictures, decode, progress).reset_index(drop=True)
    table = facts.assign(
        picture=found.pictures, label=found.labels, patient=found.patients, slide=found.slides
    )
    excluded = source.excluded or {}
    no_label, no_patient = NO_LABEL.get(source.labels, ""), NO_PATIENT.get(source.patients, "")
    rows = table[["picture", "problem", "label", "patient"]].itertuples(index=False)
    table["problem"] = [
        problem
        or excluded.get(picture, "")
        or ("" if label else no_label)
        or ("" if patient else no_patient)
        for picture, problem, label, patient in rows
    ]
    return table[COLUMNS]


def source_of(root: Path | str, copy: str = "") -> PictureSource:
    """Return the source of a data root as its users here have corrected it.

    Of a copy it carries the copy's exclusions; else those are looked up when they are asked for.
    """
    own = exclusions.excluded(root, copy) if copy else None
    try:
        return replace(_as_decided(root, copy), excluded=own)
    except ConfigError:  # what a later version decided locks nobody out
        return PictureSource(str(root), excluded=own)


def _as_decided(root: Path | str, copy: str) -> PictureSource:
    kept = decisions.read(root, decisions.SOURCE, copy)
    if kept is not None and not isinstance(kept, dict):
        raise ConfigError("The source has a value of the wrong kind.")
    return PictureSource.from_json({**(kept or {}), "root": str(root)})


def decisions_doubt(root: Path | str, copy: str = "") -> str:
    """Say what cannot be read of the decisions about a data root, in a sentence, or nothing."""
    try:
        _as_decided(root, copy)
    except ConfigError as error:
        remedy = "Please say again on the Data page what tells the classes and patients."
        return f"What was decided about {root} cannot be used. {error} {remedy}"
    return ""


def keep_source(source: PictureSource, copy: str = "") -> None:
    """Keep how a data root's classes and patients are told, for everyone who opens it here."""
    document = source.to_json()
    for name in ("root", "excluded"):  # the exclusions have a place of their own
        document.pop(name)
    decisions.keep(source.root, decisions.SOURCE, document, copy)
