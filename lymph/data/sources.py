"""Where data sets come from: the demonstration set, folders, zips, dropped files and Kaggle."""

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from lymph import workspace
from lymph.data.demo import make_demo
from lymph.data.parallel import Progress
from lymph.data.read import SUFFIXES
from lymph.data.scan import find_pictures
from lymph.errors import DataError

DEMO_NAME = "Demonstration set"
REAL_NAME = "Lymphoma (Kaggle)"
MARKER = "SYNTHETIC.txt"

KAGGLE_HANDLE = "andrewmvd/malignant-lymphoma-classification"
KAGGLE_SIZE = "about 1.5 GB"

# What may come out of an archive or a drop; a zip bomb or a wrong folder ends here.
MAX_FILES = 200_000
MAX_BYTES = 20 * 1024**3


class DataSet(NamedTuple):
    """A named folder of pictures; ``synthetic`` when its pictures are computer drawn."""

    name: str
    path: Path
    synthetic: bool


def demo_folder() -> Path:
    """Return where the demonstration set lives in the workspace."""
    return workspace.data_home() / "demonstration"


def demo_ready() -> bool:
    """Tell whether the demonstration set has been made."""
    return is_synthetic(demo_folder())


def make_demonstration(progress: Progress | None = None) -> DataSet:
    """Make the demonstration set in the workspace unless it is there."""
    if not demo_ready():
        make_demo(demo_folder(), progress=progress)
    return DataSet(DEMO_NAME, demo_folder(), True)


def is_synthetic(root: Path | str) -> bool:
    """Tell whether a folder carries the marker of computer-drawn pictures."""
    return (Path(root) / MARKER).is_file()


def _register() -> Path:
    return workspace.data_home() / "data-sets.json"


def _registered() -> dict[str, str]:
    try:
        return workspace.read_json(_register())
    except (OSError, ValueError):
        return {}


def list_data_sets() -> list[DataSet]:
    """List the demonstration set, when made, and every registered folder that still exists."""
    known = [DataSet(DEMO_NAME, demo_folder(), True)] if demo_ready() else []
    for name, path in _registered().items():
        if Path(path).is_dir():
            known.append(DataSet(name, Path(path), is_synthetic(path)))
    return known


def _free_name(name: str) -> str:
    taken = {data_set.name for data_set in list_data_sets()} | {DEMO_NAME}
    count = 2
    free = name
    while free in taken:
        free, count = f"{name} ({count})", count + 1
    return free


def add_folder(path: Path | str, name: str = "") -> DataSet:
    """Register a folder of class folders; its pictures stay where they are.

    Raises
    ------
    DataError
        When it does not hold at least two class folders with pictures.
    """
    text = str(path).strip().strip("\"'")
    if not text:
        raise DataError("Type the path of a folder that holds one sub-folder a class.")
    try:
        root = class_root(Path(text).expanduser().resolve())
    except (OSError, RuntimeError, ValueError) as error:  # no such user, too long, no permission
        raise DataError(f"{text[:200]} cannot be opened ({error}); check the path.") from error
    for data_set in list_data_sets():
        if data_set.path == root:
            return data_set
    given = _free_name(name or root.name)
    workspace.write_json(_register(), {**_registered(), given: str(root)})
    return DataSet(given, root, is_synthetic(root))


def class_root(folder: Path) -> Path:
    """Return the folder whose sub-folders are the classes: this one, or its only sub-folder.

    Archives often wrap everything into one folder more.

    Raises
    ------
    DataError
        When neither holds at least two class folders with pictures.
    """
    try:
        find_pictures(folder)
        return folder
    except DataError as error:
        inner = [p for p in folder.iterdir() if p.is_dir()] if folder.is_dir() else []
        inner = [p for p in inner if not p.name.startswith((".", "__"))]
        if len(inner) != 1:
            raise error
        return class_root(inner[0])


def remove_data_set(name: str) -> None:
    """Forget a data set; a copy that lies in the workspace is deleted, other folders are not."""
    registered = _registered()
    path = registered.pop(name, None)
    workspace.write_json(_register(), registered)
    uploads = workspace.data_home() / "uploads"
    if path and uploads in Path(path).parents:
        top = uploads / Path(path).relative_to(uploads).parts[0]
        shutil.rmtree(top, ignore_errors=True)


def safe_parts(name: str) -> tuple[str, ...] | None:
    """Turn an archive's or a browser's file name into path parts, or None when it is not wanted.

    Names are never trusted: absolute ones, ``..``, drive letters and hidden files are refused, and
    so is everything that does not claim to be a picture, but for the marker of a synthetic set.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    parts = tuple(part for part in path.parts if part not in (".", ""))
    bad = any(p == ".." or p.startswith((".", "/", "__MACOSX")) or ":" in p for p in parts)
    wanted = path.suffix.lower() in SUFFIXES or path.name == MARKER
    if bad or not parts or not wanted:
        return None
    return tuple(re.sub(r'[<>|?*"\x00-\x1f]', "_", part).rstrip(" .") or "_" for part in parts)


class _Budget:
    """Counts files and bytes on their way in and stops at the bounds."""

    def __init__(self) -> None:
        self.files = self.bytes = 0

    def take(self, files: int = 0, length: int = 0) -> None:
        self.files += files
        self.bytes += length
        if self.files > MAX_FILES or self.bytes > MAX_BYTES:
            raise DataError(
                f"This holds more than {MAX_FILES:,} files or {MAX_BYTES // 1024**3} GB; unpack it"
                " yourself and give the folder's path."
            )


def _write_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, budget: _Budget
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as out:
        while block := source.read(1 << 20):
            budget.take(length=len(block))
            out.write(block)


def _unpack(archive: zipfile.ZipFile, folder: Path, progress: Progress | None) -> None:
    members = [m for m in archive.infolist() if not m.is_dir()]
    budget = _Budget()
    for done, member in enumerate(members, start=1):
        parts = safe_parts(member.filename)
        if parts:
            budget.take(files=1)
            _write_member(archive, member, folder.joinpath(*parts), budget)
        if progress:
            progress(done, len(members))


def add_zip(name: str, file: BinaryIO, progress: Progress | None = None) -> DataSet:
    """Unpack a zip of class folders into the workspace and register it.

    Raises
    ------
    DataError
        When the file is no zip, is encrypted or too large, or holds no two class folders.
    """

    def fill(folder: Path) -> None:
        try:
            with zipfile.ZipFile(file) as archive:
                _unpack(archive, folder, progress)
        except DataError:
            raise
        except Exception as error:  # zipfile and its decoders raise nearly anything when damaged.
            if "password" in str(error):
                raise DataError("The zip is encrypted; unpack it and drop the folder.") from error
            raise DataError(f"The zip cannot be unpacked ({error}); make it anew.") from error

    return _take_in(Path(name).stem, fill)


def add_uploads(name: str, files: Iterable[tuple[str, bytes]]) -> DataSet:
    """Keep dropped files, given as (path, content), in the workspace and register them.

    Raises
    ------
    DataError
        When the paths do not make at least two class folders with pictures.
    """

    def fill(folder: Path) -> None:
        budget = _Budget()
        for path, content in files:
            parts = safe_parts(path)
            if parts:
                budget.take(files=1, length=len(content))
                _write_upload(folder.joinpath(*parts), content)

    return _take_in(name, fill)


def _write_upload(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:  # a name too long, a file and a folder of one name, a full disk
        raise DataError(f"{target.name[:80]} cannot be kept ({error.strerror}).") from error


def _take_in(name: str, fill) -> DataSet:  # noqa: ANN001 - a local callable
    """Fill a temporary folder, check it, then give it its place among the uploads."""
    uploads = workspace.data_home() / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="upload-", dir=uploads))
    try:
        fill(folder)
        return add_folder(class_root(folder), name or "Uploaded pictures")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def fetch_kaggle() -> DataSet:
    """Fetch the real set from Kaggle into the workspace and register it.

    Raises
    ------
    DataError
        When it cannot be fetched; the message tells how to fetch it by hand.
    """
    place = workspace.data_home() / "lymphoma"
    try:
        import kagglehub

        os.environ.setdefault("KAGGLEHUB_CACHE", str(workspace.data_home() / "kaggle"))
        fetched = Path(kagglehub.dataset_download(KAGGLE_HANDLE))
    except Exception as error:  # kagglehub passes on whatever its network library raises.
        raise DataError(
            f"The real set could not be fetched ({type(error).__name__}). By hand: download"
            f" https://www.kaggle.com/datasets/{KAGGLE_HANDLE} in a browser, unpack it so that"
            f" {place} holds the folders CLL, FL and MCL, and open that folder here."
        ) from error
    return add_folder(class_root(fetched), REAL_NAME)
