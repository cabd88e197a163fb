"""The process that trains a run: ``python -m lymph.training.worker RUN``.

It waits for its turn, lowers its priority, trains, and writes how it ended. The run folder is its
only channel: no page and no server needs to be there.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from lymph import workspace
from lymph.errors import LymphError
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.folder import Status

log = logging.getLogger("lymph")

NICENESS = 10
POLL_SECONDS = 0.3


def queue_ahead(folder: Path) -> list[Path]:
    """List the waiting runs of the workspace that came before this one, first come first served."""
    own = files.read_status(folder).queued
    ahead = []
    for other in workspace.runs_home().glob(f"*/{files.STATUS}"):
        try:
            status = files.read_status(other.parent)
        except (OSError, ValueError):
            continue
        waiting = status.state == "queued" and status.queued and status.queued < own
        if waiting and other.parent != folder:
            ahead.append(other.parent)
    return ahead


def _wait_for_turn(folder: Path, lock: FileLock) -> bool:
    """Take the one place on this device; False when the run is taken out of the queue meanwhile.

    The lock is the operating system's: a worker that dies frees it.
    """
    waited = False
    while True:
        if (folder / files.STOP).exists():
            return False
        if not queue_ahead(folder):
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)
                return True
        if not waited:
            log.info("Waiting for the runs before this one.")
            waited = True
        time.sleep(POLL_SECONDS)


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
    files.write_status(
        folder, replace(files.read_status(folder), state=state, error=error, share=0.0)
    )
    (folder / files.STOP).unlink(missing_ok=True)
    log.info("%s. %s", state.capitalize(), error)


def _train(folder: Path) -> None:
    """Train what the folder describes: one split, or folds."""
    from lymph.training.crossval import cross_validate
    from lymph.training.trainer import Trainer

    config = TrainConfig.from_json(workspace.read_json(folder / files.CONFIG))
    split = Split.load(folder / files.SPLIT)
    if split.folds is not None:
        cross_validate(folder, config, split)
    else:
        Trainer(folder, config, split).train()


def work(folder: Path) -> Status:
    """Train a run in this process and return how it ended; every end stands in ``status.json``."""
    from lymph.training.trainer import Stopped

    _set_up_log(folder)
    status = replace(files.read_status(folder), state="queued", error="", **files.own_process())
    files.write_status(folder, status)
    workspace.runs_home().mkdir(parents=True, exist_ok=True)
    lock = FileLock(workspace.runs_home() / ".turn.lock")
    if not _wait_for_turn(folder, lock):
        _end(folder, "stopped")
        return files.read_status(folder)
    try:
        _guarded(folder, Stopped)
    finally:
        lock.release()
    return files.read_status(folder)


def _guarded(folder: Path, stopped: type[Exception]) -> None:
    """Train, and turn every way to end into a state and a sentence."""
    started = {"state": "running", **files.own_process()}
    files.write_status(folder, replace(files.read_status(folder), **started))
    try:
        _train(folder)
    except (stopped, KeyboardInterrupt):
        _end(folder, "stopped")
    except LymphError as error:
        _end(folder, "failed", str(error))
    except OSError as error:
        log.exception("The run failed.")
        _end(
            folder, "failed", f"The disk or the data cannot be used ({error}); mend it and resume."
        )
    except Exception as error:
        log.exception("The run failed.")
        _end(folder, "failed", f"{type(error).__name__}: {error} (see the run's log).")
    else:
        _end(folder, "finished")


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
