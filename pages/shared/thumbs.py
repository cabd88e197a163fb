"""Small pictures at addresses of their own: a browser asks for each once, and has it from then on.

Inside a page they were most of its bytes, which the server would hash and send at every click.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
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
from lymph.synthetic import is_coming, last_drawn

PLACE = "lymph-picture/"
# The address changes with the picture.
KEPT = {"cache-control": "private, max-age=86400, immutable"}
GONE = "This picture is no longer here; reload the page."
MOST_SHOWN, MOST_BYTES = 100_000, 32_000_000
# In seconds: how often a picture that is being drawn is looked for, and for how long none may come.
# A browser asks for six at a time: all else would wait with them where the drawing was killed.
LOOK_EVERY, LONGEST_PAUSE = 0.2, 60.0


class Shown(NamedTuple):
    """What an address stands for; ``root`` is the data root of a picture that is still to come."""

    kind: str
    file: Callable[[], Path]
    root: Path | None = None


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


def addresses_to_come(root: Path, pictures: list[str], height: int) -> list[str]:
    """Return addresses of small copies of pictures of a set that is being drawn.

    Whoever asks at one of them gets the picture as soon as it is there.
    """
    return [
        _address(
            "\0".join(["to come", str(root), picture, str(height)]),
            Shown("image/jpeg", partial(_small_copy, root, picture, height), root),
        )
        for picture in pictures
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
            content = await _made(name)
        except (LymphError, OSError, KeyError):
            return PlainTextResponse(GONE, 404)
        _keep(name, content)
    else:
        _contents.move_to_end(name)
    return Response(content.image, media_type=content.kind, headers=KEPT)


async def _made(name: str) -> Content:
    """Return what an address stands for; a picture that is being drawn is waited for."""
    asked = time.time()
    while True:
        root = _shown[name].root
        # Asked first: a set that is put in place meanwhile is looked at once more.
        coming = root is not None and is_coming(root)
        try:
            return await run_in_threadpool(content_at, name)
        except (LymphError, OSError):
            if not coming or time.time() - max(asked, last_drawn(root)) > LONGEST_PAUSE:
                raise
        # No thread waits, so that thirty visitors keep none from others.
        await asyncio.sleep(LOOK_EVERY)


def _keep(name: str, content: Content) -> None:
    _contents[name] = content
    while sum(len(kept.image) for kept in _contents.values()) > MOST_BYTES:
        _contents.popitem(last=False)
