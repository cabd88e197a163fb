"""Waiting for what another process does."""

import time
from collections.abc import Callable


def wait_for(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
