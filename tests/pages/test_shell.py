"""The page that a browser loads first knows where the server is."""

import pytest
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message

from pages.shared.server.shell import TOLD, Shell
from tests.waiting import run_async

HTML = "<html><head><title>lymph</title></head><body></body></html>"


def ask(path: str, answer: Response, method: str = "GET") -> tuple[dict[bytes, bytes], bytes]:
    """Ask for a path through the shell; return the answer's headers and its body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    run_async(Shell(answer)(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return dict(sent[0]["headers"]), body


@pytest.mark.parametrize("path", ["/data", "/lessons/", "/behind/a/proxy/train"])
def test_a_page_is_told_where_the_server_is(path: str) -> None:
    """Regression: each visit began with two requests that ended in 404."""
    headers, body = ask(path, HTMLResponse(HTML))
    assert body == HTML.replace("</head>", TOLD.decode() + "</head>").encode()
    assert headers[b"content-length"] == str(len(body)).encode()


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/static/js/index.js", "/else"])
def test_everything_else_goes_through_as_it_is(path: str) -> None:
    _, body = ask(path, HTMLResponse(HTML))
    assert body == HTML.encode()


def test_an_answer_without_content_stays_one() -> None:
    headers, body = ask("/data/", RedirectResponse("/data"))
    assert body == b"" and headers[b"content-length"] == b"0"
