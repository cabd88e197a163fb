"""The process that does a job: ``python -m lymph.jobs MODULE FOLDER``.

It waits for its turn, imports the module, lets it work, and writes how that ended. The folder is
its only channel: no page and no server needs to be there. While it waits it has loaded neither
pandas nor torch.
"""

import contextlib
import errno
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from filelock import FileLock

from lymph import workspace
from lymph.errors import LymphError
from lymph.jobs import queue
from lymph.jobs.files import HEARTBEAT, LOG, RESERVE, STOP
from lymph.jobs.status import (
    BEAT_SECONDS,
    Status,
    change_status,
    own_process,
    read_status,
    written_status,
)

log = logging.getLogger("lymph")

POLL_SECONDS = 0.3
RESERVE_BYTES = 65_536


class Stopped(Exception):
    """The user asked the job to stop."""


def check_stop(folder: Path) -> None:
    """Raise :class:`Stopped` where somebody asked for it."""
    if (folder / STOP).exists():
        raise Stopped


def run_job(folder: Path, work: Callable[[Path], None]) -> Status:
    """Wait for a job's turn, do it in this process, and return how it ended.

    Every way to end stands in ``status.json``, as a state and a sentence.

    Parameters
    ----------
    folder : Path
        A job's, with a status.
    work : callable
        Does the job; raises :class:`Stopped` where the stop file asks for it.
    """
    _set_up_log(folder)
    change_status(folder, state="queued", error="", **own_process())
    try:
        with _heartbeat(folder):
            ended = _in_turn(folder, work)
        _end(folder, *ended)
    finally:
        queue.leave(folder)
    return read_status(folder)


def _in_turn(folder: Path, work: Callable[[Path], None]) -> tuple[str, str, float]:
    """Wait and work; return the state at the end, what went wrong, and the seconds of work."""
    try:
        place = _wait_for_turn(folder)
    except KeyboardInterrupt:
        place = None
    if place is None:
        return "stopped", "", 0.0
    started = time.monotonic()
    try:
        state, error = _guarded(folder, work)
    finally:
        place.release()
        os.environ.pop(queue.PLACE, None)
    return state, error, time.monotonic() - started


def _set_up_log(folder: Path) -> None:
    log.setLevel(logging.INFO)
    for handler in list(log.handlers):
        if isinstance(handler, logging.FileHandler):
            log.removeHandler(handler)
            handler.close()
    handler = logging.FileHandler(folder / LOG, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)


@contextlib.contextmanager
def repeated(work: Callable[[], None], seconds: float) -> Iterator[None]:
    """Do something beside the block, at once and every so many seconds, until the block ends.

    A disk that is full now may have room the next time: what cannot be done is left until then.
    """
    over = threading.Event()

    def go_on() -> None:
        while True:
            with contextlib.suppress(OSError, LymphError):
                work()
            if over.wait(seconds):
                return

    thread = threading.Thread(target=go_on, name=work.__name__, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def _heartbeat(folder: Path) -> Iterator[None]:
    """Say every now and then that this process is alive, for those on other machines."""

    def heartbeat() -> None:
        workspace.write_json(folder / HEARTBEAT, {"alive": time.time()})

    try:
        with repeated(heartbeat, BEAT_SECONDS):
            yield
    finally:
        workspace.remove(folder / HEARTBEAT)


def _wait_for_turn(folder: Path) -> FileLock | None:
    """Take a place to compute on; None when the job is taken out of the queue meanwhile."""
    waited = False
    while not (folder / STOP).exists():
        if (place := queue.take_place(folder)) is not None:
            return place
        if not waited and (ahead := queue.ahead_of(folder)):
            log.info("Waiting for ‘%s’.", ahead[0].title)
            waited = True
        time.sleep(POLL_SECONDS)
    return None


def _guarded(folder: Path, work: Callable[[Path], None]) -> tuple[str, str]:
    """Work, and turn every way to end into a state and a sentence."""
    queue.tell_started(folder, written_status(folder).done)
    change_status(folder, state="running")
    try:
        (folder / RESERVE).write_bytes(bytes(RESERVE_BYTES))
        work(folder)
    except (Stopped, KeyboardInterrupt):
        return "stopped", ""
    except LymphError as error:
        return "failed", str(error)
    except OSError as error:
        log.exception("The job failed.")
        return "failed", _disk_words(error)
    except Exception as error:
        log.exception("The job failed.")
        return "failed", f"{type(error).__name__}: {error} (see {folder / LOG})."
    return "finished", ""


def _end(folder: Path, state: str, error: str, seconds: float) -> None:
    # On a full disk the reserve makes room for the last word.
    (folder / RESERVE).unlink(missing_ok=True)
    # A training counts its seconds itself, over all of its parts.
    seconds = written_status(folder).seconds or seconds
    # Before it is over for all to see: whoever starts it again may ask that one to stop at once.
    (folder / STOP).unlink(missing_ok=True)
    change_status(folder, state=state, error=error, share=0.0, seconds=seconds)
    level = logging.ERROR if error else logging.INFO
    log.log(level, " ".join(filter(None, (f"{state.capitalize()}.", error))))


def _disk_words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return (
            "The disk is full. Free some space, then start it again; a run goes on from its last"
            " finished epoch."
        )
    return f"The disk or the data cannot be used ({error}); fix that, then start it again."


def _stop_on_signal(folder: Path) -> Callable[[int, FrameType | None], None]:
    return lambda signal_number, frame: (folder / STOP).touch()


def main() -> None:
    """Run as a process of its own."""
    module, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    signal.signal(signal.SIGTERM, _stop_on_signal(folder))
    run_job(folder, lambda place: importlib.import_module(module).work(place))
