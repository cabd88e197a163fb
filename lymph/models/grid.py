"""Where a picture is cut into tiles, and which of them show tissue; without torch.

Training, answers, explanations and exported models cut alike: a grid of as few tiles as cover the
picture, evenly spread, the outer ones flush with its edges. Of a large picture there are no more
than take as long as a whole picture does, with gaps between them. Tiles of bare glass are left out.
"""

import numpy as np

# A tile is blank when this share of it is bare glass, or when its grey hardly varies.
BLANK_SHARE = 0.95
GLASS = 215
FLAT = 3.0

# The pixels of a picture's tiles together are no more: as many as twice the published size has in
# tiles of 350 pixels. An answer takes the same time then, however large the picture is.
MOST_PIXELS = 6 * 350**2

Box = tuple[slice, slice]


def is_blank(tile: np.ndarray) -> bool:
    """Tell whether a tile, uint8 H x W x 3, shows bare glass or nothing at all."""
    glass = (tile.min(axis=-1) > GLASS).mean()
    return bool(glass >= BLANK_SHARE or tile.mean(axis=-1).std() < FLAT)


def grid_of(height: int, width: int, side: int) -> tuple[int, int]:
    """Return in how many rows and columns of tiles a picture is seen."""
    rows, columns = -(-height // side), -(-width // side)
    while rows * columns > max(1, MOST_PIXELS // side**2):
        # Fewer where they lie closer, so that gaps are alike.
        if columns > 1 and (rows == 1 or columns * height >= rows * width):
            columns -= 1
        else:
            rows -= 1
    return rows, columns


def even_starts(length: int, side: int, count: int) -> list[int]:
    """Return where tiles begin along a side, evenly spread, both ends flush; a single one amid."""
    last = max(0, length - side)
    if count == 1:
        return [last // 2]
    return [round(place * last / (count - 1)) for place in range(count)]


def tissue_boxes(pixels: np.ndarray, side: int) -> tuple[list[Box], int]:
    """Return the tiles of a picture that show tissue, row by row, and how many are blank.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        A picture shorter than a tile has one along that side, as long as it is.
    side : int
        Of a tile, in pixels.
    """
    height, width = pixels.shape[:2]
    rows, columns = grid_of(height, width, side)
    boxes = [
        (slice(row, min(row + side, height)), slice(column, min(column + side, width)))
        for row in even_starts(height, side, rows)
        for column in even_starts(width, side, columns)
    ]
    kept = [box for box in boxes if not is_blank(pixels[box])]
    return kept, len(boxes) - len(kept)


def shows_tissue(pixels: np.ndarray, side: int) -> bool:
    """Tell whether any tile of a picture, uint8 H x W x 3, is not blank."""
    return bool(tissue_boxes(pixels, side)[0])


def cut(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return the tiles of a picture that show tissue, uint8 n x h x w x 3, all of one shape."""
    boxes, _ = tissue_boxes(pixels, side)
    return np.stack([pixels[box] for box in boxes]) if boxes else np.empty((0, 0, 0, 3), np.uint8)
