"""The one reader of pictures: pages, training and commands all come through here.

Memory: reading takes at most ``PIXEL_BYTES`` a pixel and 16 for each of ``STRIP_PIXELS``, so 1.5 GB
whatever the file, and giants are decoded one after another. Pillow keeps 4 bytes a pixel, the RGB
that is returned takes 3, a decoder up to 5; everything between happens in strips. A form that takes
more a pixel may have fewer pixels: see :func:`_bytes_each`.
"""

import io
import math
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from lymph.data import tiff_pages
from lymph.data.strangers import Source, stranger
from lymph.data.tiff_pages import Choice
from lymph.data.tiff_pixels import read_page, reason_against, type_of
from lymph.data.values import (
    Decoded,
    factor_for,
    finite,
    from_values,
    range_of,
    to_uint8,
    white_for,
)
from lymph.errors import PictureError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
# The names that each format goes by.
FORMAT_SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "WEBP": (".webp",),
}
SUFFIXES = frozenset(suffix for own in FORMAT_SUFFIXES.values() for suffix in own)

# A 100-megapixel picture takes 300 MB as RGB; anything larger is a slide or an attack.
MAX_PIXELS = 120_000_000
PIXEL_BYTES = 12
# WebP's decoder holds the whole canvas three times, so that a file of 1 kB could take 1.8 GB.
WEBP_PIXEL_BYTES = 16
# 16-bit colour: both bytes of every value, a decoder's strip, and the values put together.
DEEP_PIXEL_BYTES = 16
# The longest side a JPEG can have. Pillow gathers a row in small pieces and copies all it has for
# each of them: four million pixels in a row take seconds.
MAX_SIDE = 65_535
STRIP_PIXELS = 4_000_000
GIANT_PIXELS = 20_000_000
GIANTS = threading.Lock()

ORIENTATION = 274


class Header(NamedTuple):
    """What a file says of its picture before any pixel is decoded; sizes in pixels."""

    width: int
    height: int
    mode: str
    bytes: int


class Reading(NamedTuple):
    """A picture as 8-bit RGB, H x W x 3, its format, and a sentence for all that was done to it.

    ``top`` is the largest value of a picture of 16-bit integers and ``white`` the value that became
    255; both are 0 for all others.
    """

    pixels: np.ndarray
    format: str
    notes: list[str]
    top: int = 0
    white: int = 0


class _Opened(NamedTuple):
    """A file that was found to be a picture; ``picture`` is None where Pillow cannot decode it.

    ``raw`` is Pillow's name of the form in which the pixels are stored, lost when they are decoded.
    """

    source: Source
    picture: Image.Image | None
    tiff: Choice | None
    raw: str

    @property
    def choice(self) -> Choice:
        """The page or pages of a TIFF; only of one can there be more than what Pillow decodes."""
        assert self.tiff is not None
        return self.tiff

    @property
    def decodable(self) -> Image.Image:
        """The picture, where it is for Pillow to decode."""
        assert self.picture is not None
        return self.picture

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.size if self.picture else self.choice.page.size

    @property
    def mode(self) -> str:
        """Pillow's name of what a pixel is."""
        if self.picture and not self.merged:
            return self.picture.mode
        return "RGB" if self.merged or not self.choice.page.grey else "F"

    @property
    def merged(self) -> bool:
        """Whether three pages are its colours."""
        return self.tiff is not None and len(self.tiff.parts) == 3

    @property
    def format(self) -> str:
        """PNG, JPEG, TIFF, BMP or WEBP."""
        return str(self.picture.format) if self.picture else "TIFF"

    @property
    def inverted(self) -> bool:
        """Whether 0 is white, which Pillow and this reader pass over beyond 8 bits."""
        deep = self.picture is None or _is_deep(self.picture)
        page = self.tiff.page if self.tiff else None
        return bool(deep and page and page.grey and page.inverted)


def _opened(source: Source) -> Path | BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _bytes_each(opened: _Opened) -> int:
    """Return the memory that reading takes at most, in bytes a pixel."""
    if opened.format == "WEBP":
        return WEBP_PIXEL_BYTES
    if opened.picture is None or opened.merged:
        # Values as stored and a strip of as many, for there may be one strip; then RGB.
        stored = type_of(opened.choice.page)
        samples = max(len(opened.choice.parts), opened.choice.page.samples)
        return max(PIXEL_BYTES, 2 * samples * (stored.itemsize if stored else 4) + 4)
    return DEEP_PIXEL_BYTES if _is_deep_colour(opened) else PIXEL_BYTES


def _refuse_giants(opened: _Opened) -> None:
    width, height = opened.size
    most = MAX_PIXELS * PIXEL_BYTES // _bytes_each(opened)
    if width * height > most:
        raise PictureError(
            f"The picture is too large ({width} x {height} pixels);"
            f" cut it to at most {most // 1_000_000} megapixels."
        )
    if max(width, height) > MAX_SIDE:
        raise PictureError(
            f"The picture is too long ({width} x {height} pixels);"
            f" cut it to at most {MAX_SIDE:,} pixels a side."
        )


@contextmanager
def _stream(source: Source) -> Iterator[BinaryIO]:
    """Open a source for its bytes."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        yield io.BytesIO(source) if isinstance(source, bytes) else source


@contextmanager
def _pillow(source: Source) -> Iterator[Image.Image | Exception]:
    """Open a picture with Pillow, or return why it is none for it: there may be another way."""
    try:
        picture = Image.open(_opened(source), formats=FORMATS)
    except (Image.UnidentifiedImageError, Image.DecompressionBombError) as error:
        yield error
        return
    with picture:
        yield picture


def _chosen(source: Source) -> Choice | None:
    """Choose the page of a TIFF, or return None for all other files."""
    with _stream(source) as file:
        pages = tiff_pages.list_pages(file)
    return tiff_pages.choose(pages, MAX_PIXELS) if pages else None


def _at_page(picture: Image.Image, tiff: Choice) -> Image.Image | None:
    """Go to the chosen page, or return None when it is not one for Pillow."""
    # Pillow takes every second byte of such planes for a pixel.
    if tiff.page.planar and tiff.page.bits > 8:
        return None
    try:
        picture.seek(tiff.indices[0])
    except Exception:  # a form of pixels that Pillow does not know is a SyntaxError, among others
        return None
    return picture


def _found(source: Source, found: Image.Image | Exception, tiff: Choice | None) -> _Opened:
    """Say who decodes a file, and refuse what nobody can."""
    if isinstance(found, Exception):
        if tiff is None:
            raise found
        picture = None
    else:
        picture = found
    if tiff is not None and picture is not None:
        picture = _at_page(picture, tiff)
    opened = _Opened(source, picture, tiff, _raw_form(picture) if picture else "")
    _refuse_giants(opened)
    if tiff and picture is None and (reason := reason_against(tiff.page)):
        raise PictureError(tiff.slide or reason)
    return opened


@contextmanager
def _picture(source: Source) -> Iterator[_Opened]:
    """Open a picture and turn every failure of decoding into a PictureError."""
    tiff: Choice | None = None
    try:
        with warnings.catch_warnings():
            # Our own bound on the size comes first; Pillow's warning would only repeat it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with _pillow(source) as found:
                if isinstance(found, Exception) or found.format == "TIFF":
                    tiff = _chosen(source)
                yield _found(source, found, tiff)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"The picture is too large; cut it to at most {MAX_PIXELS // 1_000_000} megapixels."
        ) from error
    except FileNotFoundError as error:
        raise PictureError("The file is no longer there; scan the folder again.") from error
    except Image.UnidentifiedImageError as error:
        raise PictureError(stranger(source)) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files.
        damaged = f"The file is damaged or cut short ({_reason(error)})"
        slide = tiff.slide if tiff else ""
        raise PictureError(slide or f"{damaged}; copy it again from its source.") from error


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rstrip(".")[:120]


def _is_deep(picture: Image.Image) -> bool:
    """Tell whether a grey picture holds 16 or 32 bits or floats a pixel."""
    return picture.mode.startswith("I") or picture.mode == "F"


def _deep_values(strip: Image.Image, factor: int) -> np.ndarray:
    """Return the finite grey values of a deep strip, shrunk by a whole factor."""
    if factor > 1:  # shrunk first: there is less to convert
        strip = (strip.convert("I") if strip.mode.startswith("I;16") else strip).reduce(factor)
    return finite(np.asarray(strip))


def _strips(picture: Image.Image, factor: int) -> Iterator[Image.Image]:
    """Cut a picture into strips of whole multiples of ``factor`` rows."""
    rows = max(1, STRIP_PIXELS // (picture.width * factor)) * factor
    if rows >= picture.height:
        yield picture
        return
    for top in range(0, picture.height, rows):
        yield picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _scale_of(picture: Image.Image, factor: int, white: int) -> tuple[int, float]:
    """Return the largest value of 16-bit grey, 0 for other grey, and the value that becomes white.

    32-bit integers that hold 16-bit values, and floats between 0 and 1, are common.
    """
    if picture.mode.startswith("I;16"):
        top = max(int(np.asarray(strip).max(initial=0)) for strip in _strips(picture, 1))
        return top, white_for(top, white)
    tops = [float(_deep_values(s, factor).max(initial=0)) for s in _strips(picture, factor)]
    return 0, range_of(max(tops))


def _to_rgb(strip: Image.Image, scale: float, factor: int) -> Image.Image:
    """Turn any mode into RGB; transparent parts lie on white, as glass does on a lamp."""
    if _is_deep(strip):
        return Image.fromarray(to_uint8(_deep_values(strip, factor), scale)).convert("RGB")
    if strip.has_transparency_data:
        layers = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    strip = strip if strip.mode == "RGB" else strip.convert("RGB")
    return strip.reduce(factor) if factor > 1 else strip


def _is_plain(picture: Image.Image) -> bool:
    """Tell whether a picture is 8-bit RGB of ordinary size already, as most are."""
    few = picture.width * picture.height <= STRIP_PIXELS
    return few and picture.mode == "RGB" and not picture.has_transparency_data


def _decode(picture: Image.Image, max_pixels: int | None, white: int) -> Decoded:
    """Decode to RGB, strip by strip, shrunk by a whole factor to about ``max_pixels``."""
    factor = factor_for(picture.size, max_pixels)
    width, height = picture.size
    if factor > 1:  # a JPEG can be decoded at a half, a quarter or an eighth at once
        picture.draft(picture.mode, (width // factor, height // factor))
    picture.load()
    factor = max(1, math.ceil(factor * picture.width / width)) if factor > 1 else 1
    if factor == 1 and _is_plain(picture):
        pixels = np.array(picture)
        return Decoded(pixels, round(width / pixels.shape[1]))
    top_value, scale = _scale_of(picture, factor, white) if _is_deep(picture) else (0, 255.0)
    pixels = np.empty((-(-picture.height // factor), -(-picture.width // factor), 3), np.uint8)
    top = 0
    for strip in _strips(picture, factor):
        rows = np.asarray(_to_rgb(strip, scale, factor))
        pixels[top : top + len(rows)] = rows
        top += len(rows)
    shrunk = round(width / pixels.shape[1])
    return Decoded(pixels, shrunk, top_value, int(scale) if top_value else 0)


def _raw_form(picture: Image.Image) -> str:
    tiles = getattr(picture, "tile", [])  # only a picture from a file has some
    if not tiles:
        return ""
    given = tiles[0].args
    return str(given[0] if isinstance(given, tuple) and given else given)


def _is_deep_colour(opened: _Opened) -> bool:
    """Tell whether colours, or grey with transparency, hold 16 bits: Pillow returns 8 of them."""
    known = opened.picture is not None and opened.picture.mode in ("RGB", "RGBA")
    return known and ";16" in opened.raw


def _deep_colours(opened: _Opened) -> np.ndarray:
    """Return 16-bit colours whole, uint16, H x W x 3, or x 2 or 4 with transparency.

    Pillow gives the higher byte of each value; told the other byte order, it gives the lower one.
    """
    raw = opened.raw
    if raw.startswith("LA"):  # grey and transparency are four bytes, which RGBA returns as they are
        stored = _stored_bytes(opened, "RGBA")
        return stored.view(">u2") if stored.flags.c_contiguous else stored.copy().view(">u2")
    raw = raw.replace("RGBa", "RGBA")
    native = "B" if sys.byteorder == "little" else "L"
    values = _stored_bytes(opened, raw).astype(np.uint16)
    values <<= 8
    values |= _stored_bytes(opened, raw[:-1] + {"L": "B", "B": "L", "N": native}[raw[-1]])
    key = opened.decodable.info.get("transparency")
    if isinstance(key, tuple) and values.shape[2] == 3:
        clear = (values == key).all(axis=-1, keepdims=True)
        return np.concatenate([values, np.where(clear, 0, 65535).astype(np.uint16)], axis=-1)
    return values


def _with_form(given: str | tuple | None, raw: str) -> str | tuple:
    return (raw, *given[1:]) if isinstance(given, tuple) else raw


def _stored_bytes(opened: _Opened, raw: str) -> np.ndarray:
    """Decode a picture anew, as though its pixels were stored in another form."""
    with Image.open(_opened(opened.source), formats=FORMATS) as picture:
        if opened.tiff:
            picture.seek(opened.tiff.indices[0])
        picture.tile = [tile._replace(args=_with_form(tile.args, raw)) for tile in picture.tile]
        picture.load()
        return np.asarray(picture)


def _merged(opened: _Opened) -> np.ndarray:
    """Return three grey pages as the colours of one picture, H x W x 3, in the type they have."""
    planes = []
    for index, page in zip(opened.choice.indices, opened.choice.parts, strict=True):
        if opened.picture is None or not reason_against(page):
            with _stream(opened.source) as file:
                planes.append(_upright(read_page(file, page), page.orientation))
            continue
        opened.picture.seek(index)
        opened.picture.load()
        planes.append(np.array(opened.picture))
    return np.stack(planes, axis=-1)


def _values_of(opened: _Opened) -> np.ndarray | None:
    """Return the values of a picture that Pillow does not bring to RGB; None for all others."""
    if opened.merged:
        return _merged(opened)
    if opened.picture is None:
        with _stream(opened.source) as file:
            values = read_page(file, opened.choice.page)
        return _upright(values, opened.choice.page.orientation)
    return _deep_colours(opened) if _is_deep_colour(opened) else None


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror as the EXIF orientation, 1 to 8, asks."""
    if orientation in (2, 4, 5, 7):
        pixels = pixels[:, ::-1]
    turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _notes_of(opened: _Opened, orientation: int, decoded: Decoded) -> list[str]:
    """Say what had to be done to make this picture 8-bit RGB, upright."""
    notes, picture = [], opened.picture
    if orientation != 1:
        notes.append("It was turned upright, as its camera recorded.")
    if decoded.white:
        notes.append(
            f"Its 16-bit values were scaled to 8 bits; {decoded.white:,} is shown as white."
        )
    elif picture is None:
        notes.append(f"Its values, {_kind_of(opened)}, were scaled to 8 bits.")
    elif _is_deep(picture):
        kind = "Floating-point" if picture.mode == "F" else "16- or 32-bit"
        notes.append(f"{kind} grey was scaled to 8 bits.")
    elif picture.mode == "CMYK":
        notes.append("Its print colours (CMYK) were turned into RGB, which shifts them.")
    elif picture.mode == "P":
        notes.append("It keeps a palette of at most 256 colours.")
    if decoded.transparent or (picture is not None and picture.has_transparency_data):
        notes.append("Its transparent parts were laid on white.")
    if decoded.shrunk > 1:
        notes.append(f"It is very large and was shrunk {decoded.shrunk} times.")
    return notes


def _kind_of(opened: _Opened) -> str:
    kind = type_of(opened.choice.page)
    assert kind is not None  # or its page would have been refused
    name = {"f": "floats", "i": "signed integers", "u": "integers"}[kind.kind]
    return f"{8 * kind.itemsize}-bit {name}"


def _frame_note(opened: _Opened) -> list[str]:
    """Say which page or frame was read when there are several."""
    if opened.tiff:
        return opened.tiff.note
    # In the header: going to a frame would decode it.
    frames = getattr(opened.picture, "n_frames", 1)
    if frames == 1:
        return []
    count = frames if frames <= tiff_pages.MAX_PAGES else f"more than {tiff_pages.MAX_PAGES}"
    return [f"The file is animated; this is the first of {count} frames."]


def read_with_notes(source: Source, max_pixels: int | None = None, white: int = 0) -> Reading:
    """Read a picture as 8-bit RGB, upright, and say what was done.

    Of a TIFF's pages the largest is read; three grey pages that are said to be colours are one
    picture. Of an animation the first frame is read.

    Parameters
    ----------
    source : Path, bytes or binary file
        PNG, JPEG, TIFF (8, 16 or 32 bit, integer or float), BMP or WebP; grey, RGB, RGBA, palette
        or CMYK.
    max_pixels : int, optional
        A larger picture is shrunk by a whole factor to about this many pixels.
    white : int
        The value that becomes 255 in 16-bit integers, as judged over a set; a picture with a
        larger value, and any picture where it is 0, is judged by itself (:func:`white_for`).

    Raises
    ------
    PictureError
        When it is no picture, is damaged, is a whole slide, does not say which page is meant, or
        has more than ``MAX_PIXELS`` or a side longer than ``MAX_SIDE``.
    """
    with _picture(source) as opened, _one_giant(opened):
        # Before the orientation is asked for, which may decode the picture and keep it.
        values = _values_of(opened)
        stored = _orientation_of(opened)
        turn = 1
        if values is None:
            decoded = _decode(opened.decodable, max_pixels, white)
            # Pillow turns a TIFF while it decodes and then forgets the orientation.
            turn = _stored_orientation(opened.decodable)
        else:
            decoded = from_values(
                values, max_pixels, white, _is_premultiplied(opened), STRIP_PIXELS
            )
            # A PNG's turn is left to do; those of TIFFs were done with their pages.
            turn = stored if opened.tiff is None else 1
        del values
        pixels = 255 - decoded.pixels if opened.inverted else decoded.pixels
        notes = _notes_of(opened, stored, decoded) + _frame_note(opened)
        return Reading(_upright(pixels, turn), opened.format, notes, decoded.top, decoded.white)


def _is_premultiplied(opened: _Opened) -> bool:
    return opened.tiff is not None and opened.tiff.page.premultiplied


def _one_giant(opened: _Opened) -> AbstractContextManager:
    """Let giants be decoded one after another: threads would multiply what one of them takes."""
    return GIANTS if math.prod(opened.size) > GIANT_PIXELS else nullcontext()


def _orientation_of(opened: _Opened) -> int:
    if opened.tiff:
        return opened.tiff.page.orientation
    return _stored_orientation(opened.decodable)


def _stored_orientation(picture: Image.Image) -> int:
    value = picture.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def read_picture(source: Source, white: int = 0) -> np.ndarray:
    """Read a picture as 8-bit RGB, uint8, H x W x 3; see :func:`read_with_notes`.

    Raises
    ------
    PictureError
        As :func:`read_with_notes`.
    """
    return read_with_notes(source, white=white).pixels


def read_image(source: Source, white: int = 0) -> Image.Image:
    """Read a picture as :func:`read_picture`, for Pillow: one that is plain already is not copied.

    Raises
    ------
    PictureError
        As :func:`read_picture`.
    """
    with _picture(source) as opened:
        picture = opened.picture
        if (
            picture
            and not _is_deep_colour(opened)
            and _is_plain(picture)
            and _stored_orientation(picture) == 1
        ):
            picture.load()
            # Pillow learns of a JPEG's or PNG's orientation, and of transparency, only now.
            if _is_plain(picture) and _stored_orientation(picture) == 1:
                return picture
    return Image.fromarray(read_picture(source, white))


def read_header(path: Path) -> Header:
    """Read size, mode and length of a picture without decoding its pixels.

    Raises
    ------
    PictureError
        As :func:`read_picture`; a file cut short may only be found out when it is read.
    """
    with _picture(path) as opened:
        return Header(*opened.size, opened.mode, path.stat().st_size)
