"""The process that measures a leak: ``python -m lymph.leak.worker FOLDER``.

It outlives the page that started it; the measurement's folder is its only channel.
"""

import logging
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from lymph import workspace
from lymph.errors import LymphError
from lymph.leak.features import colour_features, imagenet_features
from lymph.leak.job import RESULT, Measurement, MeterConfig
from lymph.leak.meter import MAX_PICTURES, choose_pictures, linear, measure_leak
from lymph.training import folder as files
from lymph.training.folder import Status

log = logging.getLogger("lymph")

NICENESS = 10


class Stopped(Exception):
    """The user asked the measurement to stop."""


def _measure(folder: Path, config: MeterConfig) -> None:
    table, root = config.source.usable(), config.source.path
    table = choose_pictures(table, MAX_PICTURES[config.features])

    def check_stop() -> None:
        if (folder / files.STOP).exists():
            raise Stopped

    def read(done: int, total: int) -> None:
        check_stop()
        if done % 16 == 0 or done == total:
            _tell(folder, share=done / total)

    if config.features == "cnn":
        # Loaded late: torch stands behind it.
        from lymph.leak.network import small_cnn

        learn, threads = small_cnn(root, table), nullcontext()
    else:
        if config.features == "colour":
            features = colour_features(root, table, read)
        else:
            features = imagenet_features(root, table, config.weights, read)
        # Small fits gain nothing from threads, and threads that wait for each other lose a lot on
        # a busy machine.
        learn, threads = linear(features, table), threadpool_limits(1)

    def tell(done: int, total: int) -> None:
        check_stop()
        _tell(folder, epoch=done, epochs=total, share=0.0)

    with threads:
        result = measure_leak(learn, table, config.seeds, tell)
    workspace.write_json(folder / RESULT, result)


def _tell(folder: Path, **changes: Any) -> None:
    files.write_status(folder, replace(files.read_status(folder), **changes))


def work(folder: Path) -> Status:
    """Measure, and turn every way to end into a state and a sentence."""
    started = time.time()
    _tell(folder, state="running", **files.own_process())
    state, error = "finished", ""
    try:
        _measure(folder, Measurement(folder).config)
    except (Stopped, KeyboardInterrupt):
        state = "stopped"
    except LymphError as problem:
        state, error = "failed", str(problem)
    except Exception as problem:
        log.exception("The measurement failed.")
        state, error = "failed", f"{type(problem).__name__}: {problem} (see {folder / files.LOG})."
    _tell(folder, state=state, error=error, seconds=time.time() - started)
    return files.read_status(folder)


def main() -> None:
    """Run as a process of its own, at low priority so that pages answer quickly."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    work(Path(sys.argv[1]).resolve())


if __name__ == "__main__":
    main()
