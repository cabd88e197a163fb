"""What is dropped goes to the disk on its way, is read from there, and leaves nothing behind."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from streamlit import config

from lymph.classroom import here, pictures
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import join, visitor_of
from lymph.data import sources
from lymph.errors import DataError
from pages.shared import drops
from pages.shared.drops import Keep, Store, Visit, forget, store_of
from tests.waiting import run_async

PAGES = Path(__file__).parents[2] / "pages"
CONTENT = bytes(range(256)) * 5_000


@pytest.fixture
def small_bound() -> Any:
    """Let one visit hold a megabyte."""
    before = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 1)
    yield
    config.set_option("server.maxUploadSize", before)


def form(name: str, content: bytes) -> tuple[bytes, bytes]:
    """Return a browser's upload: the kind of its content, and the content."""
    head = f'--xyz\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    body = (head + "Content-Type: application/zip\r\n\r\n").encode() + content + b"\r\n--xyz--\r\n"
    return b"multipart/form-data; boundary=xyz", body


def send_upload(
    name: str, content: bytes, session: str = "one", file_id: str = "f1"
) -> SimpleNamespace:
    """Send an upload through ``Keep`` and return the file that Streamlit would get."""
    kind, body = form(name, content)
    pieces = [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
    got: list[Any] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        pass

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        (file,) = (await Request(scope, receive).form()).values()
        got.append(SimpleNamespace(name=file.filename, content=await file.read()))
        await PlainTextResponse("")(scope, receive, send)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": f"/_stcore/upload_file/{session}/{file_id}",
        "headers": [(b"content-type", kind)],
        "query_string": b"",
    }
    run_async(Keep(streamlit)(scope, receive, send))
    return got[0]


@pytest.fixture(autouse=True)
def no_stores() -> Any:
    """Let no test see what another has dropped."""
    yield
    for session in list(drops.STORES):
        forget(Visit(session, SimpleNamespace(filtered_state={})))


def test_streamlit_gets_the_name_and_the_disk_the_content(workspace: Path) -> None:
    """Regression: 300 MB dropped took 600 MB more, and 300 MB stayed after the visit."""
    name = "Schnitt &quot; ü 😀.zip"
    got = send_upload(name, CONTENT)
    assert (got.name, got.content) == (name, b"")
    file = store_of("one").open("f1")
    assert file and file.read() == CONTENT
    left = [path.name for path in workspace.iterdir() if path.name != "cache"]
    assert left == [], "a name on the disk would stay after a kill"


def test_files_of_a_visit_are_told_apart_and_read_like_any_file() -> None:
    """Zip and picture readers seek to and fro; two readers do not disturb each other."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", CONTENT)
    store = Store()
    store.add("first", io.BytesIO(b"before"))
    store.add("zip", packed)
    store.add("last", io.BytesIO(b"after"))
    one, other = store.open("zip"), store.open("zip")
    assert one and other
    with zipfile.ZipFile(one) as archive, zipfile.ZipFile(other) as again:
        assert archive.read("a.png") == again.read("a.png") == CONTENT
    first, last = store.open("first"), store.open("last")
    assert first and last
    assert first.read() == b"before" and last.read() == b"after"
    assert last.seek(-2, io.SEEK_END) == 3 and last.read(9) == b"er" and last.read() == b""
    assert store.open("none") is None


def test_what_is_taken_over_is_freed() -> None:
    """The space is free once the visit holds no other file, and once the visit is over."""
    store = store_of("one")
    for name in ("a", "b"):
        store.add(name, io.BytesIO(CONTENT))
    store.remove("a")
    assert store.open("a") is None
    file = store.open("b")
    assert file and file.read() == CONTENT
    store.remove("b")
    assert store.bytes_on_disk() == 0
    answers = {"answers": "kept"}
    forget(Visit("one", _State(answers)))
    assert "one" not in drops.STORES and answers == {}


def test_what_a_visitor_of_a_class_uploaded_goes_with_the_last_visit(
    in_class: Callable[..., ClassSettings], tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload is another visit of the same visitor: what was uploaded stays."""
    in_class()
    monkeypatch.setattr(here, "GONE_SECONDS", 0.0)
    anna = join(visitor_of("a token"), "Anna")
    files = [(path.relative_to(tiny_root).as_posix(), path) for path in tiny_root.rglob("*.png")]
    given = ((name, path.read_bytes()) for name, path in files)
    data_set = pictures.upload(anna, sources.add_uploads, "mine", given)
    for session, visitor in (("before", anna.id), ("after", anna.id), ("other", "someone else")):
        here.come(session, visitor)
    for session, stays in (("before", True), ("other", True), ("after", False)):
        forget(Visit(session, _State({})))
        assert data_set.path.exists() == stays
    assert pictures.data_sets(anna) == []


class _State:
    """A session's memory, as Streamlit hands it out."""

    def __init__(self, kept: dict[str, str]) -> None:
        self.kept = kept

    @property
    def filtered_state(self) -> dict[str, str]:
        return dict(self.kept)

    def __delitem__(self, key: str) -> None:
        del self.kept[key]


def test_a_visit_holds_no_more_than_its_bound(small_bound: None) -> None:
    """The sentence comes where the file is opened; what was there before stays."""
    send_upload("a.zip", CONTENT[:800_000], file_id="a")
    send_upload("b.zip", CONTENT[:800_000], file_id="b")
    assert store_of("one").open("a")
    with pytest.raises(DataError, match="One visit can hold 1 MB"):
        store_of("one").open("b")


def test_every_page_reads_uploads_from_where_they_are_kept() -> None:
    """What Streamlit itself holds of an upload is empty."""
    for page in PAGES.rglob("*.py"):
        source = page.read_text()
        if re.search(r"\.(file_uploader|camera_input)\(", source):
            assert "pages.shared.drops import" in source, page
            assert not re.search(r"\b(u|uploads?|shot)\.(getvalue|read)\(", source), page
