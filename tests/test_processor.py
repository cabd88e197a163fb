"""How a training process uses processor and memory: what is set, and what stays the user's."""

import subprocess
import sys

from lymph.processor import MEMORY, THREADS, environment_for_training

STEPS = """
import resource, sys
{first}
import numpy as np
for _ in range(20):
    np.ones(16 * 2**20, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    np.ones(16 * 2**20, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_what_the_user_has_set_stays() -> None:
    """Every setting is a default; the rest of the environment goes through."""
    made = environment_for_training({"OMP_WAIT_POLICY": "ACTIVE", "HOME": "here"})
    assert made["OMP_WAIT_POLICY"] == "ACTIVE" and made["HOME"] == "here"
    assert made.keys() >= THREADS.keys() | MEMORY.keys()


def test_the_memory_of_large_arrays_is_kept() -> None:
    """After ``settle`` an array of 16 MB comes without asking the system for its pages anew."""
    if sys.platform != "linux":
        import pytest

        pytest.skip("glibc's settings; other systems have other allocators")
    first = "from lymph.processor import settle; settle()"
    settled = subprocess.run(
        [sys.executable, "-c", STEPS.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
    )
    pages = 200 * 16 * 2**20 / 4096
    assert int(settled.stdout) < pages / 10
