"""What the process of a run does: train what its folder describes."""

import logging
from pathlib import Path

from lymph.errors import LymphError
from lymph.jobs import queue
from lymph.jobs.status import Status, read_status
from lymph.jobs.worker import run_job
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.crossval import cross_validate
from lymph.training.devices import usable_devices
from lymph.training.processes import ALONE, Processes
from lymph.training.summary import write_summary
from lymph.training.trainer import Trainer

log = logging.getLogger("lymph")


def work(folder: Path, processes: Processes = ALONE) -> None:
    """Train what the folder describes: one split, or folds.

    Raises
    ------
    LymphError
        When the data or the folder cannot be used.
    Stopped
        When the user asked for it.
    """
    if processes.is_main:
        queue.tell_places(len(usable_devices()))
    processes.broadcast(None)  # The others begin when it is the first one's turn.
    config = TrainConfig.load(folder / files.CONFIG)
    split = Split.load(folder / files.SPLIT)
    if split.folds is not None:
        cross_validate(folder, config, split, processes)
    else:
        Trainer(folder, config, split, processes).train()
    if processes.is_main:
        _summarise(folder)


def train(folder: Path, processes: Processes = ALONE) -> Status:
    """Train a run in this process and return how it ended; every end stands in ``status.json``.

    Of several processes the first one waits in the queue and keeps the folder; the others train.
    """
    if processes.is_main:
        return run_job(folder, lambda place: work(place, processes))
    work(folder, processes)
    return read_status(folder)


def _summarise(folder: Path) -> None:
    """Keep the figures that lists show; without them the run is finished all the same."""
    try:
        write_summary(folder)
    except (OSError, LymphError) as error:
        log.warning("The figures for the list of runs are computed when it is opened: %s", error)
