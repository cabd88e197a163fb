"""Other sites' pages cannot ask this server under a name of theirs, nor anyone for its figures."""

import socket
from collections.abc import Iterator

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message
from streamlit import config

from pages.shared.server.gate import Gate
from tests.waiting import run_async


def ask(
    host: str, path: str = "/", client: str = "127.0.0.1", kind: str = "http", **headers: str
) -> tuple[int, str]:
    """Ask through the gate; return the answer's code, of a WebSocket 0 or its close code."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": f"{kind}.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def inside(scope: dict, receive: object, send: object) -> None:
        if scope["type"] == "http":
            await PlainTextResponse("inside")(scope, receive, send)

    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": kind,
        "method": "GET",
        "path": path,
        "client": (client, 5000),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
    }
    run_async(Gate(inside)(scope, receive, send))
    if kind == "websocket":
        return (sent[0]["code"] if sent else 0), ""
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.fixture
def allowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Name the hosts that are allowed, as ``--server.allowedHosts`` does."""
    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", request.param)
    yield
    config.set_option("server.allowedHosts", before)


@pytest.mark.parametrize(
    "host",
    ["localhost:8501", "127.0.0.1", "[::1]:8501", "192.0.2.7:8501", socket.gethostname(), ""],
)
def test_own_names_and_addresses_are_answered(host: str) -> None:
    assert ask(host) == (200, "inside")
    assert ask(host, kind="websocket")[0] == 0


@pytest.mark.parametrize("host", ["evil.example:8501", "localhost.evil.org", "127.0.0.1.nip.io"])
def test_a_foreign_name_is_refused_in_words(host: str) -> None:
    """Regression: a page whose name was pointed at this address read everything (DNS rebinding)."""
    code, words = ask(host)
    assert code == 403 and "--server.allowedHosts " + host.split(":")[0] in words
    assert ask(host, kind="websocket")[0] == 1008
    assert ask(host, path="/media/picture.png")[0] == 403


@pytest.mark.parametrize("allowed", [["lymph.example.org"]], indirect=True)
def test_names_that_were_allowed_decide(allowed: None) -> None:
    assert ask("lymph.example.org")[0] == 200
    assert ask("localhost")[0] == 403


def test_the_servers_figures_are_for_its_own_computer() -> None:
    """Regression: every visitor could read how many sessions there are and what they hold."""
    path = "/_stcore/metrics"
    assert ask("localhost", path)[0] == 200
    assert ask("192.0.2.7", path, client="203.0.113.7")[0] == 403
    assert ask("localhost", path, x_forwarded_for="203.0.113.7")[0] == 403
    assert ask("localhost", "/_stcore/health", client="203.0.113.7")[0] == 200


def test_a_name_that_is_no_name_is_not_repeated() -> None:
    assert "this name" in ask("a" * 5_000)[1]
    assert "\x07" not in ask("evil\x07.example")[1]
