"""The scripts and styles that a browser loads first, from memory, and packed where a network is.

A first visit asks for a hundred of them. Looked for on the disk one by one they take the server as
long as a page does, and unpacked thirty visitors draw 200 MB through one wireless network.
"""

import gzip
import mimetypes
import os
from functools import cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from pages.shared.place import on_server_machine
from pages.shared.signing import below_base

# The name of a file changes with its content.
KEPT = {"cache-control": "public, immutable, max-age=31536000", "vary": "accept-encoding"}
# Fonts and pictures are packed already.
PACKED = (".js", ".css")

# By name and whether it is packed: a few MB, as a browser asks for a part of all there is.
_contents: dict[tuple[str, bool], bytes] = {}


class Files:
    """Answer requests for Streamlit's own files before it has to look for them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _asked(scope)
        if not name:
            await self.app(scope, receive, send)
            return
        headers, client = Headers(scope=scope), scope.get("client")
        takes = "gzip" in headers.get("accept-encoding", "") and name.endswith(PACKED)
        # Within one computer unpacking takes longer than it saves.
        packed = takes and not on_server_machine(client[0] if client else None, headers)
        if (name, packed) not in _contents:
            await run_in_threadpool(_read, name, packed)
        await _answer(name, packed)(scope, receive, send)


def _asked(scope: Scope) -> str:
    """Return the name of the file that a request asks for whole; empty for any other request."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return ""
    _, found, name = scope["path"].partition(below_base("static/"))
    if not found or name not in _names() or any(key == b"range" for key, _ in scope["headers"]):
        return ""
    return name


@cache
def _names() -> frozenset[str]:
    """List the files by their names below the folder: nothing else is ever opened."""
    root = _root()
    found = (Path(place, name) for place, _, names in os.walk(root) for name in names)
    return frozenset(path.relative_to(root).as_posix() for path in found)


def _root() -> Path:
    return Path(file_util.get_static_dir()) / "static"


def _read(name: str, packed: bool) -> None:
    content = (_root() / name).read_bytes()
    _contents[name, packed] = gzip.compress(content, 6) if packed else content


def _answer(name: str, packed: bool) -> Response:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    coding = {"content-encoding": "gzip"} if packed else {}
    return Response(_contents[name, packed], media_type=kind, headers={**KEPT, **coding})
