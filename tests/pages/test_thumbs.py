"""Small pictures are asked for by addresses that only those know who were shown them."""

import io
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from starlette.responses import HTMLResponse
from starlette.types import Message

from lymph import workspace as places
from lymph.data.ahead import LINE_HEIGHT
from lymph.synthetic import begun_file
from lymph.synthetic.coming import MAKING
from pages.shared import thumbs
from pages.shared.thumbs import PLACE, Thumbs, addresses_of, addresses_to_come, strip_address
from tests.waiting import PATIENCE, run_async

PICTURES = ["FL/sj-99-21_001.png", "CLL/sj-99-11_001.png"]
PAGE = "<html></html>"


def ask(path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """Ask for a path; return the answer's status, headers and body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    run_async(Thumbs(HTMLResponse(PAGE))(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), body


@pytest.mark.parametrize("before", ["/", "/behind/a/proxy/"])
def test_a_picture_that_was_shown_is_there_and_kept(tiny_root: Path, before: str) -> None:
    first, second = addresses_of(tiny_root, PICTURES, 24)
    assert first != second
    status, headers, body = ask(before + first)
    assert (status, headers[b"content-type"]) == (200, b"image/jpeg")
    assert b"immutable" in headers[b"cache-control"]
    assert Image.open(io.BytesIO(body)).size == (32, 24)


def test_pictures_side_by_side_are_sent_from_memory_from_the_second_time_on(
    tiny_root: Path,
) -> None:
    """Regression: thirty who opened Split had the strip of each patient looked up each time."""
    address = strip_address(tiny_root, PICTURES, "as first read")
    first = ask("/" + address)
    assert (first[0], first[1][b"content-type"]) == (200, b"image/webp")
    assert Image.open(io.BytesIO(first[2])).height == LINE_HEIGHT
    shutil.rmtree(tiny_root)
    shutil.rmtree(places.cache_home())
    assert ask("/" + address) == first
    assert strip_address(tiny_root, PICTURES, "as read again") != address


def test_a_cache_that_was_deleted_is_filled_again(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open page names pictures whose small copies are gone: they are made again."""
    (address,) = addresses_of(tiny_root, PICTURES[:1], 24)
    before = ask("/" + address)
    shutil.rmtree(places.cache_home())
    assert ask("/" + address) == before, "what was asked for lately is in memory"
    monkeypatch.setattr(thumbs, "_contents", type(thumbs._contents)())
    assert ask("/" + address) == before


def test_a_picture_that_is_being_drawn_comes_as_soon_as_it_is_there(tmp_path: Path) -> None:
    """Regression: who opened the first results waited until all 374 pictures were drawn."""
    root, making = tmp_path / "demo", tmp_path / f".demo-1{MAKING}"
    begun_file(root).touch()
    early, late = addresses_to_come(root, PICTURES, 24)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask, f"/{address}") for address in (early, late)]
        draw(making / PICTURES[0])
        assert Image.open(io.BytesIO(waiting[0].result(PATIENCE)[2])).size == (32, 24)
        assert not waiting[1].done()
        draw(making / PICTURES[1])
        making.rename(root)
        status, _, body = waiting[1].result(PATIENCE)
    assert (status, Image.open(io.BytesIO(body)).size) == (200, (32, 24))


@pytest.mark.parametrize("killed", [True, False])
def test_a_picture_that_never_comes_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """Its drawing was killed, or has ended without it."""
    root = tmp_path / "demo"
    begun_file(root).touch()
    draw(tmp_path / f".demo-1{MAKING}" / PICTURES[1])
    (address,) = addresses_to_come(root, PICTURES[:1], 24)
    if killed:
        monkeypatch.setattr(thumbs, "LONGEST_PAUSE", 0.5)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, f"/{address}")
        if not killed:
            (tmp_path / f".demo-1{MAKING}").rename(root)
        assert waiting.result(PATIENCE)[0] == 404


def draw(file: Path) -> None:
    file.parent.mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(file)


def test_a_picture_that_changed_has_another_address(tiny_root: Path) -> None:
    """Else a browser would show the old one for a day."""
    before = addresses_of(tiny_root, PICTURES[:1], 24)
    Image.new("RGB", (64, 48)).save(tiny_root / PICTURES[0])
    assert addresses_of(tiny_root, PICTURES[:1], 24) != before


def test_nobody_guesses_an_address_and_what_is_gone_is_told(tiny_root: Path) -> None:
    (address,) = addresses_of(tiny_root, PICTURES[:1], 24)
    for guessed in (f"{PLACE}../{PICTURES[0]}", PLACE, f"{PLACE}{'0' * 32}"):
        status, _, body = ask("/" + guessed)
        assert (status, body) == (404, thumbs.GONE.encode())
    shutil.rmtree(tiny_root)
    shutil.rmtree(places.cache_home())
    assert ask("/" + address)[0] == 404


def test_everything_else_goes_through() -> None:
    for path in ("/", "/data", "/_stcore/health", f"/{PLACE}".rstrip("/")):
        assert ask(path) == (200, ask("/")[1], PAGE.encode())


def test_the_memory_that_pictures_take_is_bounded(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = addresses_of(tiny_root, PICTURES, 24)
    sizes = [len(ask("/" + address)[2]) for address in addresses]
    monkeypatch.setattr(thumbs, "_contents", type(thumbs._contents)())
    monkeypatch.setattr(thumbs, "MOST_BYTES", sum(sizes) - 1)
    for address in addresses:
        ask("/" + address)
    assert list(thumbs._contents) == [addresses[1].removeprefix(PLACE)]
