"""Pictures that share most of their field: crops, small shifts, slight turns, other magnifications.

A fingerprint of a whole picture changes with its frame. So the middle of each picture, turned and
scaled a little in several ways, is looked for in every other picture by normalised
cross-correlation (Lewis 1995, Vision Interface, 120) of small maps in which only structures of a
few cells' size are left, at even contrast: neither brightness nor stain matters.
"""

import base64
from functools import cache

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from lymph.data.stain import optical_density

# Side of a map in points, and of its middle that is looked for, which may lie a fifth elsewhere.
SIDE = 40
MIDDLE = 24
# Structures between these sizes are kept, and contrast is made even over this size, in points.
FINE, COARSE, EVEN = 1.0, 2.5, 3.3

DEGREES = (-10.0, -5.0, 0.0, 5.0, 10.0)
SCALES = (0.8, 0.9, 1.0, 1.11, 1.25)

# All are first compared in so many main directions, at every second place.
DIRECTIONS = 64
PROMISING = 0.6
# Correlation from which two pictures share a field. Different fields stay below 0.76 on the real
# and the drawn lymphoma set; of crops to 80 %, shifts by 5 to 15 % and turns by 5 and 10 degrees
# at least 95 % are above it, whatever their brightness and JPEG quality.
ALIKE = 0.77

# Time grows with the square of the number, and smaller pictures do not hold the structure.
MOST_COMPARED = 2_000
SMALLEST = 80
BLOCK = 100


def field_map(grey: Image.Image) -> str:
    """Return the middle square of a picture as 40 x 40 grey values, base64.

    Empty for a picture of less than 80 pixels a side.
    """
    side = min(grey.size)
    if side < SMALLEST:
        return ""
    left, top = (grey.width - side) // 2, (grey.height - side) // 2
    box = (left, top, left + side, top + side)
    small = grey.resize((SIDE, SIDE), Image.Resampling.BOX, box=box)
    return base64.b64encode(small.tobytes()).decode()


def overlapping(maps: list[str]) -> list[tuple[int, int]]:
    """Return the pairs of pictures that share most of their field, the earlier first.

    Parameters
    ----------
    maps : list of str
        From :func:`field_map`, none of them empty.
    """
    if len(maps) < 2:
        return []
    fields = _fields(maps)
    middles = _middles(fields)
    promising = _promising(fields, middles)
    alike = np.zeros(promising.shape, np.float32)
    for other in np.flatnonzero(promising.any(axis=0)):
        places = _unit(_places(fields[other], 1))
        for one in np.flatnonzero(promising[:, other]):
            alike[one, other] = (middles[one] @ places.T).max()
    # The mean of both ways: by chance, one middle fits somewhere more often than both.
    pairs = np.argwhere(np.triu(alike + alike.T >= 2 * ALIKE))
    return [(int(one), int(other)) for one, other in pairs]


def _fields(maps: list[str]) -> np.ndarray:
    """Return maps, N x 40 x 40 float32, of structure alone."""
    grey = np.frombuffer(b"".join(map(base64.b64decode, maps)), np.uint8)
    density = optical_density(grey.reshape(-1, SIDE, SIDE))
    kept = _smooth(density, FINE) - _smooth(density, COARSE)
    return kept / (np.sqrt(_smooth(kept**2, EVEN)) + 0.01)


def _smooth(maps: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(maps, (0, sigma, sigma))


def _unit(rows: np.ndarray) -> np.ndarray:
    """Return rows of mean 0 and length 1: their products are correlations."""
    return _long_one(rows - rows.mean(axis=-1, keepdims=True))


@cache
def _sampler() -> csr_array:
    """Return the bilinear weights of all turned and scaled middles, 25 * 576 x 1600."""
    middle = (SIDE - 1) / 2
    y, x = np.mgrid[:MIDDLE, :MIDDLE] - (MIDDLE - 1) / 2
    turns = np.radians(DEGREES)[:, None, None]
    sizes = np.array(SCALES)[:, None, None, None]
    down = (middle + sizes * (np.cos(turns) * y - np.sin(turns) * x)).ravel().clip(0, SIDE - 1.001)
    right = (middle + sizes * (np.sin(turns) * y + np.cos(turns) * x)).ravel().clip(0, SIDE - 1.001)
    row, column = down.astype(int), right.astype(int)
    low, far = down - row, right - column
    corners = row * SIDE + column
    weights = ((1 - low) * (1 - far), (1 - low) * far, low * (1 - far), low * far)
    places = (corners, corners + 1, corners + SIDE, corners + SIDE + 1)
    points = np.tile(np.arange(len(corners)), 4)
    entries = (np.concatenate(weights).astype(np.float32), (points, np.concatenate(places)))
    return csr_array(entries, shape=(len(corners), SIDE * SIDE))


def _middles(fields: np.ndarray) -> np.ndarray:
    """Return every picture's middle in 25 positions, N x 25 x 576, as unit vectors."""
    flat = fields.reshape(len(fields), -1)
    sampled = (_sampler() @ flat.T).T
    return _unit(sampled.reshape(len(fields), -1, MIDDLE * MIDDLE))


def _places(fields: np.ndarray, step: int) -> np.ndarray:
    """Return every place of a map that is as large as a middle, ... x places x 576."""
    window = (MIDDLE, MIDDLE)
    views = np.lib.stride_tricks.sliding_window_view(fields, window, axis=(-2, -1))
    views = views[..., ::step, ::step, :, :]
    return views.reshape(*fields.shape[:-2], -1, MIDDLE * MIDDLE)


def _promising(fields: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Tell which pairs may be alike, N x N both ways: a few main directions hold most of a map."""
    count = len(fields)
    # The directions of the maps' own middles, as they stand: the 13th of 25 positions.
    plain = middles[:, middles.shape[1] // 2]
    axes = np.linalg.eigh(plain.T @ plain)[1][:, -DIRECTIONS:]
    short = _long_one(middles @ axes)
    blocks = (fields[start : start + BLOCK] for start in range(0, count, BLOCK))
    places = np.concatenate([_long_one(_unit(_places(block, 2)) @ axes) for block in blocks])
    alike = np.zeros((count, count), bool)
    for row in range(count - 1):
        later = places[row + 1 :]
        products = short[row] @ later.reshape(-1, DIRECTIONS).T
        best = products.max(axis=0).reshape(len(later), -1).max(axis=1)
        alike[row, row + 1 :] = best > PROMISING
    return alike | alike.T


def _long_one(rows: np.ndarray) -> np.ndarray:
    return rows / (np.linalg.norm(rows, axis=-1, keepdims=True) + 1e-6)
