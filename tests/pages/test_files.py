"""What a browser loads first comes from memory, packed for those who come over a network."""

import gzip

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from pages.shared.server import files
from tests.waiting import run_async

SCRIPT = min(name for name in files._names() if name.endswith(".js"))


def ask(
    name: str, client: str = "127.0.0.1", **headers: str
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Ask for one of Streamlit's files; return the status, the headers and the body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asked = {"host": "localhost", "accept_encoding": "gzip, br", **headers}
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/static/{name}",
        "client": (client, 1),
        "headers": [(key.replace("_", "-").encode(), v.encode()) for key, v in asked.items()],
    }
    run_async(files.Files(PlainTextResponse("not here", 404))(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), body


def test_a_laptop_of_the_class_gets_packed_what_the_server_itself_gets_as_it_is() -> None:
    """Stranger: thirty laptops drew 7 MB of scripts each through one wireless network."""
    status, headers, plain = ask(SCRIPT)
    assert status == 200 and b"content-encoding" not in headers
    assert plain == (files._root() / SCRIPT).read_bytes()
    status, headers, packed = ask(SCRIPT, client="192.0.2.7")
    assert status == 200 and headers[b"content-encoding"] == b"gzip"
    assert gzip.decompress(packed) == plain
    assert b"immutable" in headers[b"cache-control"]
    assert headers[b"vary"] == b"accept-encoding"


def test_who_cannot_unpack_gets_it_as_it_is() -> None:
    _, headers, body = ask(SCRIPT, client="192.0.2.7", accept_encoding="identity")
    assert b"content-encoding" not in headers and body == (files._root() / SCRIPT).read_bytes()


@pytest.mark.parametrize("name", ["../index.html", "js/../../index.html", "js/none.js", "", "js"])
def test_nothing_but_what_streamlit_brings_is_handed_out(name: str) -> None:
    assert ask(name)[0] == 404


def test_a_part_of_a_file_is_left_to_streamlit() -> None:
    assert ask(SCRIPT, range="bytes=0-10")[0] == 404
