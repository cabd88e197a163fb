"""Everything needed to repeat a run, on one screen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from lymph import __version__
from lymph.data.source import PictureSource
from lymph.data.telling import absolute
from lymph.errors import ConfigError
from lymph.facts import PATIENT_PATTERN
from lymph.jobs.status import RESTORE
from lymph.models.architecture import Architecture
from lymph.models.augmentations import AUGMENTATIONS
from lymph.models.encoder_files import describe
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE, OWN
from lymph.models.specs import LAST_BLOCK_STAGES, MODELS, STAGES, ModelSpec
from lymph.training import speed
from lymph.training.older import FINETUNE, LINEAR_PROBE, with_phase_names
from lymph.typed import misfit, read_object

ClassWeights = Literal["none", "picture", "patient"]
Schedule = Literal[
    "linear_probe_then_last_block",
    "finetune_then_linear_probe",
    "linear_probe_then_finetune",
    "finetune",
    "linear_probe",
]
PrecisionChoice = Literal["measured", "float32", "bfloat16"]
CLASS_WEIGHTS: tuple[ClassWeights, ...] = get_args(ClassWeights)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
PRECISIONS: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)
PHASES = (FINETUNE, LINEAR_PROBE, "last_block")
# The app's own way to fine-tune: ResNet-50 begins as a linear probe, then its last block learns.
LAST_BLOCK: Schedule = "linear_probe_then_last_block"
# The model's own value: it takes this place as the configuration is made.
MODELS_OWN: Any = None
LARGEST_SEED = 2**32 - 1
# Sides of tiles, in pixels: smaller ones show no cell, larger ones are a whole slide.
LEAST_TILE, LARGEST_TILE = 32, 1024
# Of a smaller one nothing is left for the statistics of ResNet-50's last maps.
LEAST_RESNET_TILE = 64

# What a run does with its pictures where nothing else is asked for.
USUAL_AUGMENTATION = ("flips", "quarter-turns", "rotation", "stain")
# Values that are named and not a file: torchvision's, none, and those of an encoder's makers.
NAMED_VALUES = ("imagenet", "none", "published")

# What ``"augment": true`` meant in runs before the ways had names.
UNNAMED_AUGMENTATION = ("flips", "quarter-turns", "rotation")

# What the configuration of every run has named, those of the first version too.
ALWAYS_WRITTEN = (
    "model",
    "epochs",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "class_weights",
    "schedule",
    "weights",
    "seed",
    "classes",
)


@dataclass
class TrainConfig:
    """The configuration of a run; ``epochs`` and ``learning_rate`` default to the model's own.

    Every value is held to its type and its bounds, whoever makes the configuration.
    ``source`` says what the pictures are (a path will do), ``weights`` is ``imagenet``, ``none`` or
    a file, and ``classes`` the class names in order, filled in when the run is created.
    ``learning_rate`` is the head's; the backbone of a fine-tuned model takes ``backbone_factor`` of
    it. ``phases``, such as ``["linear_probe:3", "finetune:7"]``, replaces ``schedule`` and
    ``epochs``.
    ``patience`` is the number of epochs without a better validation after which a phase ends; 0
    trains every epoch. ``encoder`` is what a linear probe looks through: a name of the table of
    encoders, or the folder or file of one's own; ``architecture`` describes one that is not
    ResNet-50 and is filled in. ``tiles`` is the side in pixels of the tiles in which a model sees a
    picture, at full resolution; None for whole pictures. ``stages`` is how many of its four
    stages ResNet-50 has, filled in when the run is created: a file of values that ends earlier cuts
    it off. ``lymph`` is the version that made the run.
    """

    source: PictureSource
    model: str = "cnn"
    epochs: int = MODELS_OWN
    batch_size: int = 16
    learning_rate: float = MODELS_OWN
    backbone_factor: float = 0.1
    warm_up: float = 0.1
    weight_decay: float = 1e-4
    class_weights: ClassWeights = "none"
    schedule: Schedule = MODELS_OWN
    phases: list[str] = field(default_factory=list)
    patience: int = 0
    weights: str = "imagenet"
    augmentation: list[str] = field(default_factory=lambda: list(USUAL_AUGMENTATION))
    precision: PrecisionChoice = "measured"
    seed: int = 0
    classes: list[str] = field(default_factory=list)
    encoder: str = DEFAULT
    architecture: dict[str, Any] = field(default_factory=dict)
    tiles: int | None = None
    stages: int | None = None
    lymph: str = __version__

    def __post_init__(self) -> None:
        if not isinstance(self.source, PictureSource):
            self.source = PictureSource.from_json(self.source)
        named = with_phase_names(vars(self))
        self.schedule, self.phases = named["schedule"], named["phases"]
        _one_of("model", self.model, tuple(MODELS))
        _one_of("class_weights", self.class_weights, CLASS_WEIGHTS)
        if self.schedule is None:
            self.schedule = self._own_schedule()
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("precision", self.precision, PRECISIONS)
        spec = MODELS[self.model]
        if self.learning_rate is None:
            self.learning_rate = spec.learning_rate
        if self.epochs is None:
            self.epochs = spec.epochs
        if wrong := misfit(type(self), vars(self)):
            raise ConfigError(f"The configuration has a value of the wrong kind: {wrong}.")
        for way in self.augmentation:
            _one_of("augmentation", way, tuple(AUGMENTATIONS))
        if self.phases:
            self.epochs = sum(epochs for _, epochs in self.named_phases())
        if self.model == "cnn":
            self.weights, self.schedule, self.phases = "none", "finetune", []
        elif spec.frozen:
            # Features are made once, whatever is drawn; the fit has one optimum.
            self.schedule, self.phases = "linear_probe", []
            self.augmentation, self.patience = [], 0
            self.learning_rate, self.precision = spec.learning_rate, "float32"
        self._check_last_block()
        self._choose_encoder()
        self._check_tiles()
        if self.weights not in NAMED_VALUES:
            self.weights = absolute(self.weights)
        _between("epochs", self.epochs, 1, 10_000)
        _between("batch_size", self.batch_size, 1, 4_096)
        _between("learning_rate", self.learning_rate, 1e-8, 10.0)
        _between("backbone_factor", self.backbone_factor, 0.0, 1.0)
        _between("warm_up", self.warm_up, 0.0, 1.0)
        _between("weight_decay", self.weight_decay, 0.0, 10.0)
        _between("patience", self.patience, 0, 10_000)
        _between("seed", self.seed, 0, LARGEST_SEED)
        _between("stages", self.stages or 1, 1, 4)

    def _own_schedule(self) -> Schedule:
        """Return the model's own schedule; phases of one's own are the notebook's, or ours."""
        pretrained = self.model == "resnet50" and self.weights != "none"
        ours = "last_block" in str(self.phases) if self.phases else pretrained
        return LAST_BLOCK if ours else "finetune_then_linear_probe"

    def _check_last_block(self) -> None:
        """Hold to what a frozen network with one block that learns can do."""
        named = [name for name, _ in self.named_phases()]
        if not self.tunes_last_block:
            if "last_block" in named:
                raise ConfigError(
                    f"phases has last_block, which belongs to the schedule {LAST_BLOCK}."
                )
            return
        if self.weights == "none":
            raise ConfigError(
                f"The schedule {LAST_BLOCK} begins with pretrained weights; choose some, or another"
                " schedule."
            )
        if FINETUNE in named or named[:1] == ["last_block"]:
            raise ConfigError(
                f"phases of the schedule {LAST_BLOCK} begin with linear_probe and go on with"
                " last_block."
            )
        # What comes before the last block is made once, of the pictures as they are.
        self.augmentation, self.patience, self.precision = [], 0, "float32"

    @property
    def tunes_last_block(self) -> bool:
        """Tell whether ResNet-50 begins as a linear probe, of which the last block learns then."""
        return self.schedule == LAST_BLOCK

    @property
    def stages_kept(self) -> int | None:
        """Return how many of its four stages ResNet-50 has; None of another model."""
        if self.model != "resnet50":
            return None
        stages = self.stages or STAGES
        return min(stages, LAST_BLOCK_STAGES) if self.tunes_last_block else stages

    @property
    def chooses_by_validation(self) -> bool:
        """Tell whether validation chooses the epoch that is kept, and not the plan alone."""
        return not (MODELS[self.model].frozen or self.tunes_last_block)

    def _choose_encoder(self) -> None:
        """Find the encoder that is asked for, and what it looks like."""
        if self.encoder == DEFAULT:
            self.architecture = {}
            return
        if not MODELS[self.model].frozen:
            raise ConfigError(
                "An encoder is what the model linear-probe looks through; choose that model, or"
                " leave the encoder out."
            )
        if self.architecture:
            Architecture.from_json(self.architecture)
            _one_of("encoder", self.encoder, (*ENCODER_TABLE, OWN))
            return
        if self.weights not in NAMED_VALUES:
            raise ConfigError(
                "Weights from a file are ResNet-50's; give another encoder's file as the encoder."
            )
        path, architecture = describe(self.encoder)
        self.architecture = architecture.to_json()
        self.weights = "published"
        if self.encoder not in ENCODER_TABLE:
            self.encoder, self.weights = OWN, str(path)

    def _check_tiles(self) -> None:
        if self.tiles is None:
            return
        least = LEAST_RESNET_TILE if self.model == "resnet50" else LEAST_TILE
        _between("tiles", self.tiles, least, LARGEST_TILE)

    @property
    def spec(self) -> ModelSpec:
        """Return what the run's model is called and what it sees."""
        spec = MODELS[self.model]
        if self.tiles:
            return spec.in_tiles(self.tiles)
        return spec._replace(size=spec.tuned_size) if self.tunes_last_block else spec

    @property
    def encoder_title(self) -> str:
        """Return the name of a linear probe's encoder for people."""
        if self.encoder == OWN:
            return Path(self.weights).parent.name
        return ENCODER_TABLE[self.encoder].title

    @property
    def values_title(self) -> str:
        """Return the name of the values that a run begins with, for people."""
        return self.encoder_title if self.architecture else Path(self.weights).name

    @property
    def speed_name(self) -> str:
        """Return the name under which the speed of its model is kept for this machine."""
        return speed.name_of(self.model, self.architecture)

    def named_phases(self) -> list[tuple[str, int]]:
        """Return ``phases`` as names and numbers of epochs.

        Raises
        ------
        ConfigError
            When one is not ``linear_probe:N`` or ``finetune:N``.
        """
        named = []
        for text in self.phases:
            name, _, epochs = str(text).partition(":")
            if name not in PHASES or not epochs.isdecimal() or not int(epochs):
                raise ConfigError(
                    f"phases has {text!r}; write each as linear_probe:N or finetune:N with N"
                    " epochs, in the order in which they train."
                )
            named.append((name, int(epochs)))
        return named

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` holds."""
        return {**asdict(self), "source": self.source.to_json()}

    @property
    def data(self) -> str:
        """Return the data root."""
        return self.source.root

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "TrainConfig":
        """Make a configuration from ``config.json``'s document, also from an older version's.

        Raises
        ------
        ConfigError
            When a key is unknown, as in a run of a newer version, or a value impossible.
        """
        document = _from_older(document)
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            made = f" It was made by lymph {document['lymph']};" if document["lymph"] else ""
            raise ConfigError(
                f"The configuration has an unknown key {unknown[0]!r}.{made} this is lymph"
                f" {__version__}, which knows {', '.join(sorted(known))}."
            )
        if wrong := misfit(cls, document):
            raise ConfigError(f"The configuration has a value of the wrong kind: {wrong}.")
        return cls(**document)

    @classmethod
    def load(cls, path: Path) -> "TrainConfig":
        """Read a run's ``config.json``.

        Raises
        ------
        ConfigError
            When it cannot be read, lacks what every run has written, or as :meth:`from_json`.
        """
        document = read_object(path, ConfigError, RESTORE)
        missing = next((name for name in ALWAYS_WRITTEN if name not in document), "")
        if missing or not document["classes"]:
            raise ConfigError(f"{path} cannot be read: it lacks {missing or 'classes'}; {RESTORE}.")
        try:
            return cls.from_json(document)
        except ConfigError as error:
            raise ConfigError(f"{path} cannot be used. {error}") from error


def _from_older(document: Mapping[str, Any]) -> dict[str, Any]:
    """Say what an older version meant; such a run does not name its version."""
    document = {"lymph": "", "stages": STAGES, **with_phase_names(document)}
    if "augment" in document:
        named = list(UNNAMED_AUGMENTATION) if document.pop("augment") else []
        document.setdefault("augmentation", named)
    told = ("data", "pattern", "patients_csv")
    if wrong := next((name for name in told if not isinstance(document.get(name, ""), str)), ""):
        raise ConfigError(f"The configuration has a value of the wrong kind: {wrong} is no text.")
    if "data" in document and "source" not in document:
        pattern = document.pop("pattern", PATIENT_PATTERN)
        patients = document.pop("patients_csv", "")
        document["source"] = PictureSource.from_older(document.pop("data"), pattern, patients)
    return document


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}; choose a number from {low:g} to {high:g}.")
