"""Who may ask the server what: pages of other sites may not, and its figures are its own."""

import ipaddress
import socket

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from pages.shared.place import on_server_machine

METRICS = "/_stcore/metrics"


class Gate:
    """Refuse requests under a foreign name, and the server's figures to other computers.

    A page of another site can point its own name at this server's address (DNS rebinding) and is
    then, for the browser, the same site; only the ``Host`` that was asked for tells. Streamlit's
    own check covers the WebSocket alone, this one every request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = refusal(scope) if scope["type"] in ("http", "websocket") else ""
        if not words:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await PlainTextResponse(words, 403)(scope, receive, send)


def refusal(scope: Scope) -> str:
    """Say why a request is refused; an empty text when it is not."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not is_known(host):
        name = name_of(host)
        shown = name if name.isprintable() and len(name) < 100 else "this name"
        return (
            f"lymph does not answer under the name {shown}. Open it as http://localhost or by the"
            f" server's IP address, or start it with --server.allowedHosts {shown}."
        )
    client = scope.get("client")
    if METRICS in scope["path"] and not on_server_machine(client[0] if client else None, headers):
        return "The figures of the server can be read on its own computer only."
    return ""


def name_of(host: str) -> str:
    """Return the name in a ``Host`` header, without port and brackets."""
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return name.strip("[]").lower().rstrip(".")


def is_known(host: str) -> bool:
    """Tell whether a ``Host`` header names this server.

    Where ``server.allowedHosts`` is set it decides. An IP address cannot be pointed elsewhere; of
    names, this computer's own are known. A request without a ``Host`` comes from no browser.
    """
    if config.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    name, own = name_of(host), socket.gethostname().lower()
    if name in ("", "localhost", own, f"{own}.local"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
