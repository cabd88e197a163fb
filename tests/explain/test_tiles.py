"""Tiles cover every pixel, blank ones are skipped, and the map is the mean of the tiles."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lymph.explain import tile_boxes, tiles, view_tiles
from lymph.explain.tiles import SIZE, STRIDE, is_blank


def by_redness(pictures: list[np.ndarray]) -> np.ndarray:
    """Answer with the share of red, a model whose answer is known."""
    red = [tile[..., 0].mean() / 255 for tile in pictures]
    return np.array([[value, 1 - value] for value in red]).reshape(-1, 2)


def textured(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (height, width, 3), np.uint8)


def test_the_real_size_has_108_tiles() -> None:
    """1388 x 1040: 12 columns, 9 rows, the last flush with the edge."""
    boxes = tile_boxes(1040, 1388)
    assert len(boxes) == 108
    assert len({row for row, _ in boxes}) == 9
    assert max(boxes) == (1040 - SIZE, 1388 - SIZE)


@given(height=st.integers(1, 2000), width=st.integers(1, 2000))
def test_every_pixel_is_covered_and_none_twice_by_the_same_place(height: int, width: int) -> None:
    """Tiles lie inside, start at most a stride apart, and reach both ends."""
    boxes = tile_boxes(height, width)
    assert len(set(boxes)) == len(boxes)
    for side, starts in ((height, {b[0] for b in boxes}), (width, {b[1] for b in boxes})):
        ordered = sorted(starts)
        assert ordered[0] == 0 and ordered[-1] == max(0, side - SIZE)
        assert all(b - a <= STRIDE for a, b in itertools.pairwise(ordered))


def test_the_map_and_the_mean_follow_the_tiles() -> None:
    """Left red, right not: the map says so, and mean and shares are those of the tiles."""
    pixels = textured(300, 900)
    pixels[:, :450, 0] = 255
    pixels[:, 450:, 0] = 0
    seen: list[tuple[int, int]] = []
    view = view_tiles(by_redness, pixels, lambda done, total: seen.append((done, total)))
    boxes = tile_boxes(300, 900)
    expected = by_redness([pixels[r : r + SIZE, c : c + SIZE] for r, c in boxes])
    np.testing.assert_allclose(view.mean, expected.mean(axis=0))
    np.testing.assert_allclose(view.shares, np.bincount(expected.argmax(1), minlength=2) / 16)
    assert (view.tiles, view.blank, view.shrunk) == (16, 0, 1)
    assert view.probabilities[:, 5, 0].min() > 0.95 > 0.05 > view.probabilities[:, -5, 0].max()
    np.testing.assert_allclose(view.probabilities.sum(axis=-1), 1, atol=1e-6)
    assert seen[-1] == (16, 16)


def test_a_place_under_two_tiles_has_their_mean() -> None:
    """One overlap of two tiles: exactly the half of their sum."""
    pixels = textured(SIZE, SIZE + STRIDE)
    answers = np.array([[1.0, 0.0], [0.0, 1.0]])
    view = view_tiles(lambda asked: answers[: len(asked)], pixels)
    np.testing.assert_allclose(view.probabilities[0, [0, 20, -1], 0], [1, 0.5, 0])


def test_blank_tiles_are_skipped() -> None:
    """Glass and black are not asked; a blank picture has no mean, not a wrong one."""
    pixels = textured(SIZE, 4 * SIZE)
    pixels[:, : 2 * SIZE] = 245
    view = view_tiles(by_redness, pixels)
    assert view.blank == 3 and view.tiles == 4
    assert np.isnan(view.probabilities[0, 0]).all()
    empty = view_tiles(by_redness, np.full((300, 300, 3), 250, np.uint8))
    assert empty.tiles == 0 and np.isnan(empty.mean).all() and empty.shares.tolist() == [0, 0]
    assert is_blank(np.zeros((9, 9, 3), np.uint8)) and not is_blank(textured(50, 50))


def test_a_giant_is_shrunk_until_its_tiles_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large, a bounded number of tiles is asked."""
    monkeypatch.setattr(tiles, "MAX_TILES", 30)
    view = view_tiles(by_redness, np.tile(textured(200, 200), (6, 6, 1)))
    assert view.shrunk == 2
    assert view.tiles + view.blank == 25
