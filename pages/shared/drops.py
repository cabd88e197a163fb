"""What a visitor drops goes to the disk as it arrives, and is gone soon after the visit.

Streamlit would hold every dropped file in memory, copy it at each click, and keep it until another
visitor comes. So the bytes are taken out of the request on their way (``Keep``): Streamlit keeps
the names only, and a page reads the content by ``opened``.
"""

import contextlib
import gc
import io
import shutil
import tempfile
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import IO, Any, BinaryIO, NamedTuple

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lymph import workspace
from lymph.classroom import here, pictures
from lymph.classroom.settings import class_settings
from lymph.errors import DataError, DiskError, LymphError
from lymph.processor import give_back
from pages.shared.visitor import who

UPLOAD = "/_stcore/upload_file/"


class Part(io.RawIOBase):
    """A part of a file, to be read only; the file's lock makes several readers take turns."""

    def __init__(self, file: IO[bytes], lock: threading.Lock, start: int, length: int) -> None:
        super().__init__()
        self._file, self._lock, self._start, self._length = file, lock, start, length
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._length - self._place))
        with self._lock:
            self._file.seek(self._start + self._place)
            content = self._file.read(wanted)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


class Store:
    """The files of one visit, one behind the other in a file without a name.

    Without a name it is gone with the process that holds it, however that ends.
    """

    def __init__(self) -> None:
        home = workspace.home()
        with workspace.writing(home):
            home.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=home)  # noqa: SIM115
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int] | str] = {}

    def add(self, file_id: str, source: IO[bytes]) -> None:
        """Take a file in; what the disk or the bound refuses is said when it is opened."""
        with self._lock:
            try:
                self._places[file_id] = self._append(source)
            except LymphError as error:
                self._places[file_id] = str(error)

    def _append(self, source: IO[bytes]) -> tuple[int, int]:
        length = source.seek(0, io.SEEK_END)
        source.seek(0)
        bound = config.get_option("server.maxUploadSize") * 1024**2
        with workspace.writing(workspace.home()):
            start = self._file.seek(0, io.SEEK_END)
            if start + length > bound:
                raise DataError(
                    f"One visit can hold {bound / 1e6:,.0f} MB of dropped files; take all of them"
                    " away and drop fewer."
                )
            workspace.need_room(workspace.home(), length)
            try:
                shutil.copyfileobj(source, self._file, 1 << 20)
                self._file.flush()
            except OSError:
                self._file.truncate(start)
                raise
        return start, length

    def open(self, file_id: str) -> BinaryIO | None:
        """Return a file for reading, or None where it was never taken in.

        Raises
        ------
        DataError
            When it could not be kept.
        """
        place = self._places.get(file_id)
        if isinstance(place, str):
            raise DataError(place)
        if place is None:
            return None
        return io.BufferedReader(Part(self._file, self._lock, *place), 1 << 16)

    def remove(self, file_id: str) -> None:
        """Forget a file; the space is free when the visit holds no other."""
        with self._lock:
            self._places.pop(file_id, None)
            if not any(isinstance(place, tuple) for place in self._places.values()):
                self._file.truncate(0)

    def bytes_on_disk(self) -> int:
        """Return how much the visit takes on the disk."""
        with self._lock:
            return self._file.seek(0, io.SEEK_END)

    def close(self) -> None:
        """Free the space."""
        self._file.close()


STORES: dict[str, Store] = {}
_making = threading.Lock()


def store_of(session: str) -> Store:
    """Return the files of a visit."""
    with _making:
        if session not in STORES:
            STORES[session] = Store()
        return STORES[session]


class Visit(NamedTuple):
    """A visitor's session, and what it remembers."""

    session: str
    state: Any


def forget(visit: Visit) -> None:
    """Free what a visit has dropped and what was made of it."""
    store = STORES.pop(visit.session, None)
    if store:
        store.close()
    if here.leave(visit.session):
        clear_left_uploads()
    for key in visit.state.filtered_state:
        del visit.state[key]
    gc.collect()
    give_back()


def clear_left_uploads() -> None:
    """Delete in a class the data sets that were uploaded by visitors who have gone."""
    if class_settings() is not None:
        with contextlib.suppress(LymphError):  # it is tried again when the next visit ends
            pictures.clear_uploads()


def clear_left_uploads_later() -> None:
    """Do so once everybody who was here before the server started has had time to come back."""
    if class_settings() is not None:
        with here.nobody_comes():  # from now on those of a server that has ended have time
            pass
        _later(clear_left_uploads)


def _later(action: Callable[..., None], *given: Any) -> None:
    # A line may break for a moment; after this time Streamlit takes nobody back.
    grace = config.get_option("server.disconnectedSessionTTL") + 1
    timer = threading.Timer(grace, action, given)
    timer.daemon = True
    timer.start()


def _forget_unless_back(visit: Visit) -> None:
    if not (runtime.exists() and runtime.get_instance().is_active_session(visit.session)):
        forget(visit)


def _left(visit: Visit) -> None:
    _later(_forget_unless_back, visit)


@st.cache_resource(scope="session", show_spinner=False, on_release=_left)
def _visit(session: str, _state: Any) -> Visit:
    """Be released by Streamlit when the visitor's line is cut; it keeps the session for longer."""
    return Visit(session, _state)


def opened(upload: Any) -> BinaryIO:
    """Return the content of an upload for reading.

    Raises
    ------
    DataError
        When it could not be kept.
    """
    context = get_script_run_ctx()
    store = STORES.get(context.session_id) if context else None
    file = store.open(upload.file_id) if store else None
    return upload if file is None else file


def content_of(upload: Any) -> bytes:
    """Return the content of an upload that is small enough for memory, such as one picture."""
    file = opened(upload)
    file.seek(0)
    return file.read()


def done_with(uploads: Sequence[Any]) -> None:
    """Free uploads whose content has been taken over."""
    context = get_script_run_ctx()
    store = STORES.get(context.session_id) if context else None
    if store is None:
        return
    for upload in uploads:
        store.remove(upload.file_id)


def watch_visit() -> None:
    """Have what this visitor drops freed when the visit is over; called at every page."""
    context = get_script_run_ctx()
    if context and runtime.exists():
        _visit(context.session_id, context.session_state)
        if class_settings() is not None:
            here.come(context.session_id, who().id)


class Keep:
    """Take the content out of uploads on their way to Streamlit, which checks them as ever."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session, _, file_id = scope.get("path", "").partition(UPLOAD)[2].partition("/")
        if scope["type"] == "http" and scope["method"] == "PUT" and file_id:
            receive = _without_content(scope, receive, session, file_id)
        elif scope["type"] == "http" and scope["method"] == "DELETE" and session in STORES:
            await run_in_threadpool(STORES[session].remove, file_id)
        await self.app(scope, receive, send)


def _without_content(
    scope: Scope, receive: Receive, session: str, file_id: str
) -> Callable[[], Awaitable[Message]]:
    """Return what Streamlit receives: it asks only once it knows the visitor, and gets a stub."""
    done = False

    async def stub() -> Message:
        nonlocal done
        if done:
            return await receive()
        done = True
        body = await _keep(Request(scope, _bounded(receive)), session, file_id)
        return {"type": "http.request", "body": body, "more_body": False}

    return stub


def _bounded(receive: Receive) -> Receive:
    bound = config.get_option("server.maxUploadSize") * 1024**2 + 1024**2
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > bound:
            raise HTTPException(413, "File too large")
        return message

    return counting


async def _keep(request: Request, session: str, file_id: str) -> bytes:
    """Keep the content of an upload and return the same form with an empty file."""
    lines = []
    boundary = _boundary(request.headers)
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                await run_in_threadpool(_add, session, file_id, value.file)
                shown = (value.filename or "").translate({10: "%0A", 13: "%0D", 34: "%22"})
                kind = value.content_type or "application/octet-stream"
                lines.append(
                    f'--{boundary}\r\nContent-Disposition: form-data; name="{name}";'
                    f' filename="{shown}"\r\nContent-Type: {kind}\r\n\r\n\r\n'
                )
    return ("".join(lines) + f"--{boundary}--\r\n").encode()


def _add(session: str, file_id: str, file: IO[bytes]) -> None:
    try:
        store = store_of(session)
    except DiskError as error:
        raise HTTPException(507, str(error)) from error
    store.add(file_id, file)


def _boundary(headers: Headers) -> str:
    kind = headers.get("content-type", "")
    return kind.partition("boundary=")[2].partition(";")[0].strip().strip('"')
