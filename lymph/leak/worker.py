"""The process that measures a leak: ``python -m lymph.leak.worker FOLDER``.

It outlives the page that started it; the measurement's folder is its only channel.
"""

import logging
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from lymph import workspace
from lymph.data.parallel import Progress
from lymph.errors import LymphError
from lymph.leak.control import check_control, measure_control
from lymph.leak.features import colour_features, imagenet_features
from lymph.leak.job import RESULT, VERSION, Measurement, MeterConfig
from lymph.leak.meter import MAX_PICTURES, Learner, choose_pictures, linear, measure_leak
from lymph.training import folder as files
from lymph.training.folder import Status

log = logging.getLogger("lymph")

NICENESS = 10


class Stopped(Exception):
    """The user asked the measurement to stop."""


def _measure(folder: Path, config: MeterConfig) -> None:
    table = choose_pictures(config.source.usable(), MAX_PICTURES[config.features])
    if config.control:
        check_control(table)

    def check_stop() -> None:
        if (folder / files.STOP).exists():
            raise Stopped

    def read(done: int, total: int) -> None:
        check_stop()
        if done % 16 == 0 or done == total:
            _tell(folder, share=done / total)

    learner, threads = _learner(config, table, read)

    def tell(done: int, total: int) -> None:
        check_stop()
        _tell(folder, epoch=done, epochs=total, share=0.0)

    with threads:
        if config.control:
            result = measure_control(learner, table, config.seeds, tell)
        else:
            result = measure_leak(learner(table), table, config.seeds, tell)
    workspace.write_json(folder / RESULT, {"version": VERSION, **result})


def _learner(
    config: MeterConfig, table: pd.DataFrame, read: Progress
) -> tuple[Learner, AbstractContextManager]:
    """Return what makes the quick model, and the threads that it may use."""
    root = config.source.path
    if config.features == "cnn":
        # Loaded late: torch stands behind it.
        from lymph.leak.network import small_cnn

        return partial(small_cnn, root), nullcontext()
    if config.features == "colour":
        features = colour_features(root, table, read)
    else:
        features = imagenet_features(root, table, config.weights, read)
    # Small fits gain nothing from threads, and threads that wait for each other lose a lot on a
    # busy machine.
    return partial(linear, features), threadpool_limits(1)


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
