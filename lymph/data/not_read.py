"""What lies in a folder and is not read: counted, with the reason, so that nothing is missed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from lymph.data.layout import Layout
from lymph.data.walk import Tree

# fmt: off
SLIDES = {
    ".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".czi", ".vsi", ".qptiff",
    ".isyntax", ".dcm",
}
ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"}
PICTURES = {
    ".gif", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".psd", ".svg", ".pdf", ".eps",
    ".ppm", ".pgm",
}
ARRAYS = {".npy", ".npz", ".h5", ".hdf5", ".mat", ".pt", ".pth", ".parquet", ".tfrecord"}
# fmt: on

# Names that an archive must not have.
UNSAFE = "unsafe names"
OF_KIND = (
    (SLIDES, "whole slides or medical files: export regions of interest as PNG or TIFF"),
    (ARCHIVES, "an archive: unpack it"),
    (PICTURES, "not a format read here: export as PNG or TIFF"),
    ({UNSAFE}, "their names point out of the folder"),
    (ARRAYS, "arrays, not picture files: export the pictures as PNG or TIFF"),
)
NO_PICTURE = "not a picture"
BESIDE_THE_CLASSES = "a folder beside the classes"


class NotRead(NamedTuple):
    """Files that are not read: what they are, how many, and why."""

    what: str
    count: int
    reason: str


def not_read(
    tree: Tree,
    pictures: list[str],
    layout: Layout,
    used: set[str],
    not_unpacked: Mapping[str, int],
) -> list[NotRead]:
    """List what is not read, the most first.

    Parameters
    ----------
    tree : Tree
        Everything below the root.
    pictures : list of str
        The pictures that are read.
    layout : Layout
        Where the classes lie.
    used : set of str
        Other files that serve, such as a table of labels.
    not_unpacked : mapping
        Suffixes of files that were left in a zip, and how many of each.
    """
    left = set(tree.pictures) - set(pictures)
    counts = [*_left_pictures(left, layout), *_other_files(tree.others, used, not_unpacked)]
    return sorted(counts, key=lambda entry: -entry.count) + list(_empty(tree.empty))


def _left_pictures(left: set[str], layout: Layout) -> Iterator[NotRead]:
    base = tuple(layout.base.split("/")) if layout.base else ()
    folders = Counter(_folder_beside(picture, base) for picture in left)
    for (folder, outside), count in folders.items():
        if not folder:
            yield NotRead("loose pictures", count, "they are in no class folder")
        elif outside or folder in layout.skipped:
            yield NotRead(f"{folder}/", count, BESIDE_THE_CLASSES)
        else:
            yield NotRead(f"{folder}/", count, "its pictures are in no class folder")


def _folder_beside(picture: str, base: tuple[str, ...]) -> tuple[str, bool]:
    """Return the first folder of a picture that is not the base's, and whether it lies outside."""
    parts = tuple(picture.split("/")[:-1])
    for depth, part in enumerate(parts):
        if depth >= len(base) or part != base[depth]:
            return "/".join(parts[: depth + 1]), depth < len(base)
    return "", len(parts) < len(base)


def suffix_of(file: str) -> str:
    """Return what a file is counted under: its suffix, in lower case."""
    return PurePosixPath(file).suffix.lower() or "files without a suffix"


def _other_files(
    others: list[str], used: set[str], not_unpacked: Mapping[str, int]
) -> Iterator[NotRead]:
    suffixes = Counter(suffix_of(file) for file in others if file not in used)
    suffixes.update(not_unpacked)
    for suffix, count in suffixes.items():
        yield NotRead(suffix, count, next((r for k, r in OF_KIND if suffix in k), NO_PICTURE))


def _empty(folders: list[str]) -> Iterator[NotRead]:
    known = set(folders)
    for folder in folders:
        if folder.rpartition("/")[0] not in known:
            yield NotRead(f"{folder}/", 0, "the folder holds no picture")
