"""Pixels of TIFF pages that Pillow refuses or reads in part: colours as floats, planes of 16 bits.

Uncompressed and deflated pages are read, strip by strip or tile by tile. Nothing is unpacked beyond
the length that a strip or tile has by its page's own size, so memory is that of the result and
two strips.
"""

import math
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from lymph.data.tiff_pages import (
    BITS,
    BLACK_IS_ZERO,
    COMPRESSION,
    EXTRA,
    FLOAT,
    INTEGER,
    MAX_SEGMENTS,
    PHOTOMETRIC,
    PREDICTOR,
    RGB,
    ROWS,
    SAMPLE_FORMAT,
    SIGNED,
    STRIP_COUNTS,
    STRIP_OFFSETS,
    TILE_COUNTS,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    WHITE_IS_ZERO,
    Page,
    read_values,
)
from lymph.errors import PictureError

UNCOMPRESSED, DEFLATED = 1, (8, 32946)
HORIZONTAL = 2
UNSPECIFIED = 0
KINDS = {INTEGER: "u", SIGNED: "i", FLOAT: "f"}
BYTES = {INTEGER: (1, 2, 4), SIGNED: (1, 2, 4), FLOAT: (2, 4, 8)}
METHODS = {
    2: "CCITT", 5: "LZW", 6: "JPEG", 7: "JPEG", 32773: "PackBits", 33003: "JPEG 2000",
    33004: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34887: "LERC",
    34892: "lossy JPEG", 34925: "LZMA", 22610: "JPEG XR", 34934: "JPEG XR", 50000: "Zstandard",
    50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
FORMS = {INTEGER: "-bit integers", SIGNED: "-bit signed integers", FLOAT: "-bit floats"}
EXPORT = "save it as 8-bit or 16-bit RGB, uncompressed"
# The narrowest tile that TIFF 6.0 allows.
TILE_STEP = 16


def type_of(page: Page) -> np.dtype | None:
    """Return the type of a page's values, or None where there is none that fits."""
    form, bits = page.number(SAMPLE_FORMAT, INTEGER), page.number(BITS, 1)
    alike = len(set(page.tags.get(BITS, (1,)))) == 1
    alike = alike and len(set(page.tags.get(SAMPLE_FORMAT, (1,)))) == 1
    if not alike or bits % 8 or bits // 8 not in BYTES.get(form, ()):
        return None
    return np.dtype(f"{page.order}{KINDS[form]}{bits // 8}")


def reason_against(page: Page) -> str:
    """Return why a page's pixels cannot be read here, as a sentence; empty when they can.

    Its words are true of pages that Pillow cannot read either.
    """
    method = page.number(COMPRESSION, UNCOMPRESSED)
    kind = f"{page.number(BITS, 1)}{FORMS.get(page.number(SAMPLE_FORMAT, INTEGER), '-bit values')}"
    kind += " in planes" if page.planar else ""
    photometric = page.number(PHOTOMETRIC, WHITE_IS_ZERO)
    if method != UNCOMPRESSED and method not in DEFLATED:
        name = METHODS.get(method, f"method {method}")
        return f"This TIFF's compression ({name}, {kind}) cannot be read here; {EXPORT}."
    colours = page.samples - len(page.tags.get(EXTRA, ()))
    wanted = {RGB: 3, BLACK_IS_ZERO: 1, WHITE_IS_ZERO: 1}.get(photometric)
    if wanted is None or colours != wanted or page.samples > wanted + 1:
        return (
            f"This TIFF has {page.samples} values per pixel that are not marked as grey or as red,"
            f" green and blue; {EXPORT}."
        )
    predictor = page.number(PREDICTOR, 1)
    stored = type_of(page)
    floats = stored is not None and stored.kind == "f"
    if stored is None or predictor not in (1, HORIZONTAL) or (floats and predictor != 1):
        return (
            f"This TIFF keeps its pixels as {kind}, packed in a way that cannot be read here;"
            f" {EXPORT}."
        )
    return ""


def read_page(file: BinaryIO, page: Page) -> np.ndarray:
    """Return a page's values as they are stored: H x W, or H x W x samples, in its own type.

    A sample that is neither colour nor opacity is left out.

    Raises
    ------
    PictureError
        When its form cannot be read here or the file is damaged.
    """
    reason = reason_against(page)
    if reason:
        raise PictureError(reason)
    width, height = page.size
    if min(width, height) < 1:
        raise _damaged("it has no size")
    planes = page.samples if page.planar else 1
    places = _segments(file, page, planes)
    values = np.empty((planes, height, width, page.samples // planes), type_of(page))
    rows, columns = _segment_size(page)
    for (plane, top, left), (place, count) in zip(_corners(page, planes), places, strict=True):
        tall = rows if TILE_WIDTH in page.tags else min(rows, height - top)
        segment = _decoded(file, page, place, count, (tall, columns, values.shape[3]))
        part = values[plane, top : top + rows, left : left + columns]
        part[:] = segment[: part.shape[0], : part.shape[1]]
    together = np.moveaxis(values[..., 0], 0, -1) if planes > 1 else values[0]
    meaning = page.number(EXTRA, 0)
    together = together[..., : page.samples - (EXTRA in page.tags and meaning == UNSPECIFIED)]
    return together[..., 0] if together.shape[2] == 1 else together


def _segment_size(page: Page) -> tuple[int, int]:
    """Return rows and columns of a strip or a tile, never far beyond the page."""
    width, height = page.size
    if TILE_WIDTH not in page.tags:
        return max(1, min(page.number(ROWS, height), height)), width
    rows, columns = page.number(TILE_HEIGHT, 0), page.number(TILE_WIDTH, 0)
    usual = all(side >= TILE_STEP and side % TILE_STEP == 0 for side in (rows, columns))
    if not usual:
        raise _damaged("its tiles have an impossible size")
    # Tiles much larger than their page would take what the page's size does not tell.
    padded = math.ceil(height / rows) * rows * math.ceil(width / columns) * columns
    if padded > 4 * width * height + 2**20:
        raise _damaged("its tiles have an impossible size")
    return rows, columns


def _corners(page: Page, planes: int) -> Iterator[tuple[int, int, int]]:
    """Yield plane, top row and left column of every strip or tile, in their order."""
    rows, columns = _segment_size(page)
    width, height = page.size
    for plane in range(planes):
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                yield plane, top, left


def _segments(file: BinaryIO, page: Page, planes: int) -> list[tuple[int, int]]:
    """Return place and length of every strip or tile, all of them within the file."""
    tiled = TILE_WIDTH in page.tags
    offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    rows, columns = _segment_size(page)
    number = planes * math.ceil(page.size[1] / rows) * math.ceil(page.size[0] / columns)
    if number > MAX_SEGMENTS or not {offsets, counts} <= page.places.keys():
        raise _damaged("its list of strips is missing or too long")
    found = [read_values(file, page, tag) for tag in (offsets, counts)]
    length = file.seek(0, 2)
    places = list(zip(*found, strict=False))
    if len(places) != number or any(place + count > length for place, count in places):
        raise _damaged("its pixels end early")
    return places


def _decoded(
    file: BinaryIO, page: Page, place: int, count: int, shape: tuple[int, int, int]
) -> np.ndarray:
    """Return the values of one strip or tile."""
    kind = type_of(page)
    assert kind is not None  # see :func:`reason_against`
    needed = math.prod(shape) * kind.itemsize
    file.seek(place)
    # Deflate adds five bytes to a block of what it cannot make smaller, so more is never read.
    data = file.read(min(count, needed + needed // 100 + 1024))
    if page.number(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED:
        data = zlib.decompressobj().decompress(data, needed)
    if len(data) < needed:
        raise _damaged("its pixels end early")
    values = np.frombuffer(data, kind, math.prod(shape)).reshape(shape)
    if page.number(PREDICTOR, 1) == HORIZONTAL:
        values = np.cumsum(values, axis=1, dtype=kind.newbyteorder("="))
    return values


def _damaged(why: str) -> PictureError:
    return PictureError(f"The file is damaged or cut short ({why}); copy it again from its source.")
