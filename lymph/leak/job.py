"""Measurements of the leak: each is a folder and a process of its own, as a training run is.

The folder holds ``config.json``, ``status.json`` (as a run's), ``result.json`` and ``log.txt``.
"""

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError, RunError
from lymph.jobs import files, queue
from lymph.jobs.start import Begin, enter_queue, start_job
from lymph.jobs.status import Status, read_status
from lymph.jobs.worker import run_job
from lymph.leak.meter import FEATURES, SEEDS

RESULT = "result.json"

# Of the result file. Those of version 1 carry none: their intervals resampled patients and were
# too narrow, so they are not shown any more.
VERSION = 2

LOST = "The measurement was cut off: the machine stopped or the process was killed. Measure again."


@dataclass(frozen=True)
class MeterConfig:
    """What is measured, and on which pictures; ``seeds`` defaults to the model's own number.

    ``control``: on classes shuffled over the patients.
    """

    source: PictureSource
    features: str = "colour"
    weights: str = "imagenet"
    seeds: int | None = None
    control: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.source, PictureSource):
            object.__setattr__(self, "source", PictureSource.from_json(self.source))
        if self.features not in FEATURES:
            raise RunError(
                f"There are no features {self.features!r}; choose {' or '.join(FEATURES)}."
            )
        if self.seeds is None:
            object.__setattr__(self, "seeds", SEEDS[self.features])
        if not 1 <= self.seeds <= 100:
            raise RunError("The number of seeds must be between 1 and 100.")

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` holds."""
        return {**asdict(self), "source": self.source.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "MeterConfig":
        """Make a configuration from its document, also from an older version's."""
        if "data" in document:
            document = dict(document)
            told = (document.pop(name) for name in ("data", "pattern", "patients_csv"))
            document["source"] = PictureSource.from_older(*told)
        return cls(**document)


@dataclass(frozen=True)
class Measurement:
    """A measurement's folder; every method reads the files as they are now."""

    path: Path

    @property
    def config(self) -> MeterConfig:
        """Return what is measured."""
        return MeterConfig.from_json(workspace.read_json(self.path / files.CONFIG))

    def status(self) -> Status:
        """Return where it stands; ``epoch`` counts the rounds done of ``epochs``."""
        status = read_status(self.path)
        return replace(status, error=LOST) if status.state == "lost" else status

    def result(self) -> dict[str, Any] | None:
        """Return :func:`lymph.leak.meter.measure_leak`'s result, or None before the end.

        Of an older version it comes without intervals, and ``old`` is True.
        """
        try:
            result = workspace.read_json(self.path / RESULT)
            if result.pop("version", 1) == VERSION:
                return result
            bars = {by: {**result[by], "interval": None} for by in ("picture", "patient")}
            return {**result, **bars, "old": True}
        except (OSError, ValueError, AttributeError, KeyError, TypeError):
            return None


def meters_home() -> Path:
    """Return the folder that holds one folder a measurement."""
    return workspace.home() / "leak"


def _create(config: MeterConfig) -> Path:
    """Make a measurement's folder; nothing is measured yet."""
    what = "-control" if config.control else ""
    stem = f"{datetime.now():%Y-%m-%d-%H%M%S}{what}-{config.features}-1"
    path = workspace.new_folder(meters_home(), stem)
    workspace.write_json(path / files.CONFIG, config.to_json())
    return path


def _title(config: MeterConfig) -> str:
    """Name a measurement for those who wait for it."""
    return f"{'Negative control' if config.control else 'Leak meter'}, {FEATURES[config.features]}"


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
        start_job(path, "lymph.leak.worker", _title(config), _begin(config), queue.SHORT)
    return Measurement(path)


def measure_here(config: MeterConfig) -> Measurement:
    """Measure in this process; how it ended stands in the status."""
    from lymph.leak.worker import work

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
    return lambda before: Status("queued", epochs=2 * config.seeds)


def stop_measurement(measurement: Measurement) -> None:
    """Ask a measurement to stop after the round at hand."""
    (measurement.path / files.STOP).touch()


def latest_measurement(
    source: PictureSource, features: str, control: bool = False
) -> Measurement | None:
    """Return the newest measurement of these features on these pictures, or None.

    Parameters
    ----------
    source : PictureSource
        As :meth:`PictureSource.look` returns it: other patients make another measurement.
    features : str
    control : bool
        Whether it is the negative control.
    """
    for path in sorted(meters_home().glob(f"*-{features}-*"), reverse=True):
        measurement = Measurement(path)
        try:
            config = measurement.config
            alike = config.source.tells_as(source) and config.control == control
            if alike and measurement.status():
                return measurement
        except (OSError, ValueError, TypeError, KeyError, LymphError):
            continue
    return None
