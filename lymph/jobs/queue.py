"""Whose turn it is: one queue for all that computes, of which a machine's places take the next.

Each job that waits or runs has a ticket in the workspace, whose name is its rank. Lessons and the
leak meter are short and watched by people: they go before trainings that wait. Among equals the
first come is first served, and what runs is never interrupted. A machine has as many places as
graphics cards, else one; a place is a lock of the operating system's, which a process that dies
frees. Of one visitor of a class one job runs at a time, however many places there are.
"""

import contextlib
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from lymph import workspace
from lymph.errors import LymphError
from lymph.jobs.status import Status, read_status

# Names the number of the place that this process computes on.
PLACE = "LYMPH_PLACE"

# Which visitor of a class starts a job, while it is started.
_starting: ContextVar[str] = ContextVar("_starting", default="")

# What the first digit of a ticket says.
SHORT, LONG = 0, 1


class Ticket(NamedTuple):
    """A job's place in the queue; tickets sort as the queue does."""

    path: Path
    folder: Path
    title: str
    host: str
    started: float
    done: float
    whose: str = ""


# The tickets of jobs that wait or run, in the order of the queue, and how each job stands.
Known = list[tuple[Ticket, Status]]


@dataclass(frozen=True)
class Job:
    """A job that waits or runs: its folder, a title for people, and where it stands."""

    folder: Path
    title: str
    status: Status
    started: float = 0.0
    done_before: float = 0.0

    def seconds_left(self) -> float | None:
        """Return about how long it still takes, or None where nothing tells."""
        gained = self.status.done - self.done_before
        if self.status.state != "running" or not self.started or gained <= 0:
            return None
        return (time.time() - self.started) * (1 - self.status.done) / gained


def home() -> Path:
    """Return the folder of tickets and places."""
    return workspace.home() / "jobs"


@contextlib.contextmanager
def started_by(visitor: str) -> Iterator[None]:
    """Note on the tickets of all jobs that are started meanwhile whose they are."""
    token = _starting.set(visitor)
    try:
        yield
    finally:
        _starting.reset(token)


def enter(folder: Path, title: str, rank: int, queued: float) -> None:
    """Give a job its ticket; one of an earlier start of it is void."""
    leave(folder)
    document = {"folder": str(folder), "title": title, "host": socket.gethostname()}
    document |= {"whose": _starting.get()}
    name = f"{rank}-{queued:017.6f}-{_digest(folder)}.json"
    workspace.write_json(home() / name, document)


def leave(folder: Path) -> None:
    """Take a job out of the queue."""
    for path in home().glob(f"*-{_digest(folder)}.json"):
        workspace.remove(path)


def look() -> Known:
    """Read every ticket and how its job stands, in the order of the queue; those of the dead go.

    Of many jobs this reads many files: who asks for many people hands on what was read once.
    """
    return list(_alive(_tickets()))


def going(known: Known | None = None) -> list[Job]:
    """List what runs and what waits, in the order of the queue; ``known`` is what was just read."""
    jobs = [_job(ticket, status) for ticket, status in (look() if known is None else known)]
    return sorted(jobs, key=lambda job: job.status.state != "running")


def ahead_of(folder: Path, known: Known | None = None) -> list[Job]:
    """List the jobs that a waiting one waits for, the one that runs first; empty where none is.

    Where a place is free and nobody is before it, it is about to start. What was ``known`` a moment
    ago does for a job that has its ticket in there.
    """
    own = _ticket_of(folder)
    if own is None:
        return []
    if known is None or all(ticket.path != own.path for ticket, _ in known):
        known = look()
    running, waiting, same = [], [], []
    for ticket, status in known:
        if ticket.host != own.host or ticket.path == own.path:
            continue
        job = _job(ticket, status)
        if status.state == "running":
            running.append(job)
            same += [job] if own.whose and ticket.whose == own.whose else []
        elif ticket.path.name < own.path.name:
            waiting.append(job)
    if len(running) + len(waiting) >= count_places():
        return running + waiting
    return same


def _job(ticket: Ticket, status: Status) -> Job:
    return Job(ticket.folder, ticket.title, status, ticket.started, ticket.done)


def job_of(folder: Path) -> Job | None:
    """Return a job that waits or runs, or None."""
    return next((job for job in going() if job.folder == folder), None)


def take_place(folder: Path) -> FileLock | None:
    """Take a place where it is this job's turn, and let the job know which; else return None.

    Who waits asks often: as long as no place is free no ticket is read.
    """
    for number in range(count_places()):
        lock = FileLock(home() / f".place-{socket.gethostname()}-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        if _is_next(folder):
            os.environ[PLACE] = str(number)
            return lock
        lock.release()
        return None
    return None


def _is_next(folder: Path) -> bool:
    """Tell whether no other job of this machine that could begin now stands before this one."""
    own = _ticket_of(folder)
    if own is None:  # the queue's folder was deleted meanwhile
        enter(folder, folder.name, LONG, time.time())
        return False
    here = _alive(ticket for ticket in _tickets() if ticket.host == own.host)
    if count_places() == 1:
        # The first that waits answers, and no ticket after it is read.
        first = next((ticket for ticket, status in here if status.state == "queued"), own)
        return first.path == own.path
    known = list(here)
    busy = {ticket.whose for ticket, status in known if status.state == "running"} - {""}
    waiting = [t for t, status in known if status.state == "queued" and t.whose not in busy]
    return own.whose not in busy and [*waiting, own][0].path == own.path


def tell_started(folder: Path, done: float) -> None:
    """Note on a job's ticket when it began to run, with which share of it done already."""
    if own := _ticket_of(folder):
        document = workspace.read_json(own.path)
        workspace.write_json(own.path, {**document, "started": time.time(), "done": done})


def count_places() -> int:
    """Return how many jobs may run at once on this machine, as far as is known."""
    kept = workspace.read_json_or(_places_file(), 1)
    return kept if isinstance(kept, int) and 1 <= kept <= 64 else 1


def tell_places(count: int) -> None:
    """Keep how many devices a machine has: only those who have loaded torch know."""
    if count_places() != count:
        workspace.write_json(_places_file(), count)


def _places_file() -> Path:
    return home() / f".places-{socket.gethostname()}.json"


def _digest(folder: Path) -> str:
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]


def _tickets() -> Iterator[Ticket]:
    """Read the tickets in the order of the queue, each when it is asked for."""
    try:
        names = sorted(name for name in os.listdir(home()) if name[0] != ".")
    except OSError:
        return
    for name in names:
        if ticket := _read_ticket(home() / name):
            yield ticket


def _ticket_of(folder: Path) -> Ticket | None:
    paths = sorted(home().glob(f"[!.]*-{_digest(folder)}.json"))
    return _read_ticket(paths[-1]) if paths else None


def _read_ticket(path: Path) -> Ticket | None:
    """Read a ticket; one that is damaged counts as none, and its job enters again."""
    seen = workspace.settled(path)
    return _ticket_in(path) if seen is None else _ticket_as_seen(path, seen)


@lru_cache(maxsize=2_000)
def _ticket_as_seen(path: Path, _seen: tuple[int, ...]) -> Ticket | None:
    return _ticket_in(path)


def _ticket_in(path: Path) -> Ticket | None:
    document = workspace.read_json_or(path, None)
    if not isinstance(document, dict):
        return None
    names = ("folder", "title", "host", "whose")
    folder, title, host, whose = (_text(document, name) for name in names)
    started, done = (_number(document, name) for name in ("started", "done"))
    return Ticket(path, Path(folder), title, host, started, done, whose) if folder else None


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _number(document: dict[str, Any], name: str) -> float:
    value = document.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _alive(tickets: Iterator[Ticket] | list[Ticket]) -> Iterator[tuple[Ticket, Status]]:
    """Pair tickets with how their jobs stand; those whose job is over are thrown away."""
    for ticket in tickets:
        try:
            status = read_status(ticket.folder)
        except LymphError:
            status = None
        if status is not None and status.going:
            yield ticket, status
        else:
            with contextlib.suppress(OSError):
                ticket.path.unlink()
