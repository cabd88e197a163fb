"""Thumbnails: the right size and content, made once, made anew when a file changes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lymph.data import thumbnails
from lymph.data.thumbnails import thumbnail_paths
from lymph.data.walk import walk
from lymph.errors import PictureError


def test_each_thumbnail_shows_its_picture(tiny_root: Path, workspace: Path) -> None:
    """Height as asked, shape kept, mean colour that of the picture, in the order of the list."""
    names = walk(tiny_root).pictures[::-5]
    paths = thumbnail_paths(tiny_root, names, height=24)
    assert len(set(paths)) == len(names)
    for name, path in zip(names, paths, strict=True):
        assert workspace in path.parents
        with Image.open(path) as small, Image.open(tiny_root / name) as full:
            assert small.format == "JPEG" and small.size == (32, 24)
            assert abs(np.asarray(small).mean() - np.asarray(full).mean()) < 2


def test_thumbnails_are_made_once(tiny_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call reads no picture; another height does not disturb the first."""
    names = walk(tiny_root).pictures[:6]
    first = thumbnail_paths(tiny_root, names, height=24)
    assert thumbnail_paths(tiny_root, names, height=12) != first

    def refuse(root: Path, picture: str, white: int) -> np.ndarray:
        raise AssertionError(f"{picture} was read again")

    monkeypatch.setattr(thumbnails, "read_of", refuse)
    assert thumbnail_paths(tiny_root, names, height=24) == first


def test_a_changed_picture_gets_a_new_thumbnail(tiny_root: Path) -> None:
    """A changed file has a new path, so that no browser shows the old one; others keep theirs."""
    names = walk(tiny_root).pictures[:3]
    before = thumbnail_paths(tiny_root, names, height=24)
    Image.new("RGB", (40, 40), (250, 0, 0)).save(tiny_root / names[1])
    after = thumbnail_paths(tiny_root, names, height=24)
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False, True]
    with Image.open(after[1]) as small:
        assert small.size == (24, 24)
        assert np.abs(np.asarray(small).astype(int) - (250, 0, 0)).max() <= 4


def test_a_thin_picture_keeps_a_pixel(tiny_root: Path) -> None:
    """A picture a thousand times as high as wide still has a thumbnail."""
    name = walk(tiny_root).pictures[0]
    Image.new("RGB", (1, 1000)).save(tiny_root / name)
    with Image.open(thumbnail_paths(tiny_root, [name], height=24)[0]) as small:
        assert small.size == (1, 24)


def test_a_broken_picture_names_itself(tiny_root: Path) -> None:
    """The error tells which of many pictures cannot be read."""
    names = walk(tiny_root).pictures
    (tiny_root / names[4]).write_bytes(b"broken")
    with pytest.raises(PictureError, match=f"^{names[4]}: "):
        thumbnail_paths(tiny_root, names)
