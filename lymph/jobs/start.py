"""Starting a job: the one way in for runs, measurements and lessons, here or on their own."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from lymph.errors import LymphError, RunError
from lymph.jobs import queue
from lymph.jobs.detached import start_detached
from lymph.jobs.files import HEARTBEAT, START_LOCK, STOP
from lymph.jobs.status import Status, read_status, write_status

# From how a job stands, or None, to how it begins; None leaves it as it is.
Begin = Callable[[Status | None], Status | None]


def start_job(folder: Path, module: str, title: str, begin: Begin, rank: int = queue.LONG) -> bool:
    """Start a job in a process of its own, which outlives the page, the browser and the server.

    Parameters
    ----------
    folder : Path
        The job's; it is made where there is none.
    module : str
        Its function ``work(folder)`` does the job; imported only when it is the job's turn.
    title : str
        What others read who wait for it.
    begin : callable
        Prepares the folder; asked only when the job does not go on already.
    rank : int
        ``queue.SHORT`` goes before all that wait as ``queue.LONG``.

    Returns
    -------
    bool
        Whether this call started it: of many at once one does.

    Raises
    ------
    RunError
        When the machine starts no more processes.
    """
    if not enter_queue(folder, title, begin, rank):
        return False
    try:
        start_detached(module, folder)
    except OSError as error:
        words = f"No process could be started ({error}); close something and try again."
        write_status(folder, replace(read_status(folder), state="failed", error=words))
        queue.leave(folder)
        raise RunError(words) from error
    return True


def enter_queue(folder: Path, title: str, begin: Begin, rank: int = queue.LONG) -> bool:
    """Put a job into the queue, for this process or another; see :func:`start_job`."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / START_LOCK):
        try:
            before = read_status(folder)
        except LymphError:
            before = None
        if before is not None and before.going:
            return False
        status = begin(before)
        if status is None:
            return False
        for name in (STOP, HEARTBEAT):
            (folder / name).unlink(missing_ok=True)
        status = replace(status, state="queued", pid=0, error="", queued=time.time())
        # The ticket comes last: one whose job is over is thrown away by whoever reads it.
        write_status(folder, status)
        queue.enter(folder, title, rank, status.queued)
        return True
