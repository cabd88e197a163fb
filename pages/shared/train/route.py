"""What the live view asks the server for: where a run stands, without a rerun of the page.

A poll of the page would run its script and draw it again in the browser, 60 ms of a processor each
time; this is a small answer of a few numbers, and an empty one where nothing has moved. Whoever was
shown a run may ask: the page hands out a ticket for that one run.
"""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lymph import runs
from lymph.errors import LymphError
from lymph.runs import Run
from pages.shared.signing import below_base, is_signed, signed

LIVE, PICTURE = "live/run", "live/picture"
KEPT = {"cache-control": "private, max-age=3600"}


def addresses(run: Run) -> dict[str, str]:
    """Return where a run is followed and where its validation pictures are, for the view."""
    asked = urlencode({"run": run.id, "ticket": signed("live", run.id)})
    return {"live": f"{LIVE}?{asked}", "picture": f"{PICTURE}?{asked}"}


def _asked(request: Request) -> Run | None:
    run_id = request.query_params.get("run", "")
    ticket = request.query_params.get("ticket", "")
    return runs.open_known(run_id) if is_signed(ticket, "live", run_id) else None


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def live(request: Request) -> Response:
    """Answer where a run stands; curves and matrix only where they are other than ``seen``."""
    # Loaded late, as in app.py: its caches find the server only once it runs.
    from pages.shared.train.standing import body_of, head_of

    try:
        run = _asked(request)
        if run is None:
            return PlainTextResponse("This page is out of date; reload it.", 403)
        at, dark = _number(request, "at"), request.query_params.get("dark") == "1"
        answer: dict[str, Any] = {"head": head_of(run)}
        if request.query_params.get("seen") != answer["head"]["body"]:
            answer["body"] = body_of(run, at, dark)
    except LymphError as error:
        return PlainTextResponse(str(error), 404)
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def picture(request: Request) -> Response:
    """Answer with the small copy of a validation picture."""
    from lymph.data.ahead import HEIGHT
    from lymph.data.thumbnails import thumbnail_paths
    from pages.shared.train.standing import picture_of

    try:
        run = _asked(request)
        if run is None:
            return PlainTextResponse("This page is out of date; reload it.", 403)
        root, name = picture_of(run, _number(request, "n"))
        (file,) = thumbnail_paths(root, [name], HEIGHT)
    except (LymphError, IndexError, OSError):
        return PlainTextResponse("The picture is no longer there.", 404)
    return FileResponse(file, media_type="image/jpeg", headers=KEPT)


def routes() -> list[Route]:
    """Return the routes for the server."""
    return [Route(below_base(LIVE), live), Route(below_base(PICTURE), picture)]
