"""What a run computes in, and on what it began: ``environment.json``."""

import platform
from pathlib import Path

import torch

from lymph import __version__, workspace
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.precision import Precision, precision_of
from lymph.training.processes import Processes


def prepare_environment(
    folder: Path,
    config: TrainConfig,
    weights: dict[str, float],
    device: torch.device,
    processes: Processes,
) -> Precision:
    """Choose the number format, or take the one with which the run began.

    Parameters
    ----------
    weights : dict
        Of each class in the loss; kept beside.
    """
    if kept := files.read_environment(folder).get("precision"):
        return Precision(**{name: kept[name] for name in Precision._fields})
    precision = Precision(
        *processes.broadcast(list(precision_of(config)) if processes.is_main else None)
    )
    environment = {
        "lymph": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "device": device.type,
        "threads": torch.get_num_threads(),
        "processes": processes.world_size,
        "precision": precision._asdict(),
        "class_weights": weights,
    }
    if processes.is_main:
        workspace.write_json(folder / files.ENVIRONMENT, environment)
    return precision
