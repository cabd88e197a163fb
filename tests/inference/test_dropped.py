"""Zips that were dropped: opened in memory, within bounds, and every refusal has its sentence."""

import io
import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from lymph.errors import PictureError
from lymph.inference import dropped
from lymph.inference.dropped import unpack_drop


def zip_of(members: dict[str, bytes], way: int = zipfile.ZIP_DEFLATED) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", way) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, way)
    return bytearray(file.getvalue())


def problems(data: bytes) -> list[str]:
    return [one.problem for one in unpack_drop("a.zip", io.BytesIO(data))]


def test_a_picture_is_itself() -> None:
    """What is no zip passes unopened, with its name as it came."""
    (one,) = unpack_drop("../x.png", io.BytesIO(b"bytes"))
    assert one.name == "../x.png" and not one.problem
    assert one.open is not None and one.open() == b"bytes"


def test_good_members_are_read_in_any_order_and_again() -> None:
    """Names in any script and with markup come through as they are; nothing is on the disk."""
    names = ["CLL/図.png", "<b>*x*.tif", "a/b/c.JPG"]
    found = unpack_drop("a.zip", io.BytesIO(zip_of({name: name.encode() for name in names})))
    assert [one.name for one in found] == [f"a.zip › {name}" for name in names]
    for one, name in reversed(list(zip(found, names, strict=True))):
        assert one.open is not None
        assert one.open() == one.open() == name.encode()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.png", "points out of the zip"),
        ("a/../../evil.png", "points out of the zip"),
        ("..\\evil.png", "points out of the zip"),
        ("/etc/evil.png", "points out of the zip"),
        ("\\\\host\\evil.png", "points out of the zip"),
        ("C:/evil.png", "points out of the zip"),
        ("inner.zip", "A zip inside a zip"),
        ("notes.txt", "not that of a PNG"),
        ("slide.svs", "not that of a PNG"),
    ],
)
def test_names_that_are_refused(name: str, words: str, tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
    """Each says why; nothing is written anywhere."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    (problem,) = problems(zip_of({name: b"x"}))
    assert words in problem
    assert not list(empty.iterdir())


def test_folders_and_hidden_files_go_without_a_word() -> None:
    """The Mac's copies, hidden files and folders are nobody's pictures."""
    members = {"__MACOSX/a.png": b"", ".DS_Store": b"", "a/.b.png": b"", "folder/": b""}
    assert problems(zip_of(members)) == ["There is no picture in this zip."]
    assert len(problems(zip_of({**members, "a.png": b"x"}))) == 1


def test_links_are_not_followed() -> None:
    """A symbolic link is told, whatever it points to."""
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    (problem,) = problems(file.getvalue())
    assert "link to another file" in problem


def test_an_encrypted_zip_says_so() -> None:
    """The bit that says so is set by hand: the library does not encrypt."""
    data = zip_of({"a.png": b"x" * 50})
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    (problem,) = problems(data)
    assert "encrypted" in problem


def test_a_bomb_stops_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it claims, and by what it is when it claims less."""
    monkeypatch.setattr(dropped, "MAX_MEMBER_BYTES", 1000)
    data = zip_of({"bomb.png": bytes(2_000_000)})
    (problem,) = problems(data)
    assert "unpacks to more than" in problem
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = struct.pack("<I", 500)
    (liar,) = unpack_drop("a.zip", io.BytesIO(data))
    assert not liar.problem and liar.open is not None
    with pytest.raises(PictureError, match="unpack"):
        liar.open()


def test_a_list_of_a_million_names_is_not_read() -> None:
    """The list's own length is looked at first."""
    data = zip_of({"a.png": b"x"})
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 2**31)
    assert "more than 20,000 files" in problems(data)[0]


@pytest.mark.parametrize("cut", [10, 60, 100])
def test_damaged_zips_say_so(cut: int) -> None:
    """Cut short, or with a content that does not unpack."""
    noise = random.Random(0).randbytes(500)
    data = zip_of({"a.png": noise, "b.png": noise})
    assert "damaged" in problems(data[:-cut])[0]
    data[45:50] = b"\xff" * 5
    first = unpack_drop("a.zip", io.BytesIO(data))[0]
    assert first.open is not None
    with pytest.raises(PictureError, match="damaged"):
        first.open()


def test_unusual_packing_is_told() -> None:
    """LZMA may claim a dictionary of 4 GB before the first byte."""
    assert "unusual way" in problems(zip_of({"a.png": b"x" * 99}, zipfile.ZIP_LZMA))[0]


def test_a_member_without_a_name_is_told() -> None:
    """Found by fuzzing: an empty name made zipfile itself raise an IndexError."""
    data = zip_of({"a.png": b"x", "b.png": b"y"})
    for signature, offset in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        place = data.index(signature)
        name = place + (30 if offset == 26 else 46)
        data[place + offset : place + offset + 2] = b"\0\0"
        data[name : name + 5] = b""
    end = data.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<II", data, end + 12)
    struct.pack_into("<II", data, end + 12, size - 5, start - 5)
    assert "has no name" in problems(data)[0]
