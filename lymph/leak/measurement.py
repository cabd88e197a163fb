"""A measurement of the leak: what is measured, and its folder.

The folder holds ``config.json``, ``status.json`` (as a run's), ``result.json`` and ``log.txt``.
"""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.data.telling import absolute
from lymph.errors import RunError
from lymph.jobs import files
from lymph.jobs.status import Status, read_status
from lymph.leak.meter import FEATURES, SEEDS
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE, title_of
from lymph.typed import misfit

RESULT = "result.json"

# Of the result file. Those of version 1 carry none: their intervals resampled patients and were
# too narrow, so they are not shown any more.
VERSION = 2
# What results named otherwise before.
OLDER_NAMES = {"kin": "same_patient_rate", "kin_by_chance": "same_patient_rate_by_chance"}

LOST = "The measurement was cut off: the machine stopped or the process was killed. Measure again."


@dataclass(frozen=True)
class MeterConfig:
    """What is measured, and on which pictures; ``seeds`` defaults to the model's own number.

    ``control``: on classes shuffled over the patients. ``encoder`` makes the frozen features: a
    name of the table of encoders, or a folder or file.
    """

    source: PictureSource
    features: str = "colour"
    weights: str = "imagenet"
    seeds: int | None = None
    control: bool = False
    encoder: str = DEFAULT

    def __post_init__(self) -> None:
        if not isinstance(self.source, PictureSource):
            object.__setattr__(self, "source", PictureSource.from_json(self.source))
        if wrong := misfit(type(self), vars(self)):
            raise RunError(f"The measurement has a value of the wrong kind: {wrong}.")
        if self.features not in FEATURES:
            raise RunError(
                f"There are no features {self.features!r}; choose {' or '.join(FEATURES)}."
            )
        if self.encoder != DEFAULT and self.features != "imagenet":
            raise RunError(
                "An encoder makes frozen features; choose --features imagenet, or leave the"
                " encoder out."
            )
        if self.encoder not in ENCODER_TABLE:
            object.__setattr__(self, "encoder", absolute(self.encoder))
        if self.seeds is None:
            object.__setattr__(self, "seeds", SEEDS[self.features])
        if not 1 <= self.times <= 100:
            raise RunError("The number of seeds must be between 1 and 100.")

    @property
    def title(self) -> str:
        """Return what the quick model looks at, for people."""
        if self.encoder == DEFAULT:
            return FEATURES[self.features]
        return f"frozen features of {title_of(self.encoder)}"

    @property
    def times(self) -> int:
        """Return how often the folds are dealt anew: ``seeds``, or the model's own number."""
        return SEEDS[self.features] if self.seeds is None else self.seeds

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` holds."""
        return {**asdict(self), "source": self.source.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "MeterConfig":
        """Make a configuration from its document, also from an older version's.

        Raises
        ------
        RunError
            When a key is unknown or missing, or a value of the wrong kind.
        ConfigError
            When the source is none.
        """
        if "data" in document:
            document = dict(document)
            root, pattern, table = (
                document.pop(n, "") for n in ("data", "pattern", "patients_csv")
            )
            document["source"] = PictureSource.from_older(root, pattern, table)
        known = {item.name for item in fields(cls)}
        if "source" not in document or not set(document) <= known:
            raise RunError(f"A measurement has the keys {', '.join(sorted(known))}; measure again.")
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
            for part in (result["picture"], result["patient"]):
                for older, name in OLDER_NAMES.items():
                    if older in part:
                        part[name] = part.pop(older)
            if result.pop("version", 1) == VERSION:
                return result
            bars = {by: {**result[by], "interval": None} for by in ("picture", "patient")}
            return {**result, **bars, "old": True}
        except (OSError, ValueError, AttributeError, KeyError, TypeError):
            return None


def meters_home() -> Path:
    """Return the folder that holds one folder a measurement."""
    return workspace.home() / "leak"
