"""How the classes and patients of a folder are told, as it stands in a configuration."""

import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from lymph.data.layout import CLASS, ROLES
from lymph.errors import ConfigError
from lymph.typed import misfit

LABELS = ("folder", "name", "table")
PATIENTS = ("name", "folder", "table", "none")


@dataclass(frozen=True)
class Telling:
    """A folder of pictures, and how their classes and patients are told.

    What is left empty is found out by looking at the folder.

    Parameters
    ----------
    root : str
        The data root; pictures are named by their path below it.
    labels : str
        ``folder`` (a level of folders), ``name`` (the pattern's group ``label``) or ``table``.
    patients : str
        ``name`` (the pattern), ``folder``, ``table``, or ``none``: each picture by itself.
    base : str
        Folder below the root where the roles begin; what lies outside is not read.
    folders : tuple of str
        The role of each level of folders below the base: ``class``, ``patient``, ``set`` or none.
    skipped : tuple of str
        Folders below the root that are not read.
    pattern : str
        Regular expression that reads patients (and labels) from file names.
    within_class : bool
        Whether equal patient names in two classes are two patients.
    labels_file, patients_file : str
        Tables with a column for the picture; a column of sets is a ready split.
    excluded : dict, optional
        Pictures excluded by hand, with the reason of each; None: what the workspace holds now.

    Raises
    ------
    ConfigError
        When a value is impossible.
    """

    root: str
    labels: str = ""
    patients: str = ""
    base: str = ""
    folders: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    pattern: str = ""
    within_class: bool = False
    labels_file: str = ""
    patients_file: str = ""
    excluded: dict[str, str] | None = None

    def __post_init__(self) -> None:
        changes: dict[str, Any] = {"root": absolute(self.root)}
        for name in ("labels_file", "patients_file"):
            file = getattr(self, name)
            changes[name] = absolute(file) if file else file
        if wrong := misfit(type(self), {**vars(self), **changes}):
            raise ConfigError(f"The source has a value of the wrong kind: {wrong}.")
        _one_of("labels", self.labels, LABELS)
        _one_of("patients", self.patients, PATIENTS)
        for role in self.folders:
            _one_of("folders", role, ROLES)
        for name in ("folders", "skipped"):
            changes[name] = tuple(getattr(self, name))
        for name, value in changes.items():
            object.__setattr__(self, name, value)

    @property
    def path(self) -> Path:
        """Return the data root."""
        return Path(self.root)

    @property
    def confirmed(self) -> bool:
        """Tell whether somebody has said what tells classes and patients, or agreed to it."""
        return bool(self.labels and self.patients)

    def tells_as(self, other: "Telling") -> bool:
        """Tell whether another one tells the classes and patients of the same folder alike."""
        return replace(self, excluded=None) == replace(other, excluded=None)

    def moved_to(self, root: str | os.PathLike) -> Self:
        """Return the same for pictures that are elsewhere now; a table among them moves along."""
        changes = {"root": absolute(root)}
        for name in ("labels_file", "patients_file"):
            file = getattr(self, name)
            if file and self.path in Path(file).parents:
                changes[name] = str(Path(changes["root"]) / Path(file).relative_to(self.path))
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` holds under ``source``."""
        return {**asdict(self), "folders": list(self.folders), "skipped": list(self.skipped)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Make one from its document, or from a plain path.

        Raises
        ------
        ConfigError
            When a key is unknown or a value impossible.
        """
        if isinstance(document, (str, os.PathLike)):
            return cls(os.fspath(document))
        known = {item.name for item in fields(cls)}
        if not isinstance(document, dict) or not set(document) <= known:
            raise ConfigError(f"A source of pictures has the keys {', '.join(sorted(known))}.")
        if wrong := misfit(cls, document):
            raise ConfigError(f"The source has a value of the wrong kind: {wrong}.")
        return cls(**document)

    @classmethod
    def from_older(cls, root: str, pattern: str, patients_file: str) -> Self:
        """Return what a configuration meant before it had a source: class folders, and names."""
        return cls(
            root,
            labels="folder",
            patients="table" if patients_file else "name",
            folders=(CLASS,),
            pattern=pattern,
            patients_file=patients_file,
        )


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value and value not in choices:
        raise ConfigError(f"{name} is {value!r}; choose one of {', '.join(filter(None, choices))}.")


def absolute(path: str | os.PathLike) -> str:
    """Return the whole path of a file or folder, whether it is there or not.

    Raises
    ------
    ConfigError
        When it is no path or names a user who is not there.
    """
    try:
        return str(Path(path).expanduser().resolve())
    except (OSError, RuntimeError, TypeError, ValueError) as error:  # no such user, no text, a NUL
        raise ConfigError(f"{str(path)[:80]!r} is no path ({error}).") from error
