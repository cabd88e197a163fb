"""Who asks: the visitor of a class, told by what the browser keeps; without a class, anybody."""

import secrets
from http.cookies import SimpleCookie
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lymph.classroom import pictures
from lymph.classroom.owners import may_change, owner_names, thing_of
from lymph.classroom.settings import class_settings
from lymph.classroom.who import FREE, Visitor, visitor_of
from lymph.data.sources import DataSet

COOKIE = "lymph_visitor"
KEPT_SECONDS = 180 * 24 * 3600
TOKEN_BYTES = 24
SHORTEST_TOKEN = 32
# In place of the cookie where a browser keeps none: then a visitor is known for the visit only.
TOKEN_KEY = "visitor_token"
VISITOR_KEY, DATA_SETS_KEY = "visitor_now", "data_sets_now"


def look_again() -> None:
    """Forget, as a page begins, what the last one knew of its visitor."""
    for key in (VISITOR_KEY, DATA_SETS_KEY):
        st.session_state.pop(key, None)


def who() -> Visitor:
    """Return the visitor whose page this is, looked up once for a page."""
    if class_settings() is None:
        return FREE
    if VISITOR_KEY not in st.session_state:
        st.session_state[VISITOR_KEY] = visitor_of(_token())
    return st.session_state[VISITOR_KEY]


def _token() -> str:
    token = st.context.cookies.get(COOKIE, "")
    if len(token) < SHORTEST_TOKEN:
        token = st.session_state.setdefault(TOKEN_KEY, new_token())
    return token


def new_token() -> str:
    """Return what tells a visitor, and nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def data_sets() -> list[DataSet]:
    """List the data sets that this visitor sees, looked up once for a page."""
    if DATA_SETS_KEY not in st.session_state:
        st.session_state[DATA_SETS_KEY] = pictures.data_sets(who())
    return st.session_state[DATA_SETS_KEY]


def is_own(folder: Path) -> bool:
    """Tell whether a job is this visitor's to stop, name and delete."""
    return may_change(who(), folder)


def starter_of(folder: Path) -> str:
    """Say in a class who started a job; nothing of what nobody is known to have started."""
    name = starters().get(thing_of(folder))
    return f"Started by {name}" if name else ""


def starters() -> dict[str, str]:
    """Return the name of who started each job, by its thing; nobody's without a class."""
    return {} if class_settings() is None else owner_names()


class Cookie:
    """Give a browser that opens a page of a class what it is known by from then on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_new_visitor(scope):
            await self.app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", cookie(scope["scheme"]))
                # A cache between would give one visitor's token to the next.
                headers["cache-control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_cookie)


def is_new_visitor(scope: Scope) -> bool:
    """Tell whether a request opens a page, not a part of one, and brings no token."""
    if scope["type"] != "http" or scope["method"] != "GET" or class_settings() is None:
        return False
    headers = Headers(scope=scope)
    known = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return "text/html" in headers.get("accept", "") and len(known) < SHORTEST_TOKEN


def cookie(scheme: str) -> str:
    """Return the header: scripts cannot read it, and pages of other sites cannot send it."""
    made: SimpleCookie = SimpleCookie({COOKIE: new_token()})
    options = {"path": "/", "max-age": KEPT_SECONDS, "httponly": True, "samesite": "Lax"}
    for name, value in options.items():
        made[COOKIE][name] = value
    made[COOKIE]["secure"] = scheme == "https"
    return made[COOKIE].OutputString()
