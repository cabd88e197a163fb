"""A server of the app, as tests start it."""

import contextlib
import socket
import subprocess
import time
import urllib.request

import pytest


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def wait_until_healthy(address: str, server: subprocess.Popen) -> None:
    """Wait up to a minute until the server says that it is well."""
    for _ in range(600):
        assert server.poll() is None, "the server ended before it answered"
        with contextlib.suppress(OSError):
            if urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).status == 200:
                return
        time.sleep(0.1)
    pytest.fail("the server did not answer within a minute")
