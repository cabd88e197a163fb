"""Saving and loading the state of a run, with a sentence for every way in which that fails."""

import errno
import shutil
from pathlib import Path
from typing import Any

import torch

from lymph import workspace
from lymph.errors import RunError
from lymph.models.networks import BackboneHead, build_model
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


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint; it cannot execute code.

    Raises
    ------
    RunError
        When it is missing or damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"The run has no {path.name} yet; let it finish an epoch first.") from error
    except Exception as error:  # torch raises pickle, zip, runtime and value errors alike.
        raise RunError(
            f"{path.name} of this run is damaged or not a checkpoint; train it again."
        ) from error


def load_model(folder: Path) -> tuple[BackboneHead, TrainConfig]:
    """Load a run's best model, in evaluation mode, with the run's configuration."""
    config = TrainConfig.from_json(workspace.read_json(folder / files.CONFIG))
    model = build_model(config.model, len(config.classes))
    model.load_state_dict(load_checkpoint(folder / files.BEST)["model"])
    return model.eval(), config
