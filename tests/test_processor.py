"""How a training process uses processor and memory: what is set, and what stays the user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lymph.processor import MEMORY, SERVER_AREAS, THREADS, environment_for_training

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
    """After ``configure_allocator`` an array of 16 MB needs no new pages of the system."""
    if sys.platform != "linux":
        import pytest

        pytest.skip("glibc's settings; other systems have other allocators")
    first = "from lymph.processor import configure_allocator; configure_allocator()"
    settled = subprocess.run(
        [sys.executable, "-c", STEPS.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
    )
    pages = 200 * 16 * 2**20 / 4096
    assert int(settled.stdout) < pages / 10


AREAS = """
import ctypes, tempfile, threading
from lymph.processor import share_memory
{first}
together = threading.Barrier(12)
def take():
    kept = [bytes(1000) for _ in range(10_000)]
    together.wait()
threads = [threading.Thread(target=take) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    file = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    print(told.read().count(b"<heap nr="))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_the_threads_of_a_server_share_their_memory() -> None:
    """Regression: a class that had left kept 200 MB, what was free in each thread's own area."""

    def areas(first: str) -> int:
        script = AREAS.format(first=first)
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        return int(told.stdout)

    assert areas("share_memory()") <= SERVER_AREAS < areas("")


def test_who_sends_pages_does_not_wait_long_for_those_who_make_them() -> None:
    """Regression: beside a class's pages each part of a page waited 5 ms to be sent."""
    script = "import sys; from lymph.processor import take_short_turns; take_short_turns();"
    script += "print(sys.getswitchinterval())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert float(told.stdout) <= 1.1e-3


SERVER = """
import os, sys
from pathlib import Path
import app
maps = Path("/proc/self/maps")
print(os.environ["OMP_WAIT_POLICY"], "torch" in sys.modules)
print("libgomp" in (maps.read_text() if maps.exists() else ""))
"""


def test_a_servers_threads_sleep_while_they_wait() -> None:
    """Regression: they spun, so that an answer beside other work took three times as much work.

    The library that runs the threads reads the setting once, when torch is loaded.
    """
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}
    told = subprocess.run(
        [sys.executable, "-c", SERVER],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env=environment,
    )
    assert told.stdout.split() == [THREADS["OMP_WAIT_POLICY"], "False", "False"]
