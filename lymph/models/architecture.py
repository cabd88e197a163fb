"""What a network of timm looks like, in plain values: read from its folder, kept in a run.

timm and its hub write a ``config.json`` beside the values. It comes from strangers, as a run's
configuration does, so a name that would fetch something, an argument of an odd kind and a size that
would fill the memory are refused here.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lymph.errors import ConfigError, WeightsError
from lymph.models.transformers_names import PREPROCESSOR, as_timm_tells, is_of_transformers
from lymph.typed import misfit, read_object

NAME = re.compile(r"[a-z0-9_]{1,80}")
# No network of this kind is deeper, wider or sees more than so.
LARGEST = 10_000
LARGEST_SIDE = 1_024
# Tiles are no larger, whatever the network would take: the work grows with the square of the side.
TILE_SIDE = 224
# What the hub's files say that a network of features does not need.
NOT_OURS = ("num_classes", "in_chans", "dynamic_img_size", "global_pool")
POOLS = ("token", "avg")
# What would make timm fetch or read values by itself.
FORBIDDEN = ("pretrained", "checkpoint_path", "cache_dir", "features_only")

REMEDY = "put back the config.json that came with the weights"


@dataclass(frozen=True)
class Architecture:
    """A network of timm and what it expects to see.

    Attributes
    ----------
    name : str
        As timm calls it.
    arguments : dict
        What it is built with: numbers, words and lists of numbers.
    side : int
        Of its pictures, in pixels.
    mean, std : list of float
        Of each channel, 0 to 1: what a picture is shifted and scaled by.
    pool : str
        ``token`` where the class token is the feature, ``avg`` where all places' mean is.
    """

    name: str
    side: int
    mean: list[float]
    std: list[float]
    arguments: dict[str, Any] = field(default_factory=dict)
    pool: str = "token"

    def __post_init__(self) -> None:
        sound = (
            NAME.fullmatch(self.name)
            and 16 <= self.side <= LARGEST_SIDE
            and len(self.mean) == len(self.std) == 3
            and min(self.std) > 0
            and self.pool in POOLS
            and all(_allowed(key) and _plain(value) for key, value in self.arguments.items())
        )
        if not sound:
            raise ConfigError(
                "The encoder's description does not describe a network of timm"
                f" ({self.name[:80]!r}, {self.side} pixels); {REMEDY}."
            )

    @property
    def tile(self) -> int:
        """Return the side of the tiles that the network sees, in pixels."""
        return min(self.side, TILE_SIDE)

    def to_json(self) -> dict[str, Any]:
        """Return the document that a run's configuration holds."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Architecture":
        """Make one from :meth:`to_json`'s document.

        Raises
        ------
        ConfigError
            When it is none.
        """
        wrong = misfit(cls, document)
        if wrong or set(document) - set(cls.__dataclass_fields__):
            what = wrong or "it has an unknown key"
            raise ConfigError(f"The encoder's description cannot be used: {what}; {REMEDY}.")
        return cls(**document)


def read_architecture(path: Path, extra: Mapping[str, Any] | None = None) -> Architecture:
    """Read the ``config.json`` that timm, transformers and their hub write beside the values.

    Parameters
    ----------
    path : Path
    extra : mapping, optional
        Arguments that the makers give in words on their page and not in the file.

    Raises
    ------
    WeightsError
        When it is missing, damaged, or describes no network of timm.
    """
    document = read_object(path, WeightsError, REMEDY)
    try:
        if is_of_transformers(document):
            beside = read_object(path.with_name(PREPROCESSOR), WeightsError, REMEDY)
            document = as_timm_tells(document, beside)
        seen = document.get("pretrained_cfg", document)
        arguments = {**document.get("model_args", {}), **(extra or {})}
        told = {
            "name": document["architecture"],
            "side": seen["input_size"][1],
            "mean": list(map(float, seen["mean"])),
            "std": list(map(float, seen["std"])),
            "arguments": {k: v for k, v in arguments.items() if k not in NOT_OURS},
            # Of some the makers leave the choice; the class token is what all of them have.
            "pool": document.get("global_pool") or "token",
        }
        return Architecture.from_json(told)
    except (ArithmeticError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path} is no description of a network that is taken (it lacks {error}); {REMEDY}."
            " Taken are those of timm, and plain Vision Transformers of the transformers library."
        ) from error
    except ConfigError as error:
        raise WeightsError(f"{path}: {error}") from error


def _allowed(key: str) -> bool:
    return bool(NAME.fullmatch(key)) and not key.startswith(FORBIDDEN)


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= 8 and all(_plain(one) for one in value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return abs(value) <= LARGEST
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z0-9_]{1,80}", value))
