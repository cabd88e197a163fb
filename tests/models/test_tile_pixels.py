"""The cache of tiles: the right ones, cut once, and anew when a file changes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lymph import workspace
from lymph.data.pixels import load_pixels
from lymph.data.read import read_picture
from lymph.data.source import PictureSource
from lymph.errors import DiskError, PictureError
from lymph.models.specs import MODELS, ModelSpec
from lymph.models.tile_pixels import load_tiles
from lymph.models.view import pack, size_of_view, view

GREY, COLOUR = MODELS["cnn"].in_tiles(48), MODELS["resnet50"].in_tiles(64)


@pytest.fixture
def root(make_tiny: Callable[..., Path]) -> Path:
    """Return twelve pictures, two of them bare: one whole, one on its right half."""
    root = make_tiny(pictures=1)
    Image.new("RGB", (64, 48), "white").save(root / "CLL" / "sj-99-11_001.png")
    half = np.asarray(Image.open(root / "CLL" / "sj-99-12_001.png")).copy()
    half[:, 32:] = 250
    Image.fromarray(half).save(root / "CLL" / "sj-99-12_001.png")
    return root


@pytest.mark.parametrize("spec", [GREY, COLOUR])
def test_a_pictures_tiles_are_those_of_its_view(root: Path, spec: ModelSpec) -> None:
    """Row by row what an answer would cut; bare glass is left out, all glass is one tile."""
    table = PictureSource(root).usable()
    tiles = load_tiles(root, table, spec)
    side = (spec.tiles, spec.tiles)
    assert tiles.values.shape[1:] == (side if spec.grey else (*side, 3))
    for row, picture in enumerate(table["picture"]):
        own = tiles[np.array([row])].values
        np.testing.assert_array_equal(own, pack(view(read_picture(root / picture), spec), spec))
    whole = int(tiles.counts.max())
    assert tiles.counts[0] == 1 and tiles.counts[1] < whole and (tiles.counts[2:] == whole).all()
    assert len(tiles.values) == int(tiles.counts.sum())
    assert isinstance(tiles.values, np.memmap) and not tiles.values.flags.writeable


def test_nothing_is_cut_twice_and_only_a_changed_file_anew(
    root: Path, read_files: list[str]
) -> None:
    """A second run, a part and another order read nothing; one change reads one file."""
    table = PictureSource(root).usable()
    first = load_tiles(root, table, GREY)
    assert sorted(read_files) == list(table["picture"])
    read_files.clear()
    again = load_tiles(root, table, GREY)
    np.testing.assert_array_equal(again.values, first.values)
    order = np.array([5, 0, 3])
    np.testing.assert_array_equal(
        load_tiles(root, table.iloc[order], GREY).values, first[order].values
    )
    assert read_files == []
    changed = table["picture"].iloc[4]
    Image.new("RGB", (64, 48), (90, 20, 90)).save(root / changed)
    after = load_tiles(root, PictureSource(root).usable(), GREY)
    assert read_files == [changed]
    others = np.array([0, 1, 2, 3, 5, 6])
    np.testing.assert_array_equal(after[others].values, first[others].values)
    assert len(list(workspace.cache_home().rglob("tiles-*.npy"))) == 1


def test_other_caches_stay(root: Path) -> None:
    """Whole pictures, grey and coloured tiles, and other sides are beside each other."""
    table = PictureSource(root).usable()
    load_pixels(root, list(table["picture"]), (24, 32), True)
    for _ in range(2):
        for spec in (GREY, COLOUR, MODELS["cnn"].in_tiles(64)):
            load_tiles(root, table, spec)
    assert len(list(workspace.cache_home().rglob("tiles-*.npy"))) == 3
    assert len(list(workspace.cache_home().rglob("pixels-*.npy"))) == 1


def test_damaged_and_half_written_caches_are_made_anew(root: Path) -> None:
    """A list without its tiles, tiles without their list, and spoilt ones are not trusted."""
    table = PictureSource(root).usable()
    wanted = np.array(load_tiles(root, table, GREY).values)
    (rows,) = workspace.cache_home().rglob("tiles-*.npy")
    index = rows.with_suffix(".json")
    for harm in (rows.unlink, index.unlink, lambda: index.write_text("[[1]]")):
        harm()
        np.testing.assert_array_equal(load_tiles(root, table, GREY).values, wanted)
    rows.write_bytes(rows.read_bytes()[:-1000])
    np.testing.assert_array_equal(load_tiles(root, table, GREY).values, wanted)


def test_a_picture_that_cannot_be_read_names_itself(root: Path) -> None:
    """Nothing half filled is left, and with the picture back all is well."""
    table = PictureSource(root).usable()
    file = root / table["picture"].iloc[7]
    whole = file.read_bytes()
    file.write_bytes(b"broken")
    with pytest.raises(PictureError, match=f"^{table['picture'].iloc[7]}: "):
        load_tiles(root, table, GREY)
    assert not list(workspace.cache_home().rglob("tiles-*"))
    file.write_bytes(whole)
    assert len(load_tiles(root, table, GREY)) == len(table)


def test_a_picture_that_grew_since_the_scan_is_told(root: Path) -> None:
    """There is room for the tiles of the picture that was scanned, and no more."""
    table = PictureSource(root).usable()
    for picture in table["picture"]:
        noise = np.random.default_rng(0).integers(0, 200, (600, 800, 3), np.uint8)
        Image.fromarray(noise).save(root / picture)
    with pytest.raises(PictureError, match="changed since the folder was scanned"):
        load_tiles(root, table, GREY)


def test_a_full_disk_is_told_before_anything_is_cut(
    root: Path, monkeypatch: pytest.MonkeyPatch, read_files: list[str]
) -> None:
    """The room is set aside at once, so that no mapped page is without any."""

    def refuse(path: Path) -> None:
        raise DiskError("The disk is full.")

    monkeypatch.setattr(workspace, "reserve", refuse)
    with pytest.raises(DiskError, match="disk is full"):
        load_tiles(root, PictureSource(root).usable(), GREY)
    assert read_files == []


@pytest.mark.parametrize("size", [(48, 64), (10, 10), (33, 900), (32, 20_000), (5000, 6000)])
def test_every_tile_of_a_network_is_a_square(size: tuple[int, int]) -> None:
    """However small or narrow; never larger than what any answer is read at."""
    for side in (32, 224, 1024):
        height, width = size_of_view(*size, MODELS["cnn"].in_tiles(side))
        assert min(height, width) >= side
        assert height * width <= max(16_100_000, 2 * side * max(size), 2 * size[0] * size[1])
