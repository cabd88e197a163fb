"""Who is here: the visitors whose pages are open, at every server of one workspace.

Each server keeps a list of its visitors in the workspace and holds a lock beside it, which is free
as soon as the server has ended, however it ends.
"""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lymph import workspace
from lymph.errors import DiskError

# Seconds after which somebody who has gone does not come back to a visit; see what the pages do
# with drops.
GONE_SECONDS = 121.0

# The visitors of this server by their sessions, and those that its list in a workspace names.
_sessions: dict[str, str] = {}
_told: dict[Path, frozenset[str]] = {}
# By workspace, the list of this server and the lock that tells that it lives.
_lists: dict[Path, tuple[Path, FileLock]] = {}
_changing = threading.RLock()


def home() -> Path:
    """Return the folder of the servers' lists."""
    return workspace.home() / "class" / "here"


def come(session: str, visitor: str) -> None:
    """Note that a visitor's page is open; on a full disk that is tried again at the next page."""
    with _changing:
        _sessions[session] = visitor
        with contextlib.suppress(DiskError):
            _tell()


def leave(session: str) -> bool:
    """Note that a visit is over; tell whether it was one of a class."""
    with _changing:
        known = _sessions.pop(session, None) is not None
        with contextlib.suppress(DiskError):
            _tell()
    return known


def _tell() -> None:
    """Let the list of this server name those who are here."""
    now = frozenset(_sessions.values())
    if _told.get(home(), frozenset()) == now:
        return
    with workspace.turn(home()):
        workspace.write_json(_own_list(), sorted(now))
    _told[home()] = now


def _own_list() -> Path:
    if home() not in _lists:
        file = home() / f"{uuid.uuid4().hex}.json"
        with workspace.writing(home()):
            home().mkdir(parents=True, exist_ok=True)
            # Held by the process, whichever of its threads came first.
            lock = FileLock(file.with_suffix(".lock"), thread_local=False)
            lock.acquire()
        _lists[home()] = file, lock
    return _lists[home()][0]


@contextmanager
def nobody_comes() -> Iterator[set[str]]:
    """Yield the ids of all visitors who are here, at whichever server; meanwhile nobody comes.

    Those of a server that ended a moment ago are among them: they have time to come back to the
    next one.
    """
    with workspace.turn(home()):
        for file in home().glob("*.json"):
            _put_aside_if_ended(file)
        for file in home().glob("*.gone"):
            if time.time() - file.stat().st_mtime >= GONE_SECONDS:
                file.unlink()
        named = [workspace.read_json_or(file, []) for file in home().glob("*.[jg]*")]
        lists = [one for one in named if isinstance(one, list)]
        known = {who for one in lists for who in one if isinstance(who, str)}
        yield known | set(_sessions.values())


def _put_aside_if_ended(file: Path) -> None:
    lock = FileLock(file.with_suffix(".lock"), timeout=0)
    with contextlib.suppress(Timeout), lock:
        gone = file.rename(file.with_suffix(".gone"))
        os.utime(gone)
        with contextlib.suppress(OSError):  # Windows deletes it as the lock is let go
            file.with_suffix(".lock").unlink()
