"""The data sets of a class: whose they are, who sees them, and copies of one's own.

The lecturer's data sets are everybody's to look at and nobody's to change but the lecturer's. A
visitor who changes one gets a copy: an entry of their own over the same folder, with its patients,
exclusions and saved splits to begin with. The pictures themselves are not copied.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.classroom import here
from lymph.classroom.settings import class_settings
from lymph.classroom.who import Visitor
from lymph.data import decisions, sources
from lymph.data.sources import DataSet
from lymph.database import reading, transaction
from lymph.errors import ClassError
from lymph.jobs import queue

MB = 1024**2


def data_sets(who: Visitor) -> list[DataSet]:
    """List the data sets that a visitor sees.

    These are the lecturer's, what they have uploaded, and their own copies; the lecturer sees all.
    """
    with reading():
        shared, copies = sources.list_data_sets(), list(_copies())
    if not who.may_all:
        shared = [one for one in shared if sources.uploader_of(one.path) in ("", who.id)]
    return [*shared, *(copy for copy, owner in copies if who.may_all or owner == who.id)]


def check_may_look(who: Visitor, root: Path) -> None:
    """Refuse to show pictures that another visitor has uploaded, whatever leads to them.

    Raises
    ------
    ClassError
        When they are neither this visitor's nor everybody's.
    """
    if not who.may_all and sources.uploader_of(root) not in ("", who.id):
        raise ClassError(
            "This run has learned from pictures that another visitor uploaded: only they and the"
            " lecturer can look at them."
        )


def _copies() -> Iterator[tuple[DataSet, str]]:
    """Return every copy whose pictures are still there, and its owner."""
    query = "SELECT name, root, copy, owner FROM copies ORDER BY rowid"
    with reading() as database:
        rows = database.execute(query).fetchall()
    for name, root, copy, owner in rows:
        if Path(root).is_dir():
            yield DataSet(name, Path(root), sources.is_synthetic(root), copy), owner


def may_change_pictures(who: Visitor, data_set: DataSet) -> bool:
    """Tell whether a visitor's changes count in this data set, not in a copy of their own."""
    if who.may_all:
        return True
    if data_set.copy:
        return any(one == data_set and owner == who.id for one, owner in _copies())
    return sources.uploader_of(data_set.path) == who.id


def change_pictures(
    who: Visitor, data_set: DataSet, action: Callable[..., Any], *given: object
) -> DataSet:
    """Change patients, exclusions or saved splits, in a copy where the data set is another's.

    Parameters
    ----------
    who : Visitor
    data_set : DataSet
    action : callable
        Called with ``given`` and the name of the copy as ``copy``.
    *given
        What ``action`` is called with.

    Returns
    -------
    DataSet
        The one that was changed.
    """
    own = data_set if may_change_pictures(who, data_set) else _copy_for(who, data_set)
    action(*given, copy=own.copy)
    return own


def _copy_for(who: Visitor, data_set: DataSet) -> DataSet:
    """Return a visitor's copy of a data set; it is made when they change it for the first time."""
    with transaction() as database:
        for one, owner in _copies():
            if owner == who.id and one.path == data_set.path:
                return one
        own = data_set._replace(name=_free_name(data_set, who), copy=uuid.uuid4().hex[:12])
        decisions.begin_copy(own.path, own.copy)
        row = [own.name, str(own.path), own.copy, who.id]
        database.execute("INSERT INTO copies VALUES (?, ?, ?, ?)", row)
    return own


def _free_name(data_set: DataSet, who: Visitor) -> str:
    with reading() as database:
        rows = database.execute("SELECT name FROM copies").fetchall()
    taken = {row[0] for row in rows} | {one.name for one in sources.list_data_sets()}
    stem = f"{data_set.name}, {who.name}’s"
    free, count = stem, 2
    while free in taken:
        free, count = f"{stem} ({count})", count + 1
    return free


def remove_pictures(who: Visitor, data_set: DataSet) -> None:
    """Remove a data set from the list: an upload with its pictures, a copy with its decisions.

    Raises
    ------
    ClassError
        When it is not this visitor's.
    """
    if not may_change_pictures(who, data_set):
        raise ClassError("This data set is the lecturer's: only the lecturer can remove it.")
    if not data_set.copy:
        sources.remove_data_set(data_set.name)
        return
    with transaction() as database:
        for table in ("copies", "former_names"):
            database.execute(f"DELETE FROM {table} WHERE copy = ?", [data_set.copy])
        decisions.forget_copy(data_set.path, data_set.copy)


def rename_pictures(who: Visitor, data_set: DataSet, name: str) -> DataSet:
    """Give a data set another name, as :func:`lymph.data.sources.rename_data_set`.

    Raises
    ------
    ClassError
        When it is not this visitor's.
    DataError
        When it cannot have this name.
    """
    if not may_change_pictures(who, data_set):
        raise ClassError("This data set is the lecturer's: only the lecturer can rename it.")
    return sources.rename_data_set(data_set, name)


def may_open_folder(who: Visitor, path: str) -> bool:
    """Tell whether a visitor may open a folder of the server, if it is there."""
    settings = class_settings()
    try:
        if not who.free and settings is not None:
            _check_below(path, settings.folders)
    except ClassError:
        return False
    return True


def open_folder(who: Visitor, path: str) -> DataSet:
    """Open a folder of the server; in a class only at or below those that the lecturer named.

    Raises
    ------
    ClassError
        When it lies elsewhere; it is not said whether it is there.
    DataError
        As :func:`lymph.data.sources.add_folder`.
    """
    settings = class_settings()
    if not who.free and settings is not None:
        _check_below(path, settings.folders)
    return sources.add_folder(path)


def _check_below(path: str, folders: Collection[str]) -> None:
    if not folders:
        raise ClassError(
            "No folder of the server can be opened: the lecturer named none when the class began"
            " (`python -m lymph serve --folder FOLDER`)."
        )
    try:
        asked = Path(path.strip().strip("\"'")).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        asked = None
    if asked is None or not any(asked.is_relative_to(Path(one).resolve()) for one in folders):
        raise ClassError(
            f"Only folders at or below {', '.join(folders)} can be opened here, as the lecturer has"
            " decided."
        )


def upload(who: Visitor, add: Callable[..., DataSet], *given: object) -> DataSet:
    """Take in what a visitor uploads; in a class it is theirs, bounded, and goes with the visit.

    Parameters
    ----------
    who : Visitor
    add : callable
        ``sources.add_zip`` or ``sources.add_uploads``.
    *given
        What ``add`` is called with.

    Raises
    ------
    DataError
        When it is more than they may upload, or holds no pictures.
    """
    settings = class_settings()
    if who.may_all or settings is None:
        return add(*given)
    held = sum(_bytes_in(folder) for folder in sources.uploads_of(who.id))
    return add(*given, whose=who.id, most=max(0, settings.upload_mb * MB - held))


def _bytes_in(folder: Path) -> int:
    # os.walk passes over what another tab deletes meanwhile; rglob ends there.
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(map(workspace.size_of, found))


def clear_uploads() -> None:
    """Delete what visitors have uploaded who are gone, but for pictures that a job still needs.

    Whoever has a page open at any server of this workspace is not gone, and nobody comes while it
    is decided.
    """
    with here.nobody_comes() as known:
        left = [one for one in sources.list_data_sets() if sources.uploader_of(one.path)]
        gone = [one for one in left if sources.uploader_of(one.path) not in known]
        if not gone:
            return
        lately, needed = _seen_lately(), _roots_in_use()
        for data_set in gone:
            if sources.uploader_of(data_set.path) not in lately and data_set.path not in needed:
                sources.remove_data_set(data_set.name)
                shutil.rmtree(workspace.cache_home() / decisions.name_of(data_set.path), True)


def _seen_lately() -> set[str]:
    query = "SELECT id FROM visitors WHERE seen > ?"
    with reading() as database:
        known = database.execute(query, [time.time() - here.GONE_SECONDS])
        return {row[0] for row in known}


def _roots_in_use() -> set[Path]:
    """Return the folders of pictures that jobs are working on or wait for."""
    roots = set()
    for job in queue.going():
        for name in ("config.json", "request.json"):
            document = workspace.read_json_or(job.folder / name, None)
            source = document.get("source") if isinstance(document, dict) else None
            if isinstance(source, dict) and isinstance(source.get("root"), str):
                roots.add(Path(source["root"]))
    return roots
