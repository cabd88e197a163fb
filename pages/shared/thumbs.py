"""Small pictures at addresses of their own: a browser asks for each once, and has it from then on.

Inside a page they were most of its bytes, which the server would hash and send at every click.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lymph.data.strips import strip_file
from lymph.data.thumbnails import thumbnail_paths
from lymph.errors import LymphError

PLACE = "lymph-picture/"
# The address changes with the picture.
KEPT = {"cache-control": "private, max-age=86400, immutable"}
GONE = "This picture is no longer here; reload the page."
MOST_SHOWN, MOST_BYTES = 100_000, 32_000_000


class Shown(NamedTuple):
    """What an address stands for."""

    kind: str
    file: Callable[[], Path]


class Content(NamedTuple):
    """What is sent."""

    kind: str
    image: bytes


# What this server has shown, by names that nobody can guess; the oldest are forgotten.
_key = secrets.token_bytes(32)
_shown: OrderedDict[str, Shown] = OrderedDict()
# The content of those that were asked for last.
_contents: OrderedDict[str, Content] = OrderedDict()


def addresses_of(root: Path, pictures: list[str], height: int) -> list[str]:
    """Return addresses of small copies, relative to the page; who was shown one may ask for it.

    Raises
    ------
    PictureError
        When a picture can no longer be read.
    """
    # The file is named after the picture and its time of change.
    return [
        _address(str(file), Shown("image/jpeg", partial(_small_copy, root, picture, height)))
        for picture, file in zip(pictures, thumbnail_paths(root, pictures, height), strict=True)
    ]


def strip_address(root: Path, pictures: Sequence[str], version: str) -> str:
    """Return the address of pictures side by side; other pictures or versions get another one."""
    known = "\0".join(["strip", str(root), version, *pictures])
    return _address(known, Shown("image/webp", partial(strip_file, root, tuple(pictures))))


def _address(known: str, shown: Shown) -> str:
    name = hmac.new(_key, known.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:32]
    _shown[name] = shown
    while len(_shown) > MOST_SHOWN:
        _shown.popitem(last=False)
    return PLACE + name


def _small_copy(root: Path, picture: str, height: int) -> Path:
    return thumbnail_paths(root, [picture], height)[0]


def content_at(address: str) -> Content:
    """Return the picture at an address.

    Raises
    ------
    LymphError, OSError
        When it can no longer be made.
    KeyError
        When this server has not shown it.
    """
    shown = _shown[address.removeprefix(PLACE)]
    return Content(shown.kind, shown.file().read_bytes())


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
    return Response(content.image, media_type=content.kind, headers=KEPT)


def _keep(name: str, content: Content) -> None:
    _contents[name] = content
    while sum(len(kept.image) for kept in _contents.values()) > MOST_BYTES:
        _contents.popitem(last=False)
