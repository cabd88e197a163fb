"""Waiting for what another process does."""

import time
from collections.abc import Callable


def wait_for(holds: Callable[[], object], seconds: float = 120.0, every: float = 0.05) -> None:
    """Wait until a condition holds, looking now and then; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(every)
