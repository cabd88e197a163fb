"""The page that a browser loads before any of ours: it is told where the server is.

Under an address such as ``/data`` Streamlit's own script looks for the server below that address
first, and finds it only after two requests that end in 404.
"""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = {file.stem for file in Path(__file__).parents[2].glob("*.py")}
# Relative to the page's own address, since a proxy may have put a path before it.
TOLD = (
    b"<script>window.__streamlit = {BACKEND_BASE_URL: location.origin"
    b' + location.pathname.replace(/\\/[^/]*\\/?$/, "")}</script>'
)
HEAD = b"</head>"


class Shell:
    """Write into the HTML of a page's address where the server is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["path"].rstrip("/").rpartition("/")[2] if scope["type"] == "http" else ""
        if asked not in PAGES or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        # It has to be read here, and is too small to gain by compression.
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"accept-encoding", b"range")]
        await self.app({**scope, "headers": kept}, receive, _told(send))


def _told(send: Send) -> Send:
    started: Message = {}
    parts: list[bytes] = []

    async def tell(message: Message) -> None:
        nonlocal started
        if message["type"] == "http.response.start":
            started = message
            return
        if message["type"] != "http.response.body":
            await send(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts).replace(HEAD, TOLD + HEAD, 1)
        headers = MutableHeaders(raw=started["headers"])
        if body:  # there is none where the browser has the page already
            headers["content-length"] = str(len(body))
        await send(started)
        await send({"type": "http.response.body", "body": body})

    return tell
