"""Everything needed to repeat a run, on one screen."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lymph.errors import ConfigError
from lymph.facts import PATIENT_PATTERN
from lymph.models.specs import MODELS

CLASS_WEIGHTS = ("none", "picture", "patient")
SCHEDULES = ("whole-then-head", "head-then-whole", "whole")


@dataclass
class TrainConfig:
    """The configuration of a run; ``epochs`` and ``learning_rate`` default to the model's own.

    ``data`` is the data root, ``weights`` is ``imagenet``, ``none`` or a file, and ``classes`` the
    class names in order, filled in when the run is created. ``learning_rate`` is the head's; the
    backbone of a fine-tuned model takes a tenth of it.
    """

    data: str
    model: str = "cnn"
    epochs: int = 0
    batch_size: int = 16
    learning_rate: float = 0.0
    weight_decay: float = 1e-4
    class_weights: str = "none"
    schedule: str = "whole-then-head"
    weights: str = "imagenet"
    augment: bool = True
    seed: int = 0
    pattern: str = PATIENT_PATTERN
    patients_csv: str = ""
    classes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        _one_of("model", self.model, tuple(MODELS))
        _one_of("class_weights", self.class_weights, CLASS_WEIGHTS)
        _one_of("schedule", self.schedule, SCHEDULES)
        spec = MODELS[self.model]
        self.data = str(Path(self.data).resolve())
        self.epochs = self.epochs or spec.epochs
        self.learning_rate = self.learning_rate or spec.learning_rate
        if self.model == "cnn":
            self.weights, self.schedule = "none", "whole"
        elif self.weights not in ("imagenet", "none"):
            self.weights = str(Path(self.weights).expanduser().resolve())
        _between("epochs", self.epochs, 1, 10_000)
        _between("batch_size", self.batch_size, 1, 4_096)
        _between("learning_rate", self.learning_rate, 1e-8, 10.0)
        _between("weight_decay", self.weight_decay, 0.0, 10.0)
        _between("seed", self.seed, 0, 2**32 - 1)

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` holds."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "TrainConfig":
        """Make a configuration from ``config.json``'s document.

        Raises
        ------
        ConfigError
            When a key is unknown or a value impossible.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ConfigError(
                f"The configuration has an unknown key {unknown[0]!r}; this version of lymph knows"
                f" {', '.join(sorted(known))}."
            )
        try:
            return cls(**document)
        except TypeError as error:
            raise ConfigError(f"The configuration has a value of the wrong kind: {error}") from None


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")


def _between(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(f"{name} is {value}; choose a number from {low:g} to {high:g}.")
