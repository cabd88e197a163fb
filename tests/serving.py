"""A server of the app, as tests start it."""

import contextlib
import random
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from lymph.training import speed
from lymph.training.speed import Precision
from tests.conftest import TOLD
from tests.waiting import wait_for

# Below those that the system hands out to whoever opens a line, so that nobody comes in between.
PORTS = range(20_000, 30_000)


# Seconds that a picture takes, of the order of one processor.
SPEEDS = {
    "cnn": Precision(False, False, 0.02, 0.01),
    "linear-probe": Precision(False, False, 0.3, 0.3),
    "resnet50": Precision(False, False, 1.2, 0.5),
}


def know_speeds(home: Path) -> None:
    """Let a workspace know how fast models train.

    Each open Train page would begin to measure it, and no test that visits a server waits for that;
    ``tests/pages/test_ahead.py`` has a measurement.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home))
        for model, precision in SPEEDS.items():
            speed.keep(model, precision)
        speed.file().with_name(TOLD).touch()


def free_port() -> int:
    """Return a port of this machine that nothing listens on, another one in each process."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as door, contextlib.suppress(OSError):
            door.bind(("127.0.0.1", port))
            return port
    pytest.fail("no port of this machine is free")


def wait_until_healthy(address: str, server: subprocess.Popen) -> None:
    """Wait until the server says that it is well."""

    def answers() -> bool:
        assert server.poll() is None, "the server ended before it answered"
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).status == 200
        return False

    wait_for(answers)
