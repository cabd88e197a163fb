"""What the process of a measurement does: measure what its folder describes."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lymph import workspace
from lymph.evaluation import robustness
from lymph.jobs.status import change_status
from lymph.jobs.worker import check_stop
from lymph.leak.control import check_control, measure_control
from lymph.leak.linear_features import colour_features, frozen_features
from lymph.leak.measurement import RESULT, VERSION, Measurement, MeterConfig
from lymph.leak.meter import MAX_PICTURES, STRENGTHS, Learner, choose_pictures, linear, measure_leak
from lymph.parallel import Progress


def work(folder: Path) -> None:
    """Measure, and keep the result in the folder.

    Raises
    ------
    LymphError
        When these pictures cannot be measured.
    Stopped
        When the user asked for it.
    """
    config = Measurement(folder).config
    table = choose_pictures(config.source.usable(), MAX_PICTURES[config.features])
    if config.control:
        check_control(table)

    def read(done: int, total: int) -> None:
        check_stop(folder)
        if done % 16 == 0 or done == total:
            change_status(folder, share=done / total)

    learner, threads, features = _learner(config, table, read)

    def tell(done: int, total: int) -> None:
        check_stop(folder)
        change_status(folder, epoch=done, epochs=total, share=0.0)

    with threads:
        if config.control:
            result = measure_control(learner, table, config.times, tell)
        else:
            result = measure_leak(learner(table), table, config.times, tell)
            result["neighbours"] = _neighbours(features, table)
    workspace.write_json(folder / RESULT, {"version": VERSION, **result})


def _learner(
    config: MeterConfig, table: pd.DataFrame, read: Progress
) -> tuple[Learner, AbstractContextManager, np.ndarray | None]:
    """Return what makes the quick model, the threads that it may use, and its ready features."""
    root = config.source.path
    if config.features == "cnn":
        # Loaded late: torch stands behind it.
        from lymph.leak.network import small_cnn

        return partial(small_cnn, root), nullcontext(), None
    if config.features == "colour":
        features = colour_features(root, table, read)
    else:
        features = frozen_features(root, table, config.weights, read, config.encoder)
    # Small fits gain nothing from threads, and threads that wait for each other lose a lot on a
    # busy machine.
    learner = partial(linear, features, strength=STRENGTHS[config.features])
    return learner, threadpool_limits(1), features


def _neighbours(features: np.ndarray | None, table: pd.DataFrame) -> dict[str, Any] | None:
    """Return what nearest neighbours share in ready features; the small CNN has none of its own."""
    if features is None:
        return None
    told = robustness(features, *(table[name].to_numpy(str) for name in ("label", "patient")))
    return told.to_json() if told else None
