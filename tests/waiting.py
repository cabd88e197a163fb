"""Waiting for what another process or a coroutine does."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

# Seconds that only a failure takes: machines that build are slow, and busy with other tests.
PATIENCE = 600.0


def wait_for(holds: Callable[[], object], seconds: float = PATIENCE, every: float = 0.05) -> None:
    """Wait until a condition holds, looking now and then; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(every)


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread of its own: a browser's event loop may go on in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
