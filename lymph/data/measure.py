"""What can be measured of a picture's pixels: stain, colour, sharpness, fingerprints."""

import colorsys
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lymph.data import cache
from lymph.data.depth import read_of, white_of
from lymph.data.overlaps import MOST_COMPARED, field_map
from lymph.data.stain import channel_moments, estimate_stains, optical_density, stain_amounts
from lymph.data.stamps import cache_folder
from lymph.errors import PictureError
from lymph.parallel import Progress

# Sharpness is measured at this long side, so that pictures of any size compare.
LONG_SIDE = 512
COLOUR_SIDE = 96
HASH_SIDE = 16
SQUARE_SIDE = 64

# A pixel with less optical density than this in every channel is bare glass.
GLASS = 0.15

COLOUR_STATISTICS = [f"colour_{i:02}" for i in range(18)]


def colour_statistics(density: np.ndarray) -> np.ndarray:
    """Describe colours, and nothing of shapes, in 18 numbers.

    Mean, deviation and the 10th, 50th and 90th percentile of each channel's optical density, and
    the channels' three correlations.

    Parameters
    ----------
    density : ndarray of float, shape (N, 3)
        Optical densities of the pixels, in any order.
    """
    mean, deviations, pairs = channel_moments(density)
    percentiles = np.percentile(density, (10, 50, 90), axis=0).ravel()
    return np.concatenate([mean, deviations, percentiles, pairs])


def sharpness(grey: np.ndarray) -> float:
    """Return the variance of the Laplacian over the variance of the picture itself.

    The quotient does not move with brightness and contrast (variance of the Laplacian: Pertuz et
    al. 2013, Pattern Recognition 46:1415); a blurred picture loses its Laplacian first.
    """
    if min(grey.shape) < 3:
        return 1.0
    values = grey.astype(np.float32)
    # In place, which halves the time; the sums of whole numbers are exact in any order.
    laplacian = -4.0 * values[1:-1, 1:-1]
    for neighbour in (values[1:-1, :-2], values[1:-1, 2:], values[:-2, 1:-1], values[2:, 1:-1]):
        laplacian += neighbour
    return float(laplacian.var() / (values.var() + 1.0))


def fingerprint(grey: Image.Image) -> str:
    """Return a difference hash of 256 bits, as hexadecimal digits.

    Each bit tells whether a cell of a 16 x 17 grid is brighter than its left neighbour; copies in
    another size, format, quality or brightness differ in a few bits, other pictures in about half.
    """
    small = grey.resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    values = np.asarray(small, np.int16)
    return np.packbits(values[:, 1:] > values[:, :-1]).tobytes().hex()


def upright_fingerprint(grey: Image.Image) -> str:
    """Return the fingerprint of a picture turned and mirrored to a position of its own.

    Of the eight positions of a square copy it is the one with its brightest quarters first, so that
    a copy that was turned or mirrored has the same fingerprint.
    """
    square = np.asarray(grey.resize((SQUARE_SIDE, SQUARE_SIDE), Image.Resampling.BOX))
    half = SQUARE_SIDE // 2
    positions = [np.rot90(side, turns) for side in (square, square.T) for turns in range(4)]

    def quarters(position: np.ndarray) -> tuple[int, ...]:
        blocks = position.reshape(2, half, 2, half).sum(axis=(1, 3), dtype=np.int64)
        return tuple(blocks.ravel().tolist())

    return fingerprint(Image.fromarray(np.ascontiguousarray(max(positions, key=quarters))))


def measure(pixels: np.ndarray) -> dict[str, Any]:
    """Measure one RGB picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    dict
        ``content`` (digest of the pixels), ``fingerprint`` and ``upright_fingerprint``, ``field``
        (a small map to find overlaps by), ``brightness`` (0 to 255), ``contrast`` (deviation of
        brightness), ``clipped`` (share of pure white), ``sharpness``, ``tissue`` (share of pixels
        that are no bare glass), ``haematoxylin`` and ``eosin`` (mean amount in the tissue, 0 or
        more), ``two_stains`` (whether their vectors could be estimated in this picture), ``hue``
        (degrees), ``saturation`` (0 to 1), and the 18 colour statistics.
    """
    picture = Image.fromarray(pixels)
    grey = picture.convert("L")
    middle = grey.copy()
    middle.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BOX)
    brightness = np.asarray(middle)
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=12)
    digest.update(str(pixels.shape).encode())
    return {
        "content": digest.hexdigest(),
        "fingerprint": fingerprint(grey),
        "upright_fingerprint": upright_fingerprint(grey),
        "field": field_map(grey),
        "brightness": _short(brightness.mean()),
        "contrast": _short(brightness.std()),
        "clipped": _short((brightness >= 254).mean()),
        "sharpness": _short(sharpness(brightness)),
        **_colours(pixels, picture),
    }


def _colours(pixels: np.ndarray, picture: Image.Image) -> dict[str, float]:
    resized = picture.resize((COLOUR_SIDE, COLOUR_SIDE), Image.Resampling.BOX)
    small = np.asarray(resized).reshape(-1, 3)
    density = optical_density(small)
    tissue = density.max(axis=1) > GLASS
    found = estimate_stains(pixels)
    stains = stain_amounts(density[tissue] if tissue.any() else density, found.vectors)
    red, green, blue = small.mean(axis=0) / 255.0
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    statistics = zip(COLOUR_STATISTICS, colour_statistics(density), strict=True)
    return {
        "tissue": _short(tissue.mean()),
        "haematoxylin": _short(stains[:, 0].mean()),
        "eosin": _short(stains[:, 1].mean()),
        "two_stains": found.estimated,
        "hue": _short(360.0 * hue),
        "saturation": _short(saturation),
        **{name: _short(value) for name, value in statistics},
    }


def _short(value: float) -> float:
    """Return five significant digits: more is noise, and the cache file would be twice as big."""
    return float(f"{value:.5g}")


# In place of a map that was not kept, since the set was too large then.
TOO_MANY = "-"

UNREADABLE = {
    **measure(np.full((8, 8, 3), 255, np.uint8)),
    "content": "",
    "fingerprint": "",
    "upright_fingerprint": "",
}


# A new column, a new file; and one for each white, of which only the last is kept.
PLAIN = "measures-3.json"


def measures_file(root: Path | str) -> Path:
    """Return the file that holds what was measured of a set's pictures, with its present white."""
    folder = Path(root)
    white = white_of(folder)
    return cache_folder(folder) / (f"measures-3-w{white}.json" if white else PLAIN)


def measured_before(root: Path | str, pictures: list[str]) -> pd.DataFrame:
    """Return what was measured of pictures earlier, without looking at any of them.

    Returns
    -------
    DataFrame
        As :func:`measure_all`, of those pictures that are known and unchanged.
    """
    folder = Path(root)
    known = cache.load(measures_file(folder), cache.stamps_of(folder, pictures))
    return known.reset_index(names="picture")


def measure_all(
    root: Path | str, pictures: list[str], progress: Progress | None = None
) -> pd.DataFrame:
    """Measure every picture once; what is cached of unchanged files is taken as it stands.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : list of str
        Paths below the root.

    Returns
    -------
    DataFrame
        One row a picture in the order given, columns as :func:`measure`; ``content`` is empty
        where a file can no longer be read, and ``field`` where there are too many to compare.
    """
    folder = Path(root)
    white = white_of(folder)
    few = len(pictures) <= MOST_COMPARED

    def look(picture: str) -> dict[str, Any]:
        try:
            seen = measure(read_of(folder, picture, white))
        except PictureError:
            return dict(UNREADABLE)
        # The maps of a hundred thousand pictures would take most of the cache file.
        return seen if few else {**seen, "field": TOO_MANY}

    file = measures_file(folder)
    for other in cache_folder(folder).glob("measures-*.json"):
        if other.name not in (file.name, PLAIN):
            other.unlink(missing_ok=True)
    stamps = cache.stamps_of(folder, pictures)
    known = cache.load(file, stamps)
    if few and len(known):
        known = known[known["field"] != TOO_MANY]
    return cache.fill(file, known, stamps, look, progress).reset_index(names="picture")


def components(measures: pd.DataFrame) -> np.ndarray:
    """Return the first two principal components of the colour statistics, N x 2.

    Each is turned so that its largest weight is positive: the same pictures give the same map.
    """
    values = measures[COLOUR_STATISTICS].to_numpy(np.float64)
    scaled = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    axes = axes[:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return scaled @ (axes * signs[:, None]).T
