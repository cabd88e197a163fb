"""The process that trains a run: ``python -m lymph.training.worker RUN``.

It waits for its turn, lowers its priority, trains, and writes how it ended. The run folder is its
only channel: no page and no server needs to be there.
"""

import contextlib
import errno
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from lymph import workspace
from lymph.errors import LymphError
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.folder import Status

if TYPE_CHECKING:
    from lymph.training.processes import Processes

log = logging.getLogger("lymph")

NICENESS = 10
POLL_SECONDS = 0.3
RESERVE_BYTES = 65_536


def queue_ahead(folder: Path) -> list[Path]:
    """List the waiting runs of the workspace that came before this one, first come first served."""
    own = files.read_status(folder).queued
    ahead = []
    for other in workspace.runs_home().glob(f"*/{files.STATUS}"):
        try:
            status = files.read_status(other.parent)
        except LymphError:
            continue
        waiting = status.state == "queued" and status.queued and status.queued < own
        if waiting and other.parent != folder:
            ahead.append(other.parent)
    return ahead


def _wait_for_turn(folder: Path) -> FileLock | None:
    """Take the place on a device; None when the run is taken out of the queue meanwhile.

    The lock is the operating system's: a worker that dies frees it.
    """
    waited = False
    while True:
        if (folder / files.STOP).exists():
            return None
        if not queue_ahead(folder) and (lock := _take_device()):
            return lock
        if not waited:
            log.info("Waiting for the runs before this one.")
            waited = True
        time.sleep(POLL_SECONDS)


def _take_device() -> FileLock | None:
    """Take the first free device, one run on each, and let training know which."""
    # Loaded only when it is a run's turn: those that wait stay small.
    from lymph.training.devices import usable_devices

    for device in usable_devices():
        name = str(device).replace(":", "-")
        lock = FileLock(workspace.runs_home() / f".turn-{name}.lock")
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            os.environ["LYMPH_DEVICE"] = str(device)
            return lock
    return None


def _set_up_log(folder: Path) -> None:
    log.setLevel(logging.INFO)
    for handler in list(log.handlers):
        if isinstance(handler, logging.FileHandler):
            log.removeHandler(handler)
            handler.close()
    handler = logging.FileHandler(folder / files.LOG, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)


def _end(folder: Path, state: str, error: str = "") -> None:
    # On a full disk the reserve makes room for the last word.
    (folder / files.RESERVE).unlink(missing_ok=True)
    files.write_status(
        folder, replace(files.read_status(folder), state=state, error=error, share=0.0)
    )
    (folder / files.STOP).unlink(missing_ok=True)
    log.info("%s. %s", state.capitalize(), error)


def _train(folder: Path, processes: "Processes | None" = None) -> None:
    """Train what the folder describes: one split, or folds."""
    from lymph.training.crossval import cross_validate
    from lymph.training.processes import ALONE
    from lymph.training.trainer import Trainer

    config = TrainConfig.load(folder / files.CONFIG)
    split = Split.load(folder / files.SPLIT)
    if split.folds is not None:
        cross_validate(folder, config, split, processes or ALONE)
    else:
        Trainer(folder, config, split, processes or ALONE).train()


def work(folder: Path, processes: "Processes | None" = None) -> Status:
    """Train a run in this process and return how it ended; every end stands in ``status.json``.

    Of several processes the first one waits in the queue and keeps the folder; the others train.
    """
    if processes and not processes.first:
        processes.tell(None)
        _train(folder, processes)
        return files.read_status(folder)
    _set_up_log(folder)
    status = replace(files.read_status(folder), state="queued", error="", **files.own_process())
    files.write_status(folder, status)
    workspace.runs_home().mkdir(parents=True, exist_ok=True)
    lock = _wait_for_turn(folder)
    if lock is None:
        _end(folder, "stopped")
        return files.read_status(folder)
    try:
        _guarded(folder, processes)
    finally:
        lock.release()
        os.environ.pop("LYMPH_DEVICE", None)
    return files.read_status(folder)


def _guarded(folder: Path, processes: "Processes | None") -> None:
    """Train, and turn every way to end into a state and a sentence."""
    from lymph.training.trainer import Stopped

    started = {"state": "running", **files.own_process()}
    files.write_status(folder, replace(files.read_status(folder), **started))
    try:
        (folder / files.RESERVE).write_bytes(bytes(RESERVE_BYTES))
        if processes:
            processes.tell(None)
        _train(folder, processes)
    except (Stopped, KeyboardInterrupt):
        _end(folder, "stopped")
    except LymphError as error:
        _end(folder, "failed", str(error))
    except OSError as error:
        log.exception("The run failed.")
        _end(folder, "failed", _disk_words(error))
    except Exception as error:
        log.exception("The run failed.")
        _end(folder, "failed", f"{type(error).__name__}: {error} (see the run's log).")
    else:
        _summarise(folder)
        _end(folder, "finished")


def _summarise(folder: Path) -> None:
    """Keep the figures that lists show; without them the run is finished all the same."""
    from lymph.training.summary import write_summary

    try:
        write_summary(folder)
    except (OSError, LymphError) as error:
        log.warning("The figures for the list of runs are computed when it is opened: %s", error)


def _disk_words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return (
            "The disk is full. Everything up to the last finished epoch is kept; free some space"
            " and resume."
        )
    return f"The disk or the data cannot be used ({error}); mend it and resume."


def _stop_on_signal(folder: Path) -> Callable[[int, FrameType | None], None]:
    return lambda signal_number, frame: (folder / files.STOP).touch()


def main() -> None:
    """Run as a process of its own, at low priority so that pages answer quickly."""
    folder = Path(sys.argv[1]).resolve()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGTERM, _stop_on_signal(folder))
    work(folder)


if __name__ == "__main__":
    main()
