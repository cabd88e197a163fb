"""How fast this machine trains, as far as it was measured: read without torch, by a page too."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from lymph import workspace
from lymph.jobs.detached import start_helper

# No picture takes longer than a day.
DAY = 86_400.0
# What decides on how many threads and on which device torch computes.
SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")


class Precision(NamedTuple):
    """What a run computes in, with the seconds a picture takes in training and in evaluation."""

    bfloat16: bool
    channels_last: bool
    train_seconds: float
    eval_seconds: float


def name_of(model: str, architecture: Mapping[str, Any]) -> str:
    """Return the name under which the speed of a model is kept.

    Parameters
    ----------
    model : str
    architecture : mapping
        Of a linear probe's encoder; empty for ResNet-50 and for all other models.
    """
    if not architecture:
        return model
    described = json.dumps(dict(architecture), sort_keys=True)
    return f"{model} {hashlib.sha256(described.encode()).hexdigest()[:16]}"


def file() -> Path:
    """Return the file of measurements in the workspace."""
    return workspace.cache_home() / "speed.json"


def machine(environment: Mapping[str, str] = os.environ) -> str:
    """Name the machine as a process with these settings would use it."""
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    settings = [f"{name}={environment[name]}" for name in SETTINGS if name in environment]
    told = [platform.node(), f"torch {_torch()}", f"{processors} processors", *settings]
    return " ".join(told)


@cache
def _torch() -> str:
    # It is looked for in every installed package.
    return version("torch")


def known(name: str) -> Precision | None:
    """Return what was measured of a model on this machine, or None before it was."""
    return _measured(workspace.read_json_or(file(), {})).get(machine(), {}).get(name)


def keep(name: str, precision: Precision) -> None:
    """Keep what was measured of a model on this machine."""
    with workspace.turn(file()):
        kept = _measured(workspace.read_json_or(file(), {}))
        own = {**kept.get(machine(), {}), name: precision}
        workspace.write_json(file(), {**kept, machine(): own})


def start_measuring(name: str) -> subprocess.Popen:
    """Measure a model in a process of its own, which keeps what it finds in the workspace."""
    return start_helper("lymph.training", name)


def _measured(document: Any) -> dict[str, dict[str, Precision]]:
    """Return what a file of measurements holds; what is damaged in it is measured again."""
    machines = document.items() if isinstance(document, dict) else ()
    return {
        machine: {name: Precision(*values) for name, values in models.items() if _sound(values)}
        for machine, models in machines
        if isinstance(models, dict)
    }


def _sound(values: Any) -> bool:
    kinds = (bool, bool, float, float)
    return (
        isinstance(values, list)
        and len(values) == len(kinds)
        and all(isinstance(value, kind) for value, kind in zip(values, kinds, strict=True))
        and all(0 < seconds < DAY for seconds in values[2:])
    )
