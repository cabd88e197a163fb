"""Saving and loading the state of a run, with a sentence for every way in which that fails."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lymph import workspace
from lymph.errors import RunError
from lymph.models.last_block import ProbedResNet50
from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import STAGES
from lymph.models.weights import stages_in
from lymph.training import folder as files
from lymph.training.config import TrainConfig

FULL_DISK = (
    "The disk is full: {name} could not be written. The state before it is kept; free some space"
    " and resume."
)
# What is left on a disk that counts as full: torch names no reason when it cannot write.
NOTHING_LEFT = 1 << 20


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint through a temporary name; the one before stays until it is whole.

    Raises
    ------
    RunError
        When the disk is full.
    OSError, RuntimeError
        When it cannot be written for another reason.
    """

    def write(temporary: Path) -> None:
        try:
            torch.save(content, temporary)
        except (OSError, RuntimeError):
            if shutil.disk_usage(path.parent).free < NOTHING_LEFT:
                raise RunError(FULL_DISK.format(name=path.name)) from None
            raise

    try:
        workspace.write_atomically(path, write)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise RunError(FULL_DISK.format(name=path.name)) from error
        raise


def load_checkpoint(path: Path, needed: Sequence[str] = ("model",)) -> dict[str, Any]:
    """Load a checkpoint; it cannot execute code.

    Parameters
    ----------
    path : Path
    needed : sequence of str
        The keys that it must have.

    Raises
    ------
    RunError
        When it is missing or damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"The run has no {path.name} yet; let it finish an epoch first.") from error
    except Exception as error:  # torch raises pickle, zip, runtime and value errors alike.
        raise RunError(
            f"{path.name} of this run is damaged or not a checkpoint; train it again."
        ) from error
    if not isinstance(content, dict) or not set(needed) <= set(content):
        raise RunError(f"{path.name} of this run is damaged or not a checkpoint; train it again.")
    return content


def load_model(folder: Path) -> tuple[BackboneHead, TrainConfig]:
    """Load a run's best model, in evaluation mode, with the run's configuration."""
    config = TrainConfig.load(folder / files.CONFIG)
    model = network_of(config)
    load_values(model, load_checkpoint(folder / files.BEST), files.BEST)
    return model.eval(), config


def network_of(config: TrainConfig) -> BackboneHead:
    """Build the network of a run, with random values."""
    classes, stages = len(config.classes), config.stages_kept or STAGES
    if config.tunes_last_block:
        return ProbedResNet50(classes, stages)
    return build_model(config.model, classes, config.encoder, config.architecture, stages)


def check_stages(config: TrainConfig) -> None:
    """Refuse a run whose weights could not be read when it was made; its network is not known.

    Raises
    ------
    RunError
    """
    if config.model == "resnet50" and config.stages is None:
        stages_in(config.weights)
        raise RunError(
            f"{config.weights} could not be read when this run was made, and now it can:"
            " start a new run."
        )


def load_values(model: BackboneHead, checkpoint: dict[str, Any], name: str) -> None:
    """Give a network the values of a run's checkpoint.

    Raises
    ------
    RunError
        When the checkpoint has none, or those of another network.
    """
    try:
        model.load_state_dict(checkpoint["model"])
    except (TypeError, AttributeError, RuntimeError) as error:
        raise RunError(
            f"{name} of this run does not hold the weights of its network; put it back from a copy,"
            " or train again."
        ) from error
