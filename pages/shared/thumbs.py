"""Small pictures at addresses of their own: a browser asks for each once, and has it from then on.

Inside a page they were most of its bytes, which the server would hash and send at every click.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lymph.data.thumbnails import thumbnail_paths
from lymph.errors import LymphError

PLACE = "lymph-picture/"
# The address changes with the picture.
KEPT = {"cache-control": "private, max-age=86400, immutable"}
GONE = "This picture is no longer here; reload the page."
MOST_SHOWN, MOST_BYTES = 100_000, 32_000_000


class Shown(NamedTuple):
    """What an address stands for."""

    root: Path
    picture: str
    height: int


# What this server has shown, by names that nobody can guess; the oldest are forgotten.
_key = secrets.token_bytes(32)
_shown: OrderedDict[str, Shown] = OrderedDict()
# The content of those that were asked for last.
_contents: OrderedDict[str, bytes] = OrderedDict()


def addresses_of(root: Path, pictures: list[str], height: int) -> list[str]:
    """Return addresses of small copies, relative to the page; who was shown one may ask for it.

    Raises
    ------
    PictureError
        When a picture can no longer be read.
    """
    addresses = []
    for picture, file in zip(pictures, thumbnail_paths(root, pictures, height), strict=True):
        # The file is named after the picture and its time of change.
        name = hmac.new(_key, str(file).encode(), hashlib.sha256).hexdigest()[:32]
        _shown[name] = Shown(root, picture, height)
        addresses.append(PLACE + name)
    while len(_shown) > MOST_SHOWN:
        _shown.popitem(last=False)
    return addresses


def content_at(address: str) -> bytes:
    """Return the JPEG at an address.

    Raises
    ------
    LymphError, OSError
        When it can no longer be made.
    KeyError
        When this server has not shown it.
    """
    one = _shown[address.removeprefix(PLACE)]
    (file,) = thumbnail_paths(one.root, [one.picture], one.height)
    return file.read_bytes()


class Thumbs:
    """Answer requests for small pictures before Streamlit has to look at them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/" + PLACE)[2] if scope["type"] == "http" else ""
        if scope["type"] != "http" or scope["method"] != "GET" or name == scope["path"]:
            await self.app(scope, receive, send)
            return
        await (await _answer(name))(scope, receive, send)


async def _answer(name: str) -> Response:
    content = _contents.get(name)
    if content is None:
        try:
            content = await run_in_threadpool(content_at, name)
        except (LymphError, OSError, KeyError):
            return PlainTextResponse(GONE, 404)
        _keep(name, content)
    else:
        _contents.move_to_end(name)
    return Response(content, media_type="image/jpeg", headers=KEPT)


def _keep(name: str, content: bytes) -> None:
    _contents[name] = content
    while sum(map(len, _contents.values())) > MOST_BYTES:
        _contents.popitem(last=False)
