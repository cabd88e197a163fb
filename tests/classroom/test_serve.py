"""``python -m lymph serve``: what it checks, prints and hands to the app."""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lymph.classroom import serve
from lymph.classroom.qr import as_picture, in_terminal
from lymph.classroom.serve import (
    allowed_hosts,
    command_of,
    environment_of,
    own_address,
    settings_of,
    share_folders,
    told,
)
from lymph.classroom.settings import VARIABLE, ClassSettings
from lymph.cli import build_parser, main
from lymph.data.sources import list_data_sets
from lymph.facts import MARKER
from tests.serving import free_port, wait_until_healthy
from tests.waiting import PATIENCE


def asked(*options: str) -> argparse.Namespace:
    return build_parser().parse_args(["serve", "--port", str(free_port()), *options])


def test_options_become_what_the_app_is_told(tiny_root: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.pth"
    weights.touch()
    options = asked(
        "--folder", str(tiny_root), "--folder", str(tmp_path), "--weights", str(weights)
    )
    settings = settings_of(options)
    assert settings.folders == (str(tiny_root), str(tmp_path))
    assert settings.weights == (str(weights),) and settings.upload_mb == 200
    assert settings.address == f"http://{own_address()}:{options.port}"
    environment = environment_of(settings)
    assert json.loads(environment[VARIABLE])["key"] == settings.key
    assert os.path.isabs(environment["LYMPH_HOME"])
    command = command_of(settings, options.port)
    assert {"--server.address=0.0.0.0", f"--server.port={options.port}"} <= set(command)
    assert "--server.maxUploadSize=200" in command


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--folder", "nowhere"], "There is no folder nowhere"),
        (["--weights", "nowhere.pth"], "There is no file nowhere.pth"),
        (["--upload-mb", "0"], "between 1 and 100,000 MB"),
        (["--port", "99999"], "Port 99999 cannot be used"),
    ],
)
def test_what_cannot_serve_is_one_line(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("lymph: ") and words in said and said.count("\n") == 1


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        assert main(["serve", "--port", str(other.getsockname()[1])]) == 2
    assert "give another --port" in capsys.readouterr().err


def test_a_named_folder_that_is_a_data_set_is_listed(tiny_root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert share_folders([str(tiny_root), str(tmp_path / "empty")]) == ["tiny"]
    assert [one.path for one in list_data_sets()] == [tiny_root]


def test_the_terminal_shows_address_code_and_key() -> None:
    settings = ClassSettings("ABCD-EFGH-JKLM", "http://192.0.2.7:8501", upload_mb=50)
    shown = told(settings, ["a set"])
    assert {"http://192.0.2.7:8501", "ABCD-EFGH-JKLM", "a set", "50 MB"} <= set(
        re.findall(r"http://[\d.:]+|[A-Z]{4}-[A-Z]{4}-[A-Z]{4}|a set|50 MB", shown)
    )
    assert in_terminal(settings.address) in shown and "█" in shown
    lines = [line for line in shown.splitlines() if "Workspace" not in line]
    assert max(map(len, lines)) <= 80, "a terminal breaks longer ones"
    assert as_picture(settings.address).startswith(b"\x89PNG")


def test_a_name_is_answered_and_addresses_too() -> None:
    """A name needs the server's leave, an address does not."""
    assert allowed_hosts("http://192.0.2.7:8501") == allowed_hosts("http://[2001:db8::1]:80") == []
    names = allowed_hosts("http://lymph.example:8501")
    assert names[:3] == ["lymph.example", "localhost", "127.0.0.1"] and own_address() in names


@pytest.fixture
def serving(workspace: Path) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Serve a class, as somebody does at a terminal; return the process, address and key."""
    (workspace / "data" / "demonstration").mkdir(parents=True)
    (workspace / "data" / "demonstration" / MARKER).touch()
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "lymph", "serve", "--port", str(port), "--json"],
        cwd=Path(serve.__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    yield process, f"http://127.0.0.1:{port}", said["key"]
    process.kill()
    process.wait()


def answer_of(address: str, process: subprocess.Popen) -> urllib.request.http.client.HTTPResponse:
    """Open a page as a browser does, as soon as the server answers."""
    page = urllib.request.Request(f"{address}/train", headers={"Accept": "text/html"})
    wait_until_healthy(address, process)
    return urllib.request.urlopen(page, timeout=PATIENCE)


def test_the_command_serves_and_ends_as_a_whole(
    serving: tuple[subprocess.Popen, str, str],
) -> None:
    """A browser gets its token with the first page; no server is left when the command ends."""
    process, address, key = serving
    assert re.fullmatch(r"\w{4}-\w{4}-\w{4}", key)
    with answer_of(address, process) as answer:
        cookie = answer.headers["set-cookie"]
        assert answer.headers["cache-control"] == "no-store"
    assert cookie.startswith("lymph_visitor=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    known = {"Accept": "text/html", "Cookie": cookie.partition(";")[0]}
    with urllib.request.urlopen(urllib.request.Request(address, headers=known)) as answer:
        assert answer.headers["set-cookie"] is None
    with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
        assert "lymph_visitor" not in str(answer.headers)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)
