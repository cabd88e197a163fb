"""Where data come from: folders, zips, drops and Kaggle; and that nothing is written elsewhere."""

import io
import os
import shutil
import stat
import sys
import types
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lymph.data import sources
from lymph.data.read import SUFFIXES
from lymph.data.source import source_of
from lymph.data.sources import (
    DEMO_NAME,
    DataSet,
    add_folder,
    add_uploads,
    add_zip,
    demo_folder,
    fetch_kaggle,
    list_data_sets,
    named_before,
    remove_data_set,
    rename_data_set,
    safe_parts,
)
from lymph.data.walk import walk
from lymph.errors import DataError

GOOD = ["CLL/sj-99-1_001.png", "FL/sj-99-2_001.png"]


def picture(value: int = 100) -> bytes:
    """Return the bytes of a small PNG."""
    file = io.BytesIO()
    Image.fromarray(np.full((4, 5, 3), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def make_zip(names: Iterable[str], content: bytes | None = None) -> io.BytesIO:
    """Return a zip whose members have these names and one content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            data = picture() if content is None else content
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    file.seek(0)
    return file


def files_below(folder: Path) -> set[str]:
    """Return every file and link below a folder, as relative paths."""
    paths = folder.rglob("*")
    return {p.relative_to(folder).as_posix() for p in paths if not p.is_dir() or p.is_symlink()}


def uploads_left(workspace: Path) -> list[Path]:
    """Return the folders of uploads that are on disk."""
    return list((workspace / "data" / "uploads").glob("*"))


def test_a_folder_is_registered_where_it_is(tiny_root: Path, workspace: Path) -> None:
    """The folder is listed under its own name; nothing is copied, nothing in it is changed."""
    before = files_below(tiny_root)
    assert list_data_sets() == []
    found = add_folder(tiny_root)
    assert found == ("tiny", tiny_root.resolve(), False, "")
    assert list_data_sets() == [found]
    assert files_below(tiny_root) == before
    assert files_below(workspace / "data") == set()


def test_a_path_may_be_typed_as_people_paste_it(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quotes, blanks and ~ around a path are understood, and all mean the same data set."""
    monkeypatch.setenv("HOME", str(tiny_root.parent))
    expected = add_folder(tiny_root)
    for text in (f'"{tiny_root}"', f" '{tiny_root}' \n", f"{tiny_root}/", "~/tiny"):
        assert add_folder(text) == expected
    assert list_data_sets() == [expected]


def test_two_folders_of_one_name_are_both_kept(make_tiny: Callable[..., Path]) -> None:
    """The second gets a number, so that neither hides the other."""
    first, second = add_folder(make_tiny("a/set", 1)), add_folder(make_tiny("b/set", 1))
    assert (first.name, second.name) == ("set", "set (2)")
    assert {d.path for d in list_data_sets()} == {first.path, second.path}
    assert add_folder(make_tiny("c/set", 1), sources.DEMO_NAME).name != sources.DEMO_NAME


def test_a_folder_that_is_gone_is_not_listed(tiny_root: Path) -> None:
    """The list holds only what can be opened."""
    add_folder(tiny_root)
    shutil.rmtree(tiny_root)
    assert list_data_sets() == []


def test_a_wrapped_folder_is_unwrapped(make_tiny: Callable[..., Path]) -> None:
    """The classes are found below folders that hold nothing else, hidden ones aside."""
    root = make_tiny("outer/inner/set", 1)
    (root.parents[1] / "__MACOSX").mkdir()
    (root.parents[1] / ".cache").mkdir()
    assert add_folder(root.parents[1]).path == root.resolve()


@pytest.mark.parametrize("text", ["", "  ", '""', "/no/such/folder"])
def test_folders_that_cannot_serve(text: str) -> None:
    """Nothing typed, and a folder that is not there, are the user's errors."""
    with pytest.raises(DataError, match=r"Type the path|There is no folder"):
        add_folder(text)
    assert list_data_sets() == []


@pytest.mark.parametrize("text", ["~nobody-of-this-name/x", "x" * 5000, "a\0b"])
def test_paths_that_the_system_refuses(text: str) -> None:
    """Regression: an unknown user, a path too long and a zero byte ended in a traceback."""
    with pytest.raises(DataError, match=r"cannot be opened .*check the path|There is no folder"):
        add_folder(text)


def test_a_synthetic_folder_says_so(make_tiny: Callable[..., Path]) -> None:
    """The marker file makes the data set synthetic; without it none is."""
    root = make_tiny("demo", 1)
    (root / "SYNTHETIC.txt").write_text("drawn by a computer")
    assert add_folder(root).synthetic
    assert source_of(root).look().not_read == [], "its own mark is nothing that was overlooked"
    assert not add_folder(make_tiny("real", 1)).synthetic


@pytest.mark.parametrize("prefix", ["", "wrap/", "a/b/"])
def test_a_zip_becomes_a_data_set(workspace: Path, prefix: str) -> None:
    """Its pictures lie in the workspace, unchanged, under the zip's name; wrappers are opened."""
    seen: list[tuple[int, int]] = []
    names = [prefix + name for name in GOOD]
    found = add_zip("My set.zip", make_zip(names), lambda done, total: seen.append((done, total)))
    assert found.name == "My set" and not found.synthetic
    assert walk(found.path).pictures == GOOD
    assert workspace / "data" / "uploads" in found.path.parents
    assert (found.path / GOOD[0]).read_bytes() == picture()
    assert seen == [(1, 2), (2, 2)]
    assert list_data_sets() == [found]


def test_a_zip_of_the_demonstration_set_stays_synthetic() -> None:
    """Regression: the marker was left behind, and computer-drawn pictures passed for real ones."""
    assert add_zip("demo.zip", make_zip(["demo/SYNTHETIC.txt", *("demo/" + n for n in GOOD)]))[2]


def test_what_is_not_wanted_stays_in_the_zip() -> None:
    """Macintosh copies, hidden files, programs and folders are passed over, nested ones too."""
    unwanted = [
        "__MACOSX/CLL/._sj-99-1_001.png", "CLL/__MACOSX/sj-99-1_001.png", "CLL/._sj-99-1_001.png",
        ".git/x.png", "CLL/run.exe", "CLL/readme", "EMPTY/", "FL/.x/y.png", "index.html",
    ]  # fmt: skip
    found = add_zip("x.zip", make_zip([*unwanted, *GOOD]))
    assert files_below(found.path) == set(GOOD)


def test_a_hostile_zip_writes_nothing_outside(tmp_path: Path, workspace: Path) -> None:
    """Dots, absolute names, drive letters and back-slashes never leave the upload's folder."""
    hostile = [
        "../evil.png", "CLL/../../../../evil.png", "/evil.png", str(tmp_path / "evil.png"),
        "..\\evil.png", "C:\\evil.png", "\\\\host\\share\\evil.png", "CLL/..\\..\\evil.png",
        "C:evil.png", "./../evil.png",
    ]  # fmt: skip
    found = add_zip("../../evil.zip", make_zip([*hostile, *GOOD]))
    assert files_below(found.path) == set(GOOD)
    assert not list(tmp_path.rglob("evil*")) and not list(workspace.parent.rglob("evil*"))
    assert not Path("/evil.png").exists() and not Path("evil.png").exists()
    beside = files_below(workspace.parent) - {f"workspace/{n}" for n in files_below(workspace)}
    assert not beside and not files_below(tmp_path)


def test_links_in_a_zip_are_not_followed(tmp_path: Path) -> None:
    """A link becomes a plain file; what is written 'through' it does not land at its target."""
    outside = tmp_path / "outside"
    outside.mkdir()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, target in (("CLL/link.png", "/etc/passwd"), ("FL/away.png", str(outside))):
            link = zipfile.ZipInfo(name)
            link.create_system = 3
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, target)
        for name in GOOD:
            archive.writestr(name, picture())
    found = add_zip("links.zip", file)
    assert not any(path.is_symlink() for path in found.path.rglob("*"))
    assert (found.path / "CLL" / "link.png").read_bytes() == b"/etc/passwd"

    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        link = zipfile.ZipInfo("FL/away.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(outside))
        archive.writestr("FL/away.png/through.png", picture())
    with pytest.raises(DataError, match="cannot be unpacked"):
        add_zip("through.zip", file)
    assert list(outside.iterdir()) == []


def encrypted() -> bytes:
    """Return a zip whose members say that they are encrypted."""
    data = bytearray(make_zip(GOOD).getvalue())
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + flag] |= 1
            place = data.find(mark, place + 4)
    return bytes(data)


def unknown_method() -> bytes:
    """Return a zip packed by a method that Python does not know (Deflate64)."""
    data = bytearray(make_zip(GOOD).getvalue())
    for mark, field in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.find(mark)
        while place >= 0:
            data[place + field] = 9
            place = data.find(mark, place + 4)
    return bytes(data)


def spoilt() -> bytes:
    """Return a deflated zip whose packed bytes are damaged."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in GOOD:
            archive.writestr(name, bytes(range(256)) * 40)
    data = bytearray(file.getvalue())
    data[60:90] = b"\xff" * 30
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be unpacked"),
        (b"no zip", "cannot be unpacked.*not a zip"),
        (make_zip(GOOD).getvalue()[:-30], "cannot be unpacked"),
        (make_zip([]).getvalue(), "not hold any pictures.*two class folders"),
        (make_zip(["CLL/a.gif"]).getvalue(), "not hold any pictures"),
        (encrypted(), "encrypted; unpack it"),
        (unknown_method(), "cannot be unpacked.*compression method"),
        (spoilt(), "cannot be unpacked"),
    ],
    ids=["empty", "text", "cut", "nothing in it", "no picture", "encrypted", "method",
         "spoilt"],
)  # fmt: skip
def test_zips_that_cannot_serve(workspace: Path, content: bytes, reason: str) -> None:
    """Each is refused with its own reason and leaves neither files nor an entry behind.

    Regression: an unknown method was told to be encryption, and spoilt bytes (zlib.error) ended in
    a traceback.
    """
    with pytest.raises(DataError, match=reason):
        add_zip("x.zip", io.BytesIO(content))
    assert uploads_left(workspace) == [] and list_data_sets() == []


def test_a_zip_bomb_stops_at_the_bound(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are counted as they come out, not as the zip claims; what came out is deleted."""
    bomb = make_zip(GOOD, bytes(3_000_000))
    assert len(bomb.getvalue()) < 20_000
    monkeypatch.setattr(sources, "MAX_BYTES", 7_000_000)
    assert add_zip("x.zip", bomb)
    monkeypatch.setattr(sources, "MAX_BYTES", 5_000_000)
    with pytest.raises(DataError, match="unpack it yourself"):
        add_zip("x.zip", make_zip(GOOD, bytes(3_000_000)))
    assert len(uploads_left(workspace)) == 1


@pytest.mark.parametrize("content", [b"x", b""])
def test_too_many_files_stop_at_the_bound(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """Files are counted, empty ones too. Regression: any number of empty files came through."""
    monkeypatch.setattr(sources, "MAX_FILES", 10)
    names = [f"{label}/{i}.png" for label in ("CLL", "FL") for i in range(5)]
    assert len(walk(add_zip("x.zip", make_zip(names, content)).path).pictures) == 10
    for add in (
        lambda: add_zip("y.zip", make_zip([*names, "FL/6.png"], content)),
        lambda: add_uploads("y", [(name, content) for name in [*names, "FL/6.png"]]),
    ):
        with pytest.raises(DataError, match="more than 10 files"):
            add()
    assert len(uploads_left(workspace)) == 1


def test_dropped_files_become_a_data_set(workspace: Path) -> None:
    """Dropped paths keep their folders; hostile and unwanted ones are passed over."""
    files = [*GOOD, "../evil.png", "/evil.png", "CLL/notes.txt", "__MACOSX/CLL/a.png"]
    found = add_uploads("", [(f"set/{n}" if n in GOOD else n, picture()) for n in files])
    assert found.name == "Uploaded pictures"
    assert files_below(found.path) == set(GOOD)
    assert add_uploads("", [(n, picture()) for n in GOOD]).name == "Uploaded pictures (2)"
    inside = {f"workspace/{name}" for name in files_below(workspace)}
    assert files_below(workspace.parent) == inside


@pytest.mark.parametrize(
    "names", [["CLL/" + "x" * 300 + ".png", *GOOD], ["CLL/a.png", "CLL/a.png/b.png", *GOOD]]
)
def test_drops_that_the_disk_refuses(workspace: Path, names: list[str]) -> None:
    """Regression: a name too long, or a file and a folder of one name, ended in a traceback."""
    with pytest.raises(DataError, match="cannot be kept"):
        add_uploads("drop", [(name, picture()) for name in names])
    assert uploads_left(workspace) == []


@given(name=st.text(max_size=40) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "C:", "CLL", " ", "a.png", "\0", "~", "__MACOSX", "x."])
).map("".join))  # fmt: skip
def test_safe_parts_never_lead_out(name: str) -> None:
    """Whatever the name, the parts are plain names that stay below the folder they join."""
    parts = safe_parts(name + ".png")
    if parts is None:
        return
    joined = Path("/base").joinpath(*parts)
    assert Path(os.path.normpath(joined)) == joined and Path("/base") in joined.parents
    assert joined.suffix.lower() in SUFFIXES
    for part in parts:
        assert part and part not in (".", "..")
        assert not set(part) & set('<>:"/\\|?*\0\n\t') and not part.startswith(".")


def test_safe_parts_keep_ordinary_names() -> None:
    """Ordinary names, accents and blanks go through; what Windows forbids is replaced."""
    assert safe_parts("CLL/sj-05-3165_002.tif") == ("CLL", "sj-05-3165_002.tif")
    assert safe_parts("FL\\Präparat 1.JPG") == ("FL", "Präparat 1.JPG")
    assert safe_parts("./FL/a?.png") == ("FL", "a_.png")
    assert safe_parts("FL /a.png") == ("FL", "a.png")


def test_removing_an_upload_deletes_it(workspace: Path) -> None:
    """The whole upload goes, its wrapper too; the other uploads stay."""
    gone = add_zip("gone.zip", make_zip(["wrap/" + name for name in GOOD]))
    kept = add_zip("kept.zip", make_zip(GOOD))
    remove_data_set(gone.name)
    assert list_data_sets() == [kept]
    assert uploads_left(workspace) == [kept.path]
    assert walk(kept.path).pictures == GOOD


def test_removing_a_folder_only_forgets_it(tiny_root: Path, workspace: Path) -> None:
    """A registered folder keeps every file, wherever it lies; unknown names do no harm."""
    inside = workspace / "data" / "own"
    shutil.copytree(tiny_root, inside)
    before = files_below(tiny_root)
    for root in (tiny_root, inside):
        remove_data_set(add_folder(root).name)
        assert files_below(root) == before
    remove_data_set("never heard of")
    assert list_data_sets() == []


def test_a_folder_linked_among_the_uploads_is_not_deleted(tiny_root: Path, workspace: Path) -> None:
    """A link in the uploads to somebody's folder leads to no deletion."""
    uploads = workspace / "data" / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "link").symlink_to(tiny_root, target_is_directory=True)
    remove_data_set(add_folder(uploads / "link").name)
    assert len(walk(tiny_root).pictures) == 36


def fake_kagglehub(monkeypatch: pytest.MonkeyPatch, download: Callable[[str], str]) -> None:
    """Put a module in place of kagglehub, so that no test asks the network."""
    module = types.ModuleType("kagglehub")
    module.dataset_download = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    monkeypatch.setenv("KAGGLEHUB_CACHE", "unused")


def test_offline_the_address_and_the_place_are_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without network the error tells where to fetch by hand and where to put it."""

    def refuse(handle: str) -> str:
        raise ConnectionError("Max retries exceeded with url: /api/v1/datasets")

    fake_kagglehub(monkeypatch, refuse)
    with pytest.raises(DataError) as caught:
        fetch_kaggle()
    text = str(caught.value)
    assert "https://www.kaggle.com/datasets/andrewmvd/malignant-lymphoma-classification" in text
    assert str(workspace / "data" / "lymphoma") in text
    assert "CLL, FL and MCL" in text and "ConnectionError" in text
    assert list_data_sets() == []


def test_without_kagglehub_the_same_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is no other error than a missing network."""
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    monkeypatch.setenv("KAGGLEHUB_CACHE", "unused")
    with pytest.raises(DataError, match="By hand: download"):
        fetch_kaggle()


def test_what_kaggle_gives_is_registered(
    make_tiny: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder fetched is unwrapped and listed under its own name, asked for by its handle."""
    root = make_tiny("versions/1/data", 1)
    asked: list[str] = []
    fake_kagglehub(monkeypatch, lambda handle: asked.append(handle) or str(root.parents[1]))
    found = fetch_kaggle()
    assert asked == [sources.KAGGLE_HANDLE]
    assert found == (sources.REAL_NAME, root.resolve(), False, "")
    assert fetch_kaggle() == found and list_data_sets() == [found]


def test_the_demonstration_set_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made when missing, listed first and synthetic, and not made again."""
    made: list[Path] = []

    def fake(folder: Path, progress: object = None, first: object = ()) -> Path:
        made.append(folder)
        folder.mkdir(parents=True)
        (folder / "SYNTHETIC.txt").write_text("drawn by a computer")
        return folder

    monkeypatch.setattr(sources, "make_demo", fake)
    assert not sources.demo_ready()
    first = sources.make_demonstration()
    assert sources.make_demonstration() == first
    assert made == [sources.demo_folder()]
    assert list_data_sets() == [first] and first.synthetic


def test_a_name_can_be_changed_but_not_to_any(make_tiny: Callable[..., Path]) -> None:
    """The same folder opened again, and a link with an older name, lead to the renamed set."""
    one, two = add_folder(make_tiny("one", 1)), add_folder(make_tiny("two", 1))
    for bad in ("", " \n", "x" * 81, "TWO", "demonstration set"):
        with pytest.raises(DataError, match="name"):
            rename_data_set(one, bad)
    second = rename_data_set(rename_data_set(one, "second"), "third")
    assert add_folder(one.path) == second == list_data_sets()[0]
    for former in ("one", "second"):
        assert named_before(former, list_data_sets()) == second
    back = rename_data_set(second, "one")
    assert named_before("one", [back]) is None, "it is called so"
    rename_data_set(two, "second")
    remove_data_set("one")
    assert named_before("third", list_data_sets()) is None


def test_the_demonstration_set_keeps_its_name(workspace: Path) -> None:
    """Its runs and the start page find it by its name."""
    with pytest.raises(DataError, match="keeps its name"):
        rename_data_set(DataSet(DEMO_NAME, demo_folder(), True), "mine")
