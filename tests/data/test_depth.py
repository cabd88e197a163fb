"""A set's depth: one white for all of its 16-bit pictures, and no cache of another white."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lymph.data import scan as scan_module
from lymph.data.depth import depth_of, depth_sentence, image_of, read_of, white_of
from lymph.data.measure import measure_all
from lymph.data.pixels import load_pixels, shrink
from lymph.data.scan import count_unopened
from lymph.data.source import PictureSource
from lymph.data.stamps import cache_folder
from lymph.data.thumbnails import thumbnail_paths
from lymph.data.walk import walk

SIZE = (12, 16)
MakeTiny = Callable[..., Path]


def deepen(root: Path, white: int, names: list[str] | None = None, grey: bool = False) -> list[str]:
    """Turn pictures into 16-bit TIFFs whose values end at ``white``; return the set's pictures."""
    for name in names or walk(root).pictures:
        plain = np.asarray(Image.open(root / name))
        values = -(-plain.astype(np.int64) * white // 255)
        values = values[..., 0] if grey else values
        photometric = "minisblack" if grey else "rgb"
        file = (root / name).with_suffix(".tif")
        tifffile.imwrite(file, values.astype(np.uint16), photometric=photometric)
        (root / name).unlink()
    return walk(root).pictures


@pytest.mark.parametrize("grey", [False, True])
def test_a_set_is_as_bright_as_its_8_bit_twin(make_tiny: MakeTiny, grey: bool) -> None:
    """Regression: pictures of 12 bits were black in every view and in training."""
    plain, deep = make_tiny("plain"), make_tiny("deep")
    names, own = walk(plain).pictures, deepen(deep, 4_095, grey=grey)
    # Every picture of the tiny set is darker than white, so only one of the set tells the depth.
    tifffile.imwrite(deep / own[0], np.full((48, 64), 4_095, np.uint16))
    PictureSource(deep).table()
    assert white_of(deep) == 4_095
    for name, twin in list(zip(own, names, strict=True))[1:]:
        expected = np.asarray(Image.open(plain / twin))
        expected = np.repeat(expected[..., :1], 3, axis=-1) if grey else expected
        np.testing.assert_array_equal(read_of(deep, name), expected)
        np.testing.assert_array_equal(np.asarray(image_of(deep, name)), expected)
    if not grey:
        np.testing.assert_array_equal(
            load_pixels(deep, own[1:], SIZE, False), load_pixels(plain, names[1:], SIZE, False)
        )
        columns = ["content", "brightness", "haematoxylin"]
        measured = measure_all(deep, own[1:])[columns]
        assert measured.equals(measure_all(plain, names[1:])[columns])
        pairs = zip(thumbnail_paths(deep, own[1:]), thumbnail_paths(plain, names[1:]), strict=True)
        assert all(one.read_bytes() == two.read_bytes() for one, two in pairs)


def test_dark_pictures_of_a_set_stay_dark(make_tiny: MakeTiny) -> None:
    """Each judged by itself would come out as bright as the brightest."""
    root = make_tiny()
    own = deepen(root, 4_095)
    tifffile.imwrite(root / own[0], np.full((48, 64), 900, np.uint16))
    assert read_of(root, own[0]).max() == 900 * 255 // 1_023  # no scan has decoded the set yet
    PictureSource(root).table()
    assert read_of(root, own[0]).max() == 900 * 255 // 4_095


def test_a_brighter_picture_renews_what_is_kept(make_tiny: MakeTiny) -> None:
    """Pixels, thumbnails and measures of another white are neither shown nor left behind."""
    root = make_tiny()
    own = deepen(root, 1_023)
    PictureSource(root).table()
    before = [np.array(load_pixels(root, own, SIZE, False)), thumbnail_paths(root, own)]
    dark = measure_all(root, own)["brightness"]
    tifffile.imwrite(root / "CLL" / "sj-99-11_900.tif", np.full((48, 64), 5_000, np.uint16))
    PictureSource(root).table()
    assert white_of(root) == 16_383
    after = load_pixels(root, own, SIZE, False)
    np.testing.assert_allclose(np.asarray(after), before[0] / 16, atol=2)
    assert not set(thumbnail_paths(root, own)) & set(before[1])
    assert (measure_all(root, own)["brightness"] < dark / 10).all()
    kept = [path.name for path in cache_folder(root).iterdir()]
    assert not any("1023" in name for name in kept) and any("w16383" in name for name in kept)
    (root / "CLL" / "sj-99-11_900.tif").unlink()
    PictureSource(root).table()
    np.testing.assert_array_equal(load_pixels(root, own, SIZE, False), before[0])


def test_ordinary_sets_know_nothing_of_depth(tiny_root: Path) -> None:
    """No file, no sentence, and the names of their caches as ever."""
    PictureSource(tiny_root).table()
    names = walk(tiny_root).pictures
    load_pixels(tiny_root, names, SIZE, True)
    measure_all(tiny_root, names)
    folder = cache_folder(tiny_root)
    assert not (folder / "depth.json").exists()
    assert (folder / "measures-3.json").exists()
    assert len(list(folder.glob("pixels-12x16-grey-*.npy"))) == 1
    assert (white_of(tiny_root), depth_sentence(tiny_root)) == (0, "")


def test_headers_alone_tell_no_depth(make_tiny: MakeTiny) -> None:
    """A large set is first seen by its headers; what trains decodes it and ends right."""
    root = make_tiny()
    own = deepen(root, 4_095)
    PictureSource(root).table(decode=False)
    assert white_of(root) == 0
    tifffile.imwrite(root / own[0], np.full((48, 64), 900, np.uint16))
    assert load_pixels(root, own, SIZE, False)[0].max() == 900 * 255 // 1_023
    PictureSource(root).table()
    assert white_of(root) == 4_095
    for row, name in zip(load_pixels(root, own, SIZE, False), own, strict=True):
        np.testing.assert_array_equal(row, shrink(read_of(root, name), SIZE, False))


def test_what_an_earlier_reader_found_is_found_anew(tiny_root: Path) -> None:
    """Facts without the largest value tell no depth: the files are decoded once more."""
    PictureSource(tiny_root).table()
    file = cache_folder(tiny_root) / "scan.json"
    document = json.loads(file.read_text())
    del document["columns"]["top"]
    file.write_text(json.dumps(document))
    assert count_unopened(tiny_root, walk(tiny_root).pictures) == len(walk(tiny_root).pictures)
    headers = PictureSource(tiny_root).table(decode=False)
    assert (headers["problem"] == "").all()
    assert count_unopened(tiny_root, walk(tiny_root).pictures) == len(walk(tiny_root).pictures)
    PictureSource(tiny_root).table()
    assert count_unopened(tiny_root, walk(tiny_root).pictures) == 0


def test_the_sentence_tells_the_depth(make_tiny: MakeTiny) -> None:
    """All deep, some deep, one deep; a picture with a problem does not count."""
    root = make_tiny(pictures=1)
    names = walk(root).pictures
    deepen(root, 4_095, names[:1])
    PictureSource(root).table()
    assert depth_sentence(root) == (
        "1 of 12 pictures holds 12 bits in 16-bit files, of which 4,095 is shown as white;"
        " the others hold 8 bits."
    )
    deepen(root, 65_535, names[1:3])
    PictureSource(root).table()
    assert depth_sentence(root) == (
        "3 of 12 pictures hold 16 bits, of which 65,535 is shown as white; the others hold 8 bits."
    )
    deepen(root, 4_095, names[3:])
    deep = walk(root).pictures
    for name in deep[1:3]:
        tifffile.imwrite(root / name, np.full((48, 64), 4_000, np.uint16))
    (root / deep[-1]).write_bytes(b"broken")
    PictureSource(root).table()
    sentence = "The pictures hold 12 bits in 16-bit files; 4,095 is shown as white."
    assert depth_sentence(root) == sentence
    assert depth_of(root) == (4_095, 11, 11)


def test_a_damaged_depth_file_is_nothing(make_tiny: MakeTiny) -> None:
    """A cache may be deleted or cut short at any time; the next scan makes it anew."""
    root = make_tiny()
    deepen(root, 4_095)
    PictureSource(root).table()
    file = cache_folder(root) / "depth.json"
    for damage in ("{", "[]", '{"white": "x"}', ""):
        file.write_text(damage)
        assert white_of(root) == 0
        PictureSource(root).table()
        assert white_of(root) == 4_095
    file.unlink()
    assert white_of(root) == 0


def test_a_scan_decodes_each_file_once(
    make_tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The depth comes from what is cached, not from reading the set again."""
    root = make_tiny()
    deepen(root, 4_095)
    PictureSource(root).table()
    (cache_folder(root) / "depth.json").unlink()

    def refuse(path: Path) -> None:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(scan_module, "read_with_notes", refuse)
    PictureSource(root).table()
    assert white_of(root) == 4_095
