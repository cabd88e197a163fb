"""The catalogue of runs: what lists show of each, read once for each change of its files.

A run folder is the truth; a record is what its small files said when they were last looked at. A
folder that cannot be read costs itself: it gets a sentence in place of a record.
"""

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from lymph import workspace
from lymph.errors import LymphError
from lymph.jobs.status import Status, as_of_now, written_status
from lymph.runs.about import About, about_in
from lymph.runs.run import Run, known_elsewhere
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.summary import Summary, read_summary, summarise, write_summary

WATCHED = (
    files.STATUS,
    files.CONFIG,
    files.SPLIT,
    files.ABOUT,
    files.SUMMARY,
    files.PREDICTIONS,
)

# A folder is filled within this time; one without a status later on has lost it.
FILLED_SECONDS = 60.0

# Time of change (ns), length (bytes) and inode of each watched file.
Stamp = tuple[tuple[int, int, int], ...]


class SplitKind(NamedTuple):
    """What lists say of a split; its members stay in the file."""

    by: str
    seed: int
    folds: int


@dataclass(frozen=True)
class RunRecord:
    """What a run's small files say of it.

    Attributes
    ----------
    summary : Summary, optional
        The figures of a finished run; None before its end, and of a run of an earlier version until
        :func:`with_figures` has computed them.
    trouble : str
        Why the figures of a finished run cannot be computed, in a sentence.
    doubts : tuple of str
        What else could not be read of it, a sentence each; the run itself can be used.
    """

    run: Run
    id: str
    config: TrainConfig
    split: SplitKind
    status: Status
    about: About
    summary: Summary | None = None
    trouble: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Return the run's folder."""
        return self.run.path

    @property
    def finished(self) -> bool:
        """Tell whether the run has come to its end."""
        return self.status.state == "finished"

    @property
    def lacks_figures(self) -> bool:
        """Tell whether the figures of the finished run have yet to be computed."""
        return self.finished and self.summary is None and not self.trouble


class Catalogue(NamedTuple):
    """The runs of the workspace and those it started elsewhere, newest first.

    ``unreadable`` holds a sentence for each folder that is a run's and cannot be read.
    """

    records: list[RunRecord]
    unreadable: list[str]


class _Known(NamedTuple):
    stamp: Stamp
    record: RunRecord | None
    problem: str


_known: dict[str, _Known] = {}
_lock = threading.Lock()


def read_catalogue() -> Catalogue:
    """Return what is known of every run; only files that have changed are read."""
    paths = [*_folders(), *sorted(set(known_elsewhere()))]
    found = {path: known for path in paths if (known := _look(path)) is not None}
    with _lock:
        for gone in _known.keys() - found.keys():
            del _known[gone]
    records = [_now(known.record) for known in found.values() if known.record is not None]
    records.sort(key=lambda record: -record.status.queued)
    problems = [known.problem for known in found.values()]
    return Catalogue(records, list(filter(None, problems)))


def list_runs() -> list[Run]:
    """List the readable runs of the workspace, and those it started elsewhere, newest first."""
    return [record.run for record in read_catalogue().records]


def record_of(run: Run) -> RunRecord:
    """Return what is known of one run.

    Raises
    ------
    LymphError
        When its status, configuration or split cannot be read.
    """
    known = _look(str(run.path))
    return _now(known.record) if known and known.record else _read(run)


def with_figures(record: RunRecord) -> RunRecord:
    """Return a finished run's record with its figures, computed where its folder has none.

    They are kept in the folder for the next time, where it can be written. Why they cannot be
    computed stands in the record's ``trouble``.
    """
    if not record.lacks_figures:
        return record
    path = str(record.path)
    stamp = _stamp(path)
    try:
        made = replace(record, summary=_made(record.path))
    except LymphError as error:
        made = replace(record, trouble=str(error))
    with _lock:
        # What could be written changes the stamp, and is read at the next look.
        _known[path] = _Known(stamp, made, "")
    return made


def _made(folder: Path) -> Summary:
    try:
        return write_summary(folder)
    except OSError:  # a folder that may only be read
        return summarise(folder)


def _folders() -> list[str]:
    try:
        with os.scandir(workspace.runs_home()) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return []


def _stamp(path: str) -> Stamp:
    return tuple(_stamp_of(f"{path}/{name}") for name in WATCHED)


def _stamp_of(file: str) -> tuple[int, int, int]:
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _look(path: str) -> _Known | None:
    """Return what is known of a folder, read again where a file has changed; None if no run's."""
    # Taken before the files are read: a change meanwhile is noticed by the next look.
    stamp = _stamp(path)
    known = _known.get(path)
    if known is not None and known.stamp == stamp:
        return known
    if not _holds_run(stamp):
        return None
    try:
        known = _Known(stamp, _read(Run(Path(path).resolve())), "")
    except LymphError as error:
        known = _Known(stamp, None, str(error))
    with _lock:
        _known[path] = known
    return known


def _holds_run(stamp: Stamp) -> bool:
    """Tell a run's folder by its status, which is written last, or by what has long lacked one."""
    status, config = stamp[0], stamp[1]
    return any(status) or (any(config) and config[0] / 1e9 < time.time() - FILLED_SECONDS)


def _read(run: Run) -> RunRecord:
    folder = run.path
    status = written_status(folder)
    config = TrainConfig.load(folder / files.CONFIG)
    split = Split.load(folder / files.SPLIT)
    about, doubt = about_in(folder)
    return RunRecord(
        run,
        run.id,
        config,
        SplitKind(split.by, split.seed, len(split.folds or [])),
        status,
        about,
        read_summary(folder) if status.state == "finished" else None,
        doubts=(doubt,) if doubt else (),
    )


def _now(record: RunRecord) -> RunRecord:
    """Return a record whose status says whether its process still lives."""
    status = as_of_now(record.path, record.status)
    return record if status is record.status else replace(record, status=status)
