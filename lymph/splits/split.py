"""The split itself, and the file it is kept in."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pandas as pd

from lymph import workspace
from lymph.errors import SplitError
from lymph.text import brief
from lymph.typed import read_object

VERSION = 1
SET_NAMES = ("train", "val", "test")

By = Literal["patient", "picture"]


@dataclass(frozen=True)
class Split:
    """Patients or pictures of each set, or of each fold.

    Exactly one of ``sets`` and ``folds`` is given. Its lists hold patients where ``by`` is
    ``patient``, pictures otherwise; none stands twice.
    """

    by: By
    seed: int
    sets: dict[str, list[str]] | None = None
    folds: list[list[str]] | None = None

    def __post_init__(self) -> None:
        if self.by not in ("patient", "picture"):
            raise SplitError(f"A split is by patient or by picture, not by {self.by!r}.")
        if (self.sets is None) == (self.folds is None):
            raise SplitError(
                "A split holds either sets or folds; create it again with `lymph split`."
            )
        if self.sets is not None and set(self.sets) != set(SET_NAMES):
            raise SplitError("The sets of a split are train, val and test; create it again.")
        groups = self.folds if self.sets is None else self.groups()
        lists = isinstance(groups, list) and all(isinstance(group, list) for group in groups)
        names = [name for group in groups for name in group] if lists else []
        if not names or not all(isinstance(name, str) for name in names):
            raise SplitError(
                f"A split holds lists of {self.by}s; create it again with `lymph split`."
            )
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise SplitError(f"{twice[0]} is in the split twice; each {self.by} needs one set.")

    def groups(self) -> list[list[str]]:
        """Return the lists of the sets, in the order train, val, test, or of the folds."""
        if self.sets is not None:
            return [self.sets[name] for name in SET_NAMES]
        return self.folds or []

    def names(self) -> list[str]:
        """Return the names of the groups: ``train val test``, or ``fold 1`` and so on."""
        if self.sets is not None:
            return list(SET_NAMES)
        return [f"fold {i}" for i in range(1, len(self.folds or []) + 1)]

    def assign(self, table: pd.DataFrame) -> pd.Series:
        """Name the set of every row of a picture table; empty where it has none.

        Raises
        ------
        SplitError
            When the split names patients or pictures that the table does not have.
        """
        column = "patient" if self.by == "patient" else "picture"
        home = self.homes()
        missing = sorted(set(home) - set(table[column]))
        if missing:
            new = sorted(set(table[column]) - set(home))
            strangers = f", and {len(new)} here are not in it, such as {new[0]}" if new else ""
            raise SplitError(
                f"This split was made for other data: {len(missing)} of its {len(home)}"
                f" {column}s are not here, such as {missing[0]}{strangers}; make a split for these"
                " data."
            )
        return table[column].map(home).fillna("")

    def moved(self, member: str, to: str) -> "Split":
        """Return the split with one patient (or picture) in another set.

        Raises
        ------
        SplitError
            When the split has folds, or no such set or member.
        """
        if self.sets is None or to not in self.sets:
            raise SplitError(f"There is no set {to!r} in this split; choose train, val or test.")
        if not any(member in group for group in self.sets.values()):
            raise SplitError(f"{member} is not in this split; make a split for these data.")
        sets = {name: [m for m in group if m != member] for name, group in self.sets.items()}
        sets[to] = sorted([*sets[to], member])
        return Split(self.by, self.seed, sets)

    def moves_from(self, base: "Split") -> tuple[tuple[str, str], ...]:
        """Return the members that another split has elsewhere, each with its set in this one."""
        there = base.homes()
        return tuple((who, to) for who, to in self.homes().items() if there.get(who) != to)

    def homes(self) -> dict[str, str]:
        """Return the set, or the fold, of each member."""
        pairs = zip(self.names(), self.groups(), strict=True)
        return {member: name for name, group in pairs for member in group}

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``split.json`` holds."""
        groups = {"sets": self.sets} if self.sets is not None else {"folds": self.folds}
        return {"version": VERSION, "by": self.by, "seed": self.seed, **groups}

    def save(self, path: Path) -> None:
        """Write ``split.json``."""
        workspace.write_json(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> "Split":
        """Read a split file.

        Raises
        ------
        SplitError
            When it is missing, is no split, or was written by a newer version.
        """
        if not path.exists():
            raise SplitError(f"There is no split file {path}; make one: `lymph split`.")
        remedy = "put it back from a copy, or make one with `lymph split`"
        document = read_object(path, SplitError, remedy)
        try:
            return cls.from_json(document)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise SplitError(f"{path} is not a split file; {remedy}.") from error
        except SplitError as error:
            raise SplitError(f"{path} cannot be used: {error}") from error

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Split":
        """Make a split from the document that ``split.json`` holds."""
        if document["version"] != VERSION:
            raise SplitError(
                f"The split has version {document['version']}, this program reads {VERSION};"
                " update the program or make the split again."
            )
        by = str(document["by"])
        if not re.fullmatch("[a-z][a-z -]{0,29}", by):
            raise SplitError(f"The split is by {brief(by)!r}; it must be by patient or by picture.")
        # What is neither of the two is refused as the split is made.
        own = cast(By, by)
        return cls(own, int(document["seed"]), document.get("sets"), document.get("folds"))
