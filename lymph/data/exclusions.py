"""Pictures that a user has excluded; the files are never touched."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lymph.data.decisions import name_of
from lymph.database import reading, transaction


def excluded(root: Path | str, copy: str = "") -> dict[str, str]:
    """Return the pictures that were excluded, each with the reason given."""
    query = "SELECT name, value FROM exclusions WHERE place = ? ORDER BY rowid"
    with reading() as database:
        return dict(database.execute(query, [name_of(root, copy)]))


def exclude(root: Path | str, pictures: Mapping[str, str], copy: str = "") -> None:
    """Exclude pictures from everything from now on; ``pictures`` gives the reason of each."""
    rows = [(name_of(root, copy), *item) for item in pictures.items()]
    with transaction() as database:
        database.executemany("INSERT OR REPLACE INTO exclusions VALUES (?, ?, ?)", rows)


def include(root: Path | str, pictures: Iterable[str], copy: str = "") -> None:
    """Include pictures again that were excluded."""
    rows = [(name_of(root, copy), picture) for picture in pictures]
    with transaction() as database:
        database.executemany("DELETE FROM exclusions WHERE place = ? AND name = ?", rows)
