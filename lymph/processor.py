"""How a process uses processor and memory; what training gains is measured by ``make bench``."""

import contextlib
import ctypes
import os
import sys

# Threads that spin while they wait for each other make a busy machine several times slower; a spin
# of some microseconds, about the gap between two layers, spares waking them up.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"}

# glibc gives the memory of every large array back to the system and asks for it again a moment
# later, which can make a training step half as fast again. Kept, it is used for the next array.
KEPT_BYTES = 2**31 - 1
LARGEST_KEPT = 32 * 2**20
MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES), "MALLOC_MMAP_THRESHOLD_": str(LARGEST_KEPT)}
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8

# Areas of memory that a server's threads share. glibc makes eight a processor, and each keeps what
# was free in it: a class left 200 MB behind, and 80 MB in two areas.
SERVER_AREAS = 2


# Seconds for which one of a server's threads computes before another one may. One thread sends all
# parts of all pages: with Python's own 5 ms it waits so long for each part while pages are made,
# and sent 1,000 parts a second beside six busy threads; with 1 ms it sent 14,000.
SERVER_TURN = 1e-3


def environment_for_training(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of a process to be started; what the user set himself stays."""
    return {**THREADS, **MEMORY, **environment}


def give_back() -> None:
    """Give free memory that the C library keeps back to the system; others than glibc do it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def share_memory() -> None:
    """Let all threads of this process take their memory from few areas; call it early."""
    _mallopt(M_ARENA_MAX, SERVER_AREAS)


def take_short_turns() -> None:
    """Let the threads of this process, a server, take turns often; call it early."""
    sys.setswitchinterval(SERVER_TURN)


def wait_without_spinning() -> None:
    """Let torch's threads wait for each other asleep; call it before torch is loaded.

    A server answers while others compute: on two busy processors its threads spun through two
    thirds of the processor time that an answer by a linear probe took.
    """
    for name, value in THREADS.items():
        os.environ.setdefault(name, value)


def configure_allocator() -> None:
    """Set up this process; call it before torch is loaded. Other systems ignore what is glibc's."""
    wait_without_spinning()
    if not MEMORY.keys() & os.environ.keys():
        _mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        _mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)


def _mallopt(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(option, value)
