"""Tiles: an even grid, no glass, and the mean over them, whatever the picture."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lymph.models.grid import MOST_PIXELS, cut, grid_of, tissue_boxes
from lymph.models.hidden_features import features_and_logits
from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead, ProbeHead, Standardise, WhitenedLinear
from lymph.models.specs import MODELS
from lymph.models.tiles import Tiled, of_pictures, tiles_of_one
from lymph.models.view import pack, size_of_view, view, work_of

SPEC = MODELS["linear-probe"]._replace(tiles=224)


def textured(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("size", "seen", "grid"),
    [
        ((312, 417), (624, 834), (3, 4)),  # the published pictures at a third of their size
        ((1040, 1388), (1040, 1388), (3, 4)),  # as they were taken: at full resolution, with gaps
        ((3000, 4000), (3000, 4000), (3, 4)),
        ((100, 100), (200, 200), (1, 1)),  # smaller than a tile
        ((40, 3000), (80, 6000), (1, 14)),
    ],
)
def test_a_picture_keeps_its_resolution_and_an_answer_its_time(
    size: tuple[int, int], seen: tuple[int, int], grid: tuple[int, int]
) -> None:
    """Never made smaller; never more pixels than take as long as a whole picture does."""
    assert size_of_view(*size, SPEC) == seen
    assert grid_of(*seen, 224) == grid
    assert work_of(*size, SPEC) <= MOST_PIXELS


@given(
    height=st.integers(32, 900), width=st.integers(32, 900), side=st.sampled_from([32, 224, 1024])
)
def test_tiles_lie_inside_and_reach_the_edges(height: int, width: int, side: int) -> None:
    """Whatever the shape: alike, inside, flush with both ends where there are two or more."""
    ramp = (np.arange(width) * 37 % 200).astype(np.uint8)[:, None]
    pixels = np.broadcast_to(ramp, (height, width, 3))
    boxes, blank = tissue_boxes(pixels, side)
    assert (len(boxes), blank) == (np.prod(grid_of(height, width, side)), 0)
    for place, length in enumerate((height, width)):
        ends = sorted({(box[place].start, box[place].stop) for box in boxes})
        assert {b - a for a, b in ends} == {min(side, length)}
        assert ends[0][0] >= 0 and ends[-1][1] <= length
        if len(ends) > 1:
            assert (ends[0][0], ends[-1][1]) == (0, length)


def test_glass_is_left_out_and_a_picture_of_glass_is_whole() -> None:
    """Half of a slide bare: half of the tiles; all of it bare: one whole picture, not nothing."""
    pixels = textured(448, 896)
    pixels[:, 448:] = 250
    assert [len(cut(pixels, 224)), tissue_boxes(pixels, 224)[1]] == [4, 4]
    white = np.full((1040, 1388, 3), 255, np.uint8)
    assert cut(white, 224).shape[0] == 0
    assert pack(view(white, SPEC), SPEC).shape == (1, 624, 833, 3)


def test_pictures_in_tiles_are_asked_for_as_rows_are() -> None:
    """By place, in any order, twice: the tiles of a picture stay together."""
    values = torch.arange(6.0)[:, None]
    tiled = Tiled(values, torch.tensor([1, 3, 2]))
    chosen = tiled[np.array([2, 0, 2])]
    assert chosen.values.flatten().tolist() == [4, 5, 0, 4, 5]
    assert chosen.counts.tolist() == [2, 1, 2]
    assert of_pictures(tiled).flatten().tolist() == [0, 2, 4.5]
    assert tiled.of_tiles(torch.tensor([7, 8, 9])).tolist() == [7, 8, 8, 8, 9, 9]
    assert len(tiled[np.array([], int)]) == 0


def test_an_answer_is_the_mean_of_the_tiles_probabilities() -> None:
    """Softmax of a picture's logits gives the mean back; of features it is as before."""
    torch.manual_seed(0)
    head = ProbeHead(Standardise(3), WhitenedLinear(3, 2, 3))
    torch.nn.init.normal_(head[1].axes)
    torch.nn.init.normal_(head[1].linear.weight)
    means = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    model = BackboneHead(means, head).eval()
    tiles = to_input(pack(view(textured(312, 417), SPEC), SPEC), SPEC)
    with torch.no_grad():
        features, logits = features_and_logits(model, tiles_of_one(tiles))
        each = model(tiles)
        torch.testing.assert_close(logits.softmax(1)[0], each.softmax(1).mean(0))
        torch.testing.assert_close(features[0], head[0](means(tiles)).mean(0))
    sure = Tiled(torch.full((2, 3), 1e6), torch.tensor([2]))
    assert torch.isfinite(head(sure)).all()
