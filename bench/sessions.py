"""Visitors without a browser: sessions of a real server over the app's own websocket."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Sequence
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE_SECONDS = 120.0
COOKIE = "_streamlit_xsrf"
# The pictures of a page that are not in the page itself.
PICTURE = re.compile(rb"lymph-picture/[0-9a-f]{32}")
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
# A browser asks for so many pictures at once.
LINES = 6
# The id of a widget ends in the key that the page gave it.
KEYED = re.compile(r"^\$\$ID-[0-9a-f]+-(.*)$")
OVER = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


class Session:
    """One session: what stands on its page, and what it was told went wrong.

    What a browser would do by itself it does too: it asks for the pictures that it does not have
    yet, and again for the parts of a page that follow something, while somebody reads.
    """

    def __init__(self, connection: ClientConnection, address: str) -> None:
        self.connection, self.address = connection, address
        self.page_hash = self.query = self.id = ""
        self.pages: dict[str, str] = {}
        self.widgets: dict[str, Any] = {}
        self.fragments: dict[str, str] = {}
        self.polls: dict[str, tuple[float, float]] = {}
        self.urls: Sequence[Any] = ()
        # Large messages are sent once: what a page asks for again stands in here.
        self.kept: dict[str, ForwardMsg] = {}
        self.exceptions: list[str] = []
        self.pictures = Pictures(address)

    async def open(self, page: str) -> float:
        """Open the app at a page, as an address does; return the seconds until it stands."""
        asked = BackMsg()
        asked.rerun_script.page_name = page
        return await self._ask(asked)

    async def go(self, page: str) -> float:
        """Change to another page, as a click in the menu does; return the seconds."""
        self.page_hash, self.query = self.pages[page], ""
        return await self._ask(BackMsg())

    async def press(self, key: str) -> float:
        """Press a button; return the seconds until the answer stands."""
        return await self._change(key, trigger_value=True)

    async def choose(self, key: str, option: str) -> float:
        """Choose an option of a radio or of a row of buttons; return the seconds."""
        if bound := self.widgets[key].query_param_key:
            # A browser writes what is chosen into the address.
            rest = [(name, value) for name, value in parse_qsl(self.query) if name != bound]
            self.query = urlencode([*rest, (bound, option)])
        if self.kind_of(key) == "radio":
            return await self._change(key, string_value=option)
        return await self._change(key, string_array_value={"data": [option]})

    async def drop(self, key: str, files: Sequence[Path]) -> float:
        """Drop files, one after the other as the browser does; return the seconds."""
        started = time.perf_counter()
        asked = BackMsg()
        asked.file_urls_request.request_id = "drop"
        asked.file_urls_request.session_id = self.id
        asked.file_urls_request.file_names.extend(file.name for file in files)
        await self.connection.send(asked.SerializeToString())
        while await self._receive(PATIENCE_SECONDS) != "file_urls_response":
            pass
        state = WidgetState(id=self.widgets[key].id)
        for file, url in zip(files, self.urls, strict=True):
            content = file.read_bytes()
            await asyncio.to_thread(_upload, self.address, url.upload_url, file.name, content)
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.name, info.size, info.file_id = file.name, len(content), url.file_id
            info.file_urls.CopyFrom(url)
        await self._ask(_changed(state), self.fragments.get(key, ""))
        return time.perf_counter() - started

    async def think(self, seconds: float) -> list[float]:
        """Read for a while; return the seconds of each look that the page took by itself."""
        looks = []
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            due = {name: at for name, (_, at) in self.polls.items()}
            name = min(due, key=due.__getitem__, default=None)
            if name is not None and due[name] <= now:
                self.polls[name] = (self.polls[name][0], now + self.polls[name][0])
                asked = BackMsg()
                asked.rerun_script.is_auto_rerun = True
                looks.append(await self._ask(asked, name))
                continue
            pause = min(end, due[name] if name is not None else end) - now
            await self._receive(max(0.001, pause))
        return looks

    def kind_of(self, key: str) -> str:
        """Return what kind of widget has a key."""
        return self.widgets[key].DESCRIPTOR.name.lower()

    def options_of(self, key: str) -> list[str]:
        """Return what can be chosen; nothing where there is no such widget."""
        widget = self.widgets.get(key)
        if widget is None:
            return []
        return [getattr(option, "content", option) for option in widget.options]

    async def _change(self, key: str, **value: Any) -> float:
        state = WidgetState(id=self.widgets[key].id, **value)
        return await self._ask(_changed(state), self.fragments.get(key, ""))

    async def _ask(self, asked: BackMsg, fragment: str = "") -> float:
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_script_hash = self.page_hash
        asked.rerun_script.fragment_id = fragment
        asked.rerun_script.cached_message_hashes.extend(self.kept)
        started = time.perf_counter()
        await self.connection.send(asked.SerializeToString())
        while await self._receive(PATIENCE_SECONDS) != "over":
            pass
        await self.pictures.fetch()
        return time.perf_counter() - started

    async def _receive(self, patience: float) -> str:
        """Take one message in, and return what it is about; nothing where none comes in time."""
        try:
            content = await asyncio.wait_for(self.connection.recv(decode=False), patience)
        except TimeoutError:
            if patience >= PATIENCE_SECONDS:
                raise
            return ""
        self.pictures.see(content)
        told = ForwardMsg.FromString(content)
        if told.metadata.cacheable:
            self.kept[told.hash] = told
        elif told.ref_hash:
            told = self.kept[told.ref_hash]
        kind = told.WhichOneof("type")
        if kind == "new_session":
            self.id = told.new_session.initialize.session_id
            if not told.metadata.run.fragment_ids:
                self.widgets, self.fragments, self.polls = {}, {}, {}
        elif kind == "page_info_changed":
            self.query = told.page_info_changed.query_string
        elif kind == "navigation":
            self.page_hash = told.navigation.page_script_hash
            self.pages = {p.url_pathname: p.page_script_hash for p in told.navigation.app_pages}
        elif kind == "file_urls_response":
            self.urls = told.file_urls_response.file_urls
        elif kind == "auto_rerun":
            interval = told.auto_rerun.interval
            self.polls[told.auto_rerun.fragment_id] = (interval, time.monotonic() + interval)
        elif kind == "stop_auto_rerun":
            for name in told.stop_auto_rerun.fragment_ids:
                self.polls.pop(name, None)
        elif kind == "delta":
            self._take_in(told.delta)
        elif kind == "script_finished" and told.script_finished in OVER:
            return "over"
        return kind or ""

    def _take_in(self, delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.exceptions.append(element.exception.message)
        elif kind and (match := KEYED.match(getattr(getattr(element, kind), "id", ""))):
            self.widgets[match[1]] = getattr(element, kind)
            self.fragments[match[1]] = delta.fragment_id


class Pictures:
    """The pictures of a visitor's pages: each is asked for once, over lines that stay open."""

    def __init__(self, address: str) -> None:
        self.host = address.removeprefix("http://")
        self.known: set[bytes] = set()
        self.wanted: list[bytes] = []
        self.lines: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    def see(self, message: bytes) -> None:
        """Note the pictures that a message names for the first time."""
        found = dict.fromkeys(PICTURE.findall(message))
        new = [name for name in found if name not in self.known]
        self.known.update(new)
        self.wanted += new

    async def fetch(self) -> None:
        """Ask for what is wanted, and wait until it is there.

        Raises
        ------
        ValueError
            When the server refuses a picture.
        """
        wanted, self.wanted = self.wanted, []
        shares = enumerate(wanted[start::LINES] for start in range(LINES))
        await asyncio.gather(*(self._fetch(line, names) for line, names in shares if names))

    async def _fetch(self, line: int, names: Sequence[bytes]) -> None:
        for name in names:
            try:
                await self._ask(line, name)
            except (asyncio.IncompleteReadError, ConnectionError):
                # The server hangs up on who has been silent for some seconds.
                del self.lines[line]
                await self._ask(line, name)

    async def _ask(self, line: int, name: bytes) -> None:
        if line not in self.lines:
            self.lines[line] = await asyncio.open_connection(*self.host.split(":"))
        reader, writer = self.lines[line]
        writer.write(b"GET /%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (name, self.host.encode()))
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        if b" 200 " not in head.partition(b"\r\n")[0] or not length:
            raise ValueError(f"{name.decode()}: {head.decode()}")
        await reader.readexactly(int(length[1]))

    def close(self) -> None:
        """Leave."""
        for _, writer in self.lines.values():
            writer.close()


def _changed(state: WidgetState) -> BackMsg:
    asked = BackMsg()
    asked.rerun_script.widget_states.widgets.append(state)
    return asked


def _upload(address: str, url: str, name: str, content: bytes) -> None:
    with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
        token = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value
    bound = "lymph-bench"
    head = f'--{bound}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"'
    body = f"{head}\r\nContent-Type: image/tiff\r\n\r\n".encode() + content
    headers = {
        "Cookie": f"{COOKIE}={token}",
        "X-Xsrftoken": token,
        "Content-Type": f"multipart/form-data; boundary={bound}",
    }
    request = urllib.request.Request(
        address + url, body + f"\r\n--{bound}--\r\n".encode(), headers, method="PUT"
    )
    with urllib.request.urlopen(request):
        pass


def visit(address: str) -> connect:
    """Return a connection to the app at an http address, to be entered by ``async with``."""
    stream = address.replace("http://", "ws://") + "/_stcore/stream"
    return connect(
        stream, subprotocols=[Subprotocol("streamlit")], max_size=None, ping_interval=None
    )
