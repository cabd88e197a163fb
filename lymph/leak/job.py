"""Starting and finding measurements of the leak: each is a process, as a training run is."""

import contextlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError
from lymph.jobs import files, queue
from lymph.jobs.start import Begin, enter_queue, start_job
from lymph.jobs.status import Status
from lymph.jobs.worker import run_job
from lymph.leak.measurement import Measurement, MeterConfig, meters_home
from lymph.models.encoder_table import DEFAULT


def _create(config: MeterConfig) -> Path:
    """Make a measurement's folder; nothing is measured yet."""
    what = "-control" if config.control else ""
    stem = f"{datetime.now():%Y-%m-%d-%H%M%S}{what}-{config.features}-1"
    path = workspace.new_folder(meters_home(), stem)
    workspace.write_json(path / files.CONFIG, config.to_json())
    return path


def _title(config: MeterConfig) -> str:
    """Name a measurement for those who wait for it."""
    return f"{'Negative control' if config.control else 'Leak meter'}, {config.title}"


def start_measurement(config: MeterConfig) -> Measurement:
    """Start a measurement in a process of its own, or return the one that is being made.

    Of many who ask for the same at once one starts it, and all follow that one.
    """
    config = _looked_up(config)
    meters_home().mkdir(parents=True, exist_ok=True)
    with FileLock(meters_home() / files.START_LOCK):
        asked = json.loads(json.dumps(config.to_json()))
        for job in queue.going():
            kept = workspace.read_json_or(job.folder / files.CONFIG, None)
            if job.folder.parent == meters_home() and kept == asked:
                return Measurement(job.folder)
        path = _create(config)
        start_job(path, "lymph.leak.leak_worker", _title(config), _begin(config), queue.SHORT)
    return Measurement(path)


def measure_here(config: MeterConfig) -> Measurement:
    """Measure in this process; how it ended stands in the status."""
    from lymph.leak.leak_worker import work

    config = _looked_up(config)
    meters_home().mkdir(parents=True, exist_ok=True)
    with FileLock(meters_home() / files.START_LOCK):
        path = _create(config)
        enter_queue(path, _title(config), _begin(config), queue.SHORT)
    run_job(path, work)
    return Measurement(path)


def _looked_up(config: MeterConfig) -> MeterConfig:
    with contextlib.suppress(LymphError):  # what cannot be found ends up in the status
        return replace(config, source=config.source.look().source)
    return config


def _begin(config: MeterConfig) -> Begin:
    return lambda before: Status("queued", epochs=2 * config.times)


def stop_measurement(measurement: Measurement) -> None:
    """Ask a measurement to stop after the round at hand."""
    (measurement.path / files.STOP).touch()


def latest_measurement(
    source: PictureSource, features: str, control: bool = False, encoder: str = DEFAULT
) -> Measurement | None:
    """Return the newest measurement of these features on these pictures, or None.

    Parameters
    ----------
    source : PictureSource
        As :meth:`PictureSource.look` returns it: other patients make another measurement.
    features : str
    control : bool
        Whether it is the negative control.
    encoder : str
        What makes the frozen features, as of :class:`lymph.leak.measurement.MeterConfig`.
    """
    for path in sorted(meters_home().glob(f"*-{features}-*"), reverse=True):
        measurement = Measurement(path)
        try:
            config = measurement.config
            alike = (config.control, config.encoder) == (control, encoder)
            if alike and config.source.tells_as(source) and measurement.status():
                return measurement
        except (OSError, ValueError, TypeError, KeyError, LymphError):
            continue
    return None
