"""Servers that are killed at work, and two on one workspace: the next one comes up clean."""

import contextlib
import http.client
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from lymph import runs
from lymph.data import sources
from lymph.data.sources import DataSet
from lymph.synthetic import pictures_drawn
from tests.waiting import PATIENCE, wait_for

from .visitors import Visitor, served, visit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills so here"),
]
# A kill is to come in the middle of something short.
wait_soon = partial(wait_for, every=0.02)


def kill(address: str) -> None:
    """End the server at an address, as nothing else could."""
    wanted = f"--server.port={urlsplit(address).port}"
    running = psutil.process_iter(["cmdline"])
    (server,) = (one for one in running if wanted in (one.info["cmdline"] or []))
    os.kill(server.pid, signal.SIGKILL)
    server.wait(PATIENCE)


@contextlib.contextmanager
def at_work(visitor: Callable[[], object]) -> Iterator[None]:
    """Let a visitor do something in the meantime, whose server may be gone before it is done."""

    def begin() -> None:
        with contextlib.suppress(Exception):
            visitor()

    thread = threading.Thread(target=begin)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()


def assert_clean(address: str, log: Path, workspace: Path) -> None:
    """Open the pages that read what may have been left half made."""
    for page in ("data", "split", "runs"):
        with visit(address, page) as visitor:
            assert visitor.exceptions == []
    assert "Traceback" not in log.read_text()
    left = [
        path for path in workspace.rglob(".*") if path.name.endswith((".unfinished", "-making"))
    ]
    assert left == []


def test_a_server_killed_while_it_draws_is_followed_by_one_that_draws(
    workspace: Path, tmp_path: Path
) -> None:
    folder = sources.demo_folder()
    for _ in range(2):
        # The second one clears what the first one left.
        with served(tmp_path / "log.txt") as address:
            before = set(folder.parent.glob(".*-making"))
            with at_work(lambda to=address: visit(to, "data").__enter__()):
                wait_soon(lambda old=before: set(folder.parent.glob(".*-making")) - old)
                assert not any(path.exists() for path in before)
                wait_soon(lambda: pictures_drawn(folder) > 2)
                kill(address)
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


def half_of_an_upload(address: str, visitor: Visitor) -> None:
    """Begin to send a file to a server, as a browser does, and kill the server in the middle."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname, place.port)
    connection.request("GET", "/_stcore/health")
    cookie = connection.getresponse()
    token = cookie.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    cookie.read()
    head = '--x\r\nContent-Disposition: form-data; name="a.zip"; filename="a.zip"\r\n'
    content = head.encode() + b"Content-Type: application/zip\r\n\r\n" + bytes(5_000_000)
    connection.putrequest("PUT", f"/_stcore/upload_file/{visitor.session}/some-file")
    connection.putheader("Cookie", f"_streamlit_xsrf={token}")
    connection.putheader("X-Xsrftoken", token)
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(2 * len(content)))
    connection.endheaders(content)
    kill(address)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()


def test_a_server_killed_during_a_drop_leaves_nothing_of_it(
    tiny: DataSet, workspace: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    with served(log) as address, visit(address, "data") as visitor:
        before = bytes_below(workspace)
        half_of_an_upload(address, visitor)
    with served(log) as address:
        assert_clean(address, log, workspace)
    assert bytes_below(workspace) - before < 1_000_000


def bytes_below(folder: Path) -> int:
    """Count what a folder holds, while files may come and go in it."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


def test_a_server_killed_while_it_opens_a_folder_is_followed_by_one_that_opens_it(
    make_tiny: Callable[..., Path], workspace: Path, tmp_path: Path
) -> None:
    """With a second server on the same workspace, which has to live with both."""
    data_set = sources.add_folder(make_tiny("many", pictures=40))
    log, other = tmp_path / "log.txt", tmp_path / "other.txt"
    with served(log) as address, at_work(lambda: visit(address, "data").__enter__()):
        wait_soon(lambda: list(workspace.rglob("*.jpg")))
        kill(address)
    assert_reads_on(data_set, workspace, log, other)


def assert_reads_on(data_set: DataSet, workspace: Path, log: Path, other: Path) -> None:
    with served(log) as one, served(other) as two:
        assert_clean(one, log, workspace)
        with visit(one, "train") as first, visit(two, "train") as second:
            for visitor in (first, second):
                visitor.press("start_training")
                assert visitor.exceptions == []
        started = {first.run, second.run}
        assert len(started) == 2 and "" not in started
        assert {record.id for record in runs.read_catalogue().records} == started
        assert sources.list_data_sets() == [data_set]
    assert "Traceback" not in other.read_text()
