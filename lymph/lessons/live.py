"""Lessons run in a process of their own and their figures are kept: files are the only channel.

A lesson has one folder for each data set and setting. Thirty browsers that open it look at the same
folder, and only the first one starts a process.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError
from lymph.jobs import files, queue
from lymph.jobs.start import start_job
from lymph.jobs.status import Status, read_status
from lymph.lessons.catalogue import lesson_of
from lymph.lessons.progress import Point, points_of

FIGURES = "figures.json"
REQUEST = "request.json"

# Kept figures of an older version of the lessons are not shown; raise it when one changes.
VERSION = 3

# So long somebody waits before it is called slow.
WAITING_SECONDS = 5.0

TIMED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


@dataclass(frozen=True)
class LiveRun:
    """A lesson on one data set, run or not; every method reads the files as they are now."""

    folder: Path

    def status(self) -> Status | None:
        """Return where the run stands, or None when nobody has started it."""
        try:
            return read_status(self.folder)
        except LymphError:
            return None

    def figures(self) -> dict[str, Any] | None:
        """Return the lesson's figures, or None before they are there."""
        try:
            return workspace.read_json(self.folder / FIGURES)
        except (OSError, ValueError):
            return None

    def lines(self, count: int = 8) -> list[str]:
        """Return the last lines that the lesson has told; those with a time are its process's."""
        try:
            text = (self.folder / files.LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if not TIMED.match(line)][-count:]

    def points(self) -> list[Point]:
        """Return what the lesson has measured so far, step by step; see :func:`points_of`."""
        return points_of(self.lines(count=10_000))

    def when(self) -> float:
        """Return when the figures were written, in seconds since 1970; 0 where there are none."""
        try:
            return (self.folder / FIGURES).stat().st_mtime
        except OSError:
            return 0.0


def live_run(slug: str, source: PictureSource, table: pd.DataFrame) -> LiveRun:
    """Return the run of a lesson on a data set; other pictures or patients make it another run.

    Parameters
    ----------
    slug : str
        The lesson.
    source : PictureSource
        What the pictures are.
    table : DataFrame
        Its picture table.
    """
    return live_runs([slug], source, table)[0]


def live_runs(slugs: Sequence[str], source: PictureSource, table: pd.DataFrame) -> list[LiveRun]:
    """Return the runs of several lessons on one data set; see :func:`live_run`."""
    columns = table[["picture", "label", "patient", "bytes"]]
    content = json.dumps([VERSION, source.root, columns.to_csv(index=False)])
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    home = workspace.home() / "lessons" / digest
    return [LiveRun(home / lesson_of(slug).slug) for slug in slugs]


def start_lesson(run: LiveRun, source: PictureSource, again: bool = False) -> bool:
    """Start a lesson unless it runs or has run; ``again`` forgets the figures that are kept.

    Returns
    -------
    bool
        Whether this call is the one that started a process.
    """

    def begin(before: Status | None) -> Status | None:
        finished = before is not None and before.state == "finished"
        if finished and run.figures() is not None and not again:
            return None
        for name in (FIGURES, files.LOG):
            (run.folder / name).unlink(missing_ok=True)
        request = {"lesson": run.folder.name, "source": source.to_json()}
        workspace.write_json(run.folder / REQUEST, request)
        return Status("queued")

    title = f"Lesson: {lesson_of(run.folder.name).title}"
    return start_job(run.folder, "lymph.lessons.live_process", title, begin, queue.SHORT)


def is_slow(status: Status, seconds: int, now: float) -> bool:
    """Tell whether a lesson waits, or will take over twice as long as on two idle cores.

    Parameters
    ----------
    status : Status
    seconds : int
        About how long it takes on two idle cores.
    now : float
        Seconds since 1970.
    """
    if status.over:
        return False
    passed = now - status.queued
    if status.state == "queued" or passed > 2 * seconds:
        return passed > WAITING_SECONDS
    return passed > WAITING_SECONDS and passed > 2 * seconds * status.share


def stop_lesson(run: LiveRun) -> None:
    """Ask a lesson that runs to stop at its next word."""
    status = run.status()
    if status is not None and status.going:
        (run.folder / files.STOP).touch()
