"""A full disk and a workspace that is closed to writing: a sentence, and nothing left behind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lymph import workspace as lymph_workspace

# Tried on a disk of two megabytes, then on the same disk closed to writing. A process of its own:
# a mapped page without room would kill it (SIGBUS).
SCRIPT = """
import io, json, os, subprocess, sys, zipfile
from pathlib import Path
from lymph import database, workspace
from lymph.data import exclusions, sources
from lymph.data.pixels import load_pixels
from lymph.data.source import source_of
from lymph.data.walk import walk
from lymph.errors import LymphError

root, home = Path(sys.argv[1]), workspace.home()

def refused(work):
    try:
        work()
    except LymphError as error:
        files = [path for path in home.rglob("*") if path.is_file()]
        left = [str(path) for path in files if not path.name.startswith("shared.sqlite3")]
        return {"words": str(error), "left": left, "type": type(error).__name__}
    return {"words": "", "left": [], "type": ""}

def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(30):
            archive.writestr(f"CLL/{number}.png", bytes(100_000))
    return file

works = {
    "pixels": lambda: load_pixels(root, walk(root).pictures, (224, 224), False),
    "demonstration": sources.make_demonstration,
    "zip": lambda: sources.add_zip("a.zip", zipped()),
    "drop": lambda: sources.add_uploads("a", ((f"CLL/{n}.png", bytes(10**5)) for n in range(30))),
    "exclusions": lambda: exclusions.exclude(root, {"a.png": "x" * 3_000_000}),
}
exclusions.exclude(root, {"CLL/0.png": "blurred"})
said = {"full": {name: refused(work) for name, work in works.items()}}
(home / "old" / "data").mkdir(parents=True)
(home / "old" / "data" / "data-sets.json").write_text(json.dumps({"mine": str(root)}))
subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
said["closed"] = {name: refused(work) for name, work in works.items()}
database._sound.clear()
said["read"] = [source_of(root).look().source.excluded]
os.environ["LYMPH_HOME"] = str(home / "old")
said["read"] += [one.name for one in sources.list_data_sets()]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict]]:
    """Return what was said on a small disk, or skip where none may be mounted."""
    from PIL import Image

    if not shutil.which("unshare"):
        pytest.skip("no small disk can be mounted here")
    place, root = tmp_path_factory.mktemp("disk"), tmp_path_factory.mktemp("pictures")
    for label in ("CLL", "FL"):
        (root / label).mkdir()
        for number in range(10):
            Image.new("RGB", (64, 48), (number, 0, 0)).save(root / label / f"{number}.png")
    mount = f"mount -t tmpfs -o size=2m tmpfs {place}"
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*inside, mount], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    done = subprocess.run(
        [*inside, f'{mount} && exec "$@"', "sh", sys.executable, "-c", SCRIPT, root],
        env={**os.environ, "LYMPH_HOME": str(place), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"ended by {done.returncode}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


WORKS = ["pixels", "demonstration", "zip", "drop", "exclusions"]


@pytest.mark.parametrize("work", WORKS)
def test_a_full_disk_is_said_and_nothing_is_left_behind(
    said: dict[str, dict[str, dict]], work: str
) -> None:
    """Regression: cached pixels that did not fit killed the process by SIGBUS without a word."""
    told = said["full"][work]
    assert told["type"] == "DiskError"
    assert "The disk is full" in told["words"] and "MB are free" in told["words"]
    assert not [file for file in told["left"] if not file.endswith(".lock")]


def test_a_full_disk_says_how_much_is_needed(said: dict[str, dict[str, dict]]) -> None:
    """The pixels of 20 pictures and an unpacked zip are known before they are written."""
    assert "3.0 MB are needed" in said["full"]["pixels"]["words"]
    assert "3.0 MB are needed" in said["full"]["zip"]["words"]


@pytest.mark.parametrize("work", WORKS)
def test_a_workspace_closed_to_writing_is_said(said: dict[str, dict[str, dict]], work: str) -> None:
    """Regression: a read-only workspace ended in a traceback."""
    told = said["closed"][work]
    assert told["type"] == "DiskError"
    assert "cannot be written to (Read-only file system)" in told["words"]
    assert "LYMPH_HOME" in told["words"]


def test_what_may_only_be_read_is_read(said: dict[str, dict[str, dict]]) -> None:
    """Pictures, decisions, and the lists of an earlier version, which cannot be taken over."""
    assert said["read"] == [{"CLL/0.png": "blurred"}, "mine"]


def test_without_the_systems_help_space_is_set_aside_by_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a system cannot reserve, the whole file is written; what was in it stays."""
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    file = tmp_path / "sparse"
    with file.open("wb") as opened:
        opened.write(b"head")
        opened.truncate(3_000_001)
    assert file.stat().st_blocks * 512 < 1_000_000
    lymph_workspace.reserve(file)
    assert file.stat().st_size == 3_000_001
    assert file.stat().st_blocks * 512 >= 3_000_001
    assert file.read_bytes()[:5] == b"head\0"
