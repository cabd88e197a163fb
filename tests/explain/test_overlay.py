"""Overlays change what they should and nothing else."""

import numpy as np

from lymph.explain import TileView, heat_overlay, tile_overlay

GROUND = np.full((60, 120, 3), 180, np.uint8)


def test_opacity_zero_is_the_picture() -> None:
    """And where nothing speaks for the class, the picture stays clear at any opacity."""
    heat = np.zeros((7, 7), np.float32)
    np.testing.assert_array_equal(heat_overlay(GROUND, heat, 1.0), GROUND)
    heat[2, 5] = 1
    np.testing.assert_array_equal(heat_overlay(GROUND, heat, 0.0), GROUND)


def test_heat_lands_where_it_belongs_in_a_wide_picture() -> None:
    """Cell (2, 5) of 7 x 7 is at row 21, column 94 of 60 x 120; it turns yellow."""
    heat = np.zeros((7, 7), np.float32)
    heat[2, 5] = 1
    changed = np.abs(heat_overlay(GROUND, heat, 1.0).astype(int) - GROUND).sum(axis=-1)
    row, column = np.unravel_index(changed.argmax(), changed.shape)
    assert abs(row - 21) <= 5 and abs(column - 94) <= 9
    assert heat_overlay(GROUND, np.ones((2, 2)), 1.0)[30, 60].tolist() == [253, 231, 37]


def test_tiles_wear_the_colours_of_their_classes() -> None:
    """Sure places are full, undecided and blank ones clear."""
    values = np.zeros((6, 12, 2), np.float32)
    values[:, :4], values[:, 4:8], values[:, 8:] = (1, 0), (0.5, 0.5), np.nan
    view = TileView(values, np.array([0.7, 0.3]), np.array([1.0, 0.0]), 2, 1, 1)
    drawn = tile_overlay(GROUND, view, ["#0072B2", "#E69F00"], 1.0)
    assert drawn[30, 10].tolist() == [0, 0x72, 0xB2]
    assert drawn[30, 60].tolist() == drawn[30, 110].tolist() == [180] * 3
