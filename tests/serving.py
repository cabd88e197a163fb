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
from tests.waiting import wait_for

# Below those that the system hands out to whoever opens a line, so that nobody comes in between.
PORTS = range(20_000, 30_000)


# Seconds that a picture takes, of the order of one processor.
SPEEDS = {
    "cnn": Precision(False, False, 0.02, 0.01),
    "linear-probe": Precision(False, False, 0.3, 0.3),
    "resnet50": Precision(False, False, 1.2, 0.5),
}


def know_speeds(home: Path, *models: str) -> None:
    """Let a workspace know how fast models train, unless that was measured.

    Each open Train page would begin to measure them, and no test waits for it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home))
        for model in models:
            if speed.known(model) is None:
                speed.keep(model, SPEEDS[model])


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

    wait_for(answers, seconds=180.0)
