"""Where a run computes: a graphics card where there is one, else the processor."""

import os

import torch

from lymph.jobs.queue import PLACE

CPU = torch.device("cpu")


def usable_devices() -> list[torch.device]:
    """List the devices on which a run may train, one run at a time on each."""
    if torch.cuda.is_available():
        return [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        return [torch.device("mps")]
    return [CPU]


def device_here() -> torch.device:
    """Return this process's device: its own of several, that of its place, or the first."""
    devices = usable_devices()
    number = os.environ.get("LOCAL_RANK") or os.environ.get(PLACE) or "0"
    return devices[int(number) % len(devices)]


def make_repeatable(device: torch.device) -> None:
    """Let the same seed give the same figures on a graphics card too, as it does on a processor.

    Without it a run that is resumed, or repeated, ends with other figures there: sums of many
    threads are added in the order in which they happen to be ready.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read as cuBLAS starts
        # torch makes this module's class as it is imported, which no type checker follows.
        # pyrefly: ignore[missing-attribute]
        torch.utils.deterministic.fill_uninitialized_memory = False
        torch.use_deterministic_algorithms(True)


def wait_for(device: torch.device) -> None:
    """Wait until a device has done all it was asked, so that a clock tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
