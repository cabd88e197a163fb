"""A picture in overlapping tiles: what the model says of each, and of each place."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from lymph.models.grid import Box, is_blank, tissue_boxes
from lymph.parallel import Progress

SIZE = 224
STRIDE = 112
BATCH = 12

# A larger picture is shrunk until its tiles are this few: a minute's work for ResNet-50.
MAX_TILES = 1000

# The map of probabilities is kept at this fraction of the picture's size; tiles are far larger.
MAP_STEP = 8

Predict = Callable[[list[np.ndarray]], np.ndarray]


class TileView(NamedTuple):
    """What a model says of a picture's tiles.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (h, w, K)
        At each place (every eighth pixel) the mean over the tiles that cover it; NaN where all of
        them are blank.
    mean : ndarray of float64, shape (K,)
        Mean probability over the tiles; NaN when all are blank.
    shares : ndarray of float64, shape (K,)
        Share of the tiles that each class wins.
    tiles, blank : int
        Tiles that were answered, and tiles that were skipped.
    shrunk : int
        By what factor a very large picture was shrunk before.
    """

    probabilities: np.ndarray
    mean: np.ndarray
    shares: np.ndarray
    tiles: int
    blank: int
    shrunk: int


def _starts(length: int, size: int, stride: int) -> list[int]:
    """Return where tiles begin along a side; the last one is flush with the edge."""
    last = max(0, length - size)
    return [*range(0, last, stride), last]


def tile_boxes(
    height: int, width: int, size: int = SIZE, stride: int = STRIDE
) -> list[tuple[int, int]]:
    """Return the top left corners (row, column) of a picture's tiles, row by row.

    A picture of 1388 x 1040 has 12 x 9 = 108; one smaller than a tile has one, the whole of it.
    """
    columns = _starts(width, size, stride)
    return [(row, column) for row in _starts(height, size, stride) for column in columns]


def _shrink_to_fit(pixels: np.ndarray) -> tuple[np.ndarray, int]:
    factor = 1
    while len(tile_boxes(pixels.shape[0] // factor, pixels.shape[1] // factor)) > MAX_TILES:
        factor += 1
    if factor > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
    return pixels, factor


def view_tiles(predict: Predict, pixels: np.ndarray, progress: Progress | None = None) -> TileView:
    """Let a model answer every tile of a picture that is not blank.

    Parameters
    ----------
    predict : callable
        From a list of RGB pictures to probabilities, N x K, such as ``Classifier.classify``.
    pixels : ndarray of uint8, shape (H, W, 3)
    progress : callable, optional
        Called with the tiles done and the tiles to do.
    """
    pixels, factor = _shrink_to_fit(pixels)
    corners = tile_boxes(*pixels.shape[:2])
    boxes = [(slice(r, r + SIZE), slice(c, c + SIZE)) for r, c in corners]
    kept = [box for box in boxes if not is_blank(pixels[box])]
    return _view(predict, pixels, kept, len(boxes) - len(kept), progress)._replace(shrunk=factor)


def view_own_tiles(
    predict: Predict, pixels: np.ndarray, side: int, progress: Progress | None = None
) -> TileView:
    """Let a model that learned from tiles answer them; their mean is its answer.

    Parameters
    ----------
    predict, progress
        As of :func:`view_tiles`.
    pixels : ndarray of uint8, shape (H, W, 3)
        The picture at the scale at which the model learned.
    side : int
        Of the tiles, in pixels.
    """
    return _view(predict, pixels, *tissue_boxes(pixels, side), progress)


def _view(
    predict: Predict, pixels: np.ndarray, boxes: list[Box], blank: int, progress: Progress | None
) -> TileView:
    answers = [predict([])]
    for start in range(0, len(boxes), BATCH):
        answers.append(predict([pixels[box] for box in boxes[start : start + BATCH]]))
        if progress:
            progress(min(start + BATCH, len(boxes)), len(boxes))
    values = np.concatenate(answers)
    classes = values.shape[1]
    wins = np.bincount(values.argmax(axis=1), minlength=classes)
    mean = values.mean(axis=0) if len(boxes) else np.full(classes, np.nan)
    painted = _paint(pixels.shape[:2], boxes, values)
    return TileView(painted, mean, wins / max(1, len(boxes)), len(boxes), blank, 1)


def _paint(shape: tuple[int, int], boxes: list[Box], values: np.ndarray) -> np.ndarray:
    """Average the tiles' probabilities at each place, by a sum and a count of the tiles there."""
    height, width = (max(1, round(side / MAP_STEP)) for side in shape)
    total = np.zeros((height, width, values.shape[1]), np.float64)
    count = np.zeros((height, width, 1), np.float64)
    for box, value in zip(boxes, values, strict=True):
        rows, columns = (
            slice(round(side.start / MAP_STEP), round(side.stop / MAP_STEP)) for side in box
        )
        total[rows, columns] += value
        count[rows, columns] += 1
    with np.errstate(invalid="ignore"):
        return (total / count).astype(np.float32)
