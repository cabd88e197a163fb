"""The pixel cache: the right rows, read once, and anew when a file changes."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lymph import workspace
from lymph.data.pixels import load_pixels, shrink
from lymph.data.read import read_picture
from lymph.data.walk import walk
from lymph.errors import PictureError

SIZE = (24, 32)


@pytest.mark.parametrize("grey", [True, False])
def test_rows_are_the_shrunken_pictures(tiny_root: Path, grey: bool) -> None:
    """Row i is picture i brought to working size, of the promised shape and type."""
    names = walk(tiny_root).pictures
    pixels = load_pixels(tiny_root, names, SIZE, grey)
    assert pixels.dtype == np.uint8
    assert pixels.shape == ((36, 24, 32) if grey else (36, 24, 32, 3))
    for name, row in zip(names, pixels, strict=True):
        np.testing.assert_array_equal(row, shrink(read_picture(tiny_root / name), SIZE, grey))


def test_shrink_keeps_values_and_place() -> None:
    """A plain colour stays, grey is the ITU-R 601 luma, height comes before width."""
    plain = np.full((40, 60, 3), (200, 100, 50), np.uint8)
    small = shrink(plain, (10, 20), grey=False)
    assert small.shape == (10, 20, 3) and (small == (200, 100, 50)).all()
    luma = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    assert (shrink(plain, (10, 20), grey=True) == luma).all()
    halves = np.zeros((40, 60, 3), np.uint8)
    halves[:, 30:] = 255
    grey = shrink(halves, (8, 8), grey=True)
    assert (grey[:, :3] == 0).all() and (grey[:, 5:] == 255).all()


def test_shrink_averages_instead_of_picking() -> None:
    """A fine chequer becomes an even grey: every pixel counts, none is skipped."""
    chequer = np.indices((64, 64)).sum(axis=0) % 2 * 255
    small = shrink(np.stack([chequer] * 3, -1).astype(np.uint8), (8, 8), grey=True)
    assert np.abs(small.astype(int) - 127).max() <= 3


def test_nothing_is_read_twice(tiny_root: Path, read_files: list[str]) -> None:
    """The first call reads each file once, the second none and returns the same."""
    names = walk(tiny_root).pictures
    first = np.array(load_pixels(tiny_root, names, SIZE, True))
    assert sorted(read_files) == names
    np.testing.assert_array_equal(load_pixels(tiny_root, names, SIZE, True), first)
    assert len(read_files) == 36


def test_only_a_changed_file_is_read_anew(tiny_root: Path, read_files: list[str]) -> None:
    """After one file has changed, only it is read and only its row differs."""
    names = walk(tiny_root).pictures
    before = np.array(load_pixels(tiny_root, names, SIZE, True))
    read_files.clear()
    Image.new("L", (48, 64), 7).save(tiny_root / names[5])
    after = load_pixels(tiny_root, names, SIZE, True)
    assert read_files == [names[5]]
    assert (after[5] == 7).all()
    np.testing.assert_array_equal(np.delete(after, 5, 0), np.delete(before, 5, 0))


def test_subsets_and_other_orders_reuse_what_was_read(
    tiny_root: Path, read_files: list[str]
) -> None:
    """Reversed, sampled and doubled lists give their own rows and read nothing more."""
    names = walk(tiny_root).pictures
    whole = dict(zip(names, np.array(load_pixels(tiny_root, names, SIZE, True)), strict=True))
    read_files.clear()
    for wanted in (names[::-1], names[3:20:4], [names[2], names[2], names[0]]):
        found = load_pixels(tiny_root, wanted, SIZE, True)
        np.testing.assert_array_equal(found, np.stack([whole[name] for name in wanted]))
    assert read_files == []


def test_a_subset_does_not_throw_the_whole_away(tiny_root: Path, read_files: list[str]) -> None:
    """Regression: loading a subset deleted the cache of all, and the rest was read again."""
    names = walk(tiny_root).pictures
    load_pixels(tiny_root, names, SIZE, True)
    load_pixels(tiny_root, names[:4], SIZE, True)
    load_pixels(tiny_root, names, SIZE, True)
    load_pixels(tiny_root, names[4:], SIZE, True)
    load_pixels(tiny_root, names, SIZE, True)
    assert len(read_files) == 36


def test_parts_are_put_together(tiny_root: Path, read_files: list[str]) -> None:
    """Three parts read one after another make the whole without a second reading."""
    names = walk(tiny_root).pictures
    for part in (names[:10], names[10:30], names[30:], names):
        load_pixels(tiny_root, part, SIZE, True)
    assert sorted(read_files) == names


def test_stale_and_covered_caches_are_deleted(tiny_root: Path) -> None:
    """Neither a hundred subsets nor a hundred changes of a file leave a hundred caches behind."""
    names = walk(tiny_root).pictures
    load_pixels(tiny_root, names, SIZE, True)
    for i in range(1, 9):
        load_pixels(tiny_root, names[i : i + 5], SIZE, True)
        Image.new("L", (48, 64), i).save(tiny_root / names[0])
        load_pixels(tiny_root, names, SIZE, True)
    assert len(list(workspace.cache_home().rglob("pixels-*.npy"))) == 1
    (tiny_root / names[0]).unlink()
    load_pixels(tiny_root, names[1:], SIZE, True)
    assert len(list(workspace.cache_home().rglob("pixels-*.npy"))) == 1


def test_sizes_and_colours_do_not_mix(tiny_root: Path, read_files: list[str]) -> None:
    """Grey, colour and another size each have their own cache, and keep it."""
    names = walk(tiny_root).pictures[:3]
    asked = [(SIZE, True), (SIZE, False), ((32, 24), True)]
    for _ in range(2):
        for size, grey in asked:
            assert load_pixels(tiny_root, names, size, grey).shape[1:3] == size
    assert len(read_files) == 9


def test_the_result_is_read_only_and_on_disk(tiny_root: Path) -> None:
    """The array is a memory map that cannot spoil the cache."""
    pixels = load_pixels(tiny_root, walk(tiny_root).pictures, SIZE, True)
    assert isinstance(pixels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


def test_an_open_map_survives_a_change(tiny_root: Path) -> None:
    """An array in use keeps its values while a newer cache is written beside it."""
    names = walk(tiny_root).pictures
    pixels = load_pixels(tiny_root, names, SIZE, True)
    copy = np.array(pixels)
    Image.new("L", (48, 64), 7).save(tiny_root / names[0])
    load_pixels(tiny_root, names, SIZE, True)
    np.testing.assert_array_equal(pixels, copy)


def test_two_roots_do_not_mix(make_tiny: Callable[..., Path]) -> None:
    """Files of one name, length and time in two folders keep their own pixels."""
    first, second = make_tiny("first", 1), make_tiny("second", 1)
    names = walk(first).pictures
    for root, value in ((first, 10), (second, 20)):
        Image.new("L", (8, 8), value).save(root / names[0], "BMP")
        os.utime(root / names[0], (1_000_000, 1_000_000))
    assert (load_pixels(first, names[:1], (4, 4), True) == 10).all()
    assert (load_pixels(second, names[:1], (4, 4), True) == 20).all()
    assert (load_pixels(first, names[:1], (4, 4), True) == 10).all()


@pytest.mark.parametrize("content", [b"broken", None])
def test_a_picture_that_cannot_be_read_names_itself(tiny_root: Path, content: bytes | None) -> None:
    """A broken or missing file is named, and nothing half filled is left in the cache."""
    names = walk(tiny_root).pictures
    file = tiny_root / names[7]
    whole = file.read_bytes()
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PictureError, match=f"^{names[7]}: "):
        load_pixels(tiny_root, names, SIZE, True)
    file.write_bytes(whole)
    found = load_pixels(tiny_root, names, SIZE, True)
    np.testing.assert_array_equal(found[7], shrink(read_picture(file), SIZE, True))


def test_a_damaged_cache_is_made_anew(tiny_root: Path) -> None:
    """An earlier cache whose files are spoilt is passed over, not trusted."""
    names = walk(tiny_root).pictures
    load_pixels(tiny_root, names, SIZE, True)
    for file in workspace.cache_home().rglob("pixels-*"):
        file.write_bytes(b"spoilt")
    part = load_pixels(tiny_root, names[:2], SIZE, True)
    np.testing.assert_array_equal(part[1], shrink(read_picture(tiny_root / names[1]), SIZE, True))


def test_progress_counts_the_files_read(tiny_root: Path) -> None:
    """Progress goes from 1 to the number of files that are read, and is silent when none is."""
    names = walk(tiny_root).pictures
    load_pixels(tiny_root, names[:30], SIZE, True)
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        load_pixels(tiny_root, names, SIZE, True, lambda done, total: seen.append((done, total)))
    assert seen == [(i, 6) for i in range(1, 7)]
