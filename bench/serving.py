"""A server of the app, as benchmarks start it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

APP = Path(__file__).parents[1] / "app.py"
PATIENCE_SECONDS = 180.0


@contextmanager
def serving(
    home: Path | str, options: Sequence[str] = (), output: IO[str] | int = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen, str]]:
    """Serve the app on a workspace and a free port until it answers; yield process and address.

    Raises
    ------
    TimeoutError
        When it does not answer within three minutes.
    """
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    own = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(APP), *own, *options],
        cwd=APP.parent,
        env={**os.environ, "LYMPH_HOME": str(home)},
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address)
        yield server, address
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_healthy(address: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("The server did not answer.")
