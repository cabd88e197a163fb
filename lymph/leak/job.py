"""A measurement of the leak as a process of its own: ``python -m lymph.leak.job FOLDER``.

It outlives the page that started it. Its folder is the only channel: ``config.json``,
``status.json`` (as a training run's), ``result.json`` and ``log.txt``.
"""

import logging
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.scan import scan, usable
from lymph.detached import start_detached
from lymph.errors import LymphError, RunError
from lymph.facts import PATIENT_PATTERN
from lymph.leak.features import colour_features, imagenet_features
from lymph.leak.meter import FEATURES, SEEDS, choose_pictures, measure_leak
from lymph.training import folder as files
from lymph.training.folder import Status

log = logging.getLogger("lymph")

RESULT = "result.json"
NICENESS = 10


class Stopped(Exception):
    """The user asked the measurement to stop."""


@dataclass(frozen=True)
class MeterConfig:
    """What is measured, and on which pictures."""

    data: str
    features: str = "colour"
    weights: str = "imagenet"
    seeds: int = SEEDS
    pattern: str = PATIENT_PATTERN
    patients_csv: str = ""

    def __post_init__(self) -> None:
        if self.features not in FEATURES:
            raise RunError(
                f"There are no features {self.features!r}; choose {' or '.join(FEATURES)}."
            )
        if not 1 <= self.seeds <= 100:
            raise RunError("The number of seeds must be between 1 and 100.")


@dataclass(frozen=True)
class Measurement:
    """A measurement's folder; every method reads the files as they are now."""

    path: Path

    @property
    def config(self) -> MeterConfig:
        """Return what is measured."""
        return MeterConfig(**workspace.read_json(self.path / files.CONFIG))

    def status(self) -> Status:
        """Return where it stands; ``epoch`` counts the rounds done of ``epochs``."""
        return files.read_status(self.path)

    def result(self) -> dict[str, Any] | None:
        """Return :func:`lymph.leak.meter.measure_leak`'s result, or None before the end."""
        try:
            return workspace.read_json(self.path / RESULT)
        except (OSError, ValueError):
            return None


def meters_home() -> Path:
    """Return the folder that holds one folder a measurement."""
    return workspace.home() / "leak"


def create_measurement(config: MeterConfig) -> Measurement:
    """Make a measurement's folder; nothing is measured yet."""
    home = meters_home()
    home.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now():%Y-%m-%d-%H%M%S}-{config.features}"
    taken = sum(1 for _ in home.glob(f"{stem}*"))
    path = home / f"{stem}-{taken + 1}"
    path.mkdir()
    config = replace(config, data=str(Path(config.data).resolve()))
    workspace.write_json(path / files.CONFIG, asdict(config))
    files.write_status(path, Status("queued", epochs=2 * config.seeds, queued=time.time()))
    return Measurement(path)


def start_measurement(config: MeterConfig) -> Measurement:
    """Start a measurement in a process of its own."""
    measurement = create_measurement(config)
    start_detached("lymph.leak.job", measurement.path)
    return measurement


def measure_here(config: MeterConfig) -> Measurement:
    """Measure in this process; how it ended stands in the status."""
    measurement = create_measurement(config)
    work(measurement.path)
    return measurement


def stop_measurement(measurement: Measurement) -> None:
    """Ask a measurement to stop after the round at hand."""
    (measurement.path / files.STOP).touch()


def latest_measurement(root: Path | str, features: str) -> Measurement | None:
    """Return the newest measurement of these features on a data root, or None."""
    data = str(Path(root).resolve())
    for path in sorted(meters_home().glob(f"*-{features}-*"), reverse=True):
        measurement = Measurement(path)
        try:
            if measurement.config.data == data and measurement.status():
                return measurement
        except (OSError, ValueError, TypeError, RunError):
            continue
    return None


def _measure(folder: Path, config: MeterConfig) -> None:
    csv = Path(config.patients_csv) if config.patients_csv else None
    table = choose_pictures(usable(scan(config.data, config.pattern, csv)))

    def check_stop() -> None:
        if (folder / files.STOP).exists():
            raise Stopped

    def read(done: int, total: int) -> None:
        check_stop()
        if done % 16 == 0 or done == total:
            _tell(folder, share=done / total)

    if config.features == "colour":
        features = colour_features(config.data, table, read)
    else:
        features = imagenet_features(config.data, table, config.weights, read)

    def tell(done: int, total: int) -> None:
        check_stop()
        _tell(folder, epoch=done, epochs=total, share=0.0)

    workspace.write_json(folder / RESULT, measure_leak(features, table, config.seeds, tell))


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
