"""Where the board's strips come from: the server answers only for those that a page has shown."""

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from lymph.errors import LymphError
from pages.shared.signing import below_base, signed

STRIP = "split/strip"
KEPT = {"cache-control": "private, max-age=86400"}
GONE = "The pictures are no longer there; reload the page."


# What the addresses stand for that this server has handed out; the oldest are forgotten.
_shown: dict[str, tuple[Path, tuple[str, ...]]] = {}
MOST_SHOWN = 50_000


def address_of(root: Path, pictures: Sequence[str], version: str) -> str:
    """Return the address of a strip, which nobody can guess; other pictures get another one."""
    name = signed("strip", str(root), version, *pictures)[:32]
    _shown[name] = (root, tuple(pictures))
    while len(_shown) > MOST_SHOWN:
        _shown.pop(next(iter(_shown)), None)
    return f"{STRIP}?of={name}"


def strip(request: Request) -> Response:
    """Answer with a strip."""
    from lymph.data.strips import strip_file

    known = _shown.get(request.query_params.get("of", ""))
    try:
        if known is None:
            return PlainTextResponse(GONE, 404)
        return FileResponse(strip_file(*known), media_type="image/webp", headers=KEPT)
    except (LymphError, OSError):
        return PlainTextResponse(GONE, 404)


def routes() -> list[Route]:
    """Return the route for the server."""
    return [Route(below_base(STRIP), strip)]
