"""The one reader of pictures: pages, training and commands all come through here.

Memory: reading takes at most ``PIXEL_BYTES`` a pixel and 16 for each of ``STRIP_PIXELS``, so 1.5 GB
whatever the file, and giants are decoded one after another. Pillow keeps 4 bytes a pixel, the RGB
that is returned takes 3, a decoder up to 5; everything between happens in strips.
"""

import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from lymph.errors import PictureError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})

# A 100-megapixel picture takes 300 MB as RGB; anything larger is a slide or an attack.
MAX_PIXELS = 120_000_000
PIXEL_BYTES = 12
# WebP's decoder holds the whole canvas three times, so that a file of 1 kB could take 1.8 GB.
WEBP_PIXEL_BYTES = 16
# The longest side a JPEG can have. Pillow gathers a row in small pieces and copies all it has for
# each of them: four million pixels in a row take seconds.
MAX_SIDE = 65_535
STRIP_PIXELS = 4_000_000
GIANT_PIXELS = 20_000_000
GIANTS = threading.Lock()

# Pages are counted up to here, so that a file of a million empty pages costs no time.
MAX_PAGES = 100

ORIENTATION = 274
DESCRIPTION = 270
HAMAMATSU = 65420

Source = Path | bytes | BinaryIO

# What a file is when it is no picture: its first bytes, its name, and the remedy.
SNIFF_BYTES = 1024
STRANGERS = (
    (b"GIF8", "a GIF, which keeps 256 colours at most; export the original as PNG or TIFF"),
    (b"%PDF", "a PDF; export the picture from it as PNG or TIFF"),
    (b"PK\x03\x04", "a zip archive; name it .zip, or unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"8BPS", "a Photoshop file; export it as PNG or TIFF"),
    (b"\x00\x00\x00\x0cjP", "a JPEG 2000; export it as PNG or TIFF"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000; export it as PNG or TIFF"),
)


class Header(NamedTuple):
    """What a file says of its picture before any pixel is decoded; sizes in pixels."""

    width: int
    height: int
    mode: str
    bytes: int


class Reading(NamedTuple):
    """A picture as 8-bit RGB, H x W x 3, its format, and a sentence for all that was done to it."""

    pixels: np.ndarray
    format: str
    notes: list[str]


def _opened(source: Source) -> Path | BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _first_bytes(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source[:SNIFF_BYTES]
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                return file.read(SNIFF_BYTES)
        source.seek(0)
        return source.read(SNIFF_BYTES)
    except (OSError, ValueError):
        return b"?"


def _stranger(source: Source) -> str:
    """Say what a file that is no picture is instead, and what to do."""
    first = _first_bytes(source)
    if not first:
        return "The file is empty, not a PNG, JPEG, TIFF, BMP or WebP picture; copy it again."
    text = first.lower()
    kind = next((words for start, words in STRANGERS if first.startswith(start)), "")
    if b"<svg" in text:
        kind = "an SVG drawing, whatever its name says; export it as PNG"
    elif b"<html" in text or b"<!doctype html" in text:
        kind = "a web page (HTML), whatever its name says; save the picture itself"
    elif first[4:8] == b"ftyp":
        kind = "a phone's photo (HEIC, AVIF) or a film; export it as JPEG or PNG"
    elif first[128:132] == b"DICM":
        kind = "a DICOM file; export it as PNG or TIFF"
    generic = "This is not a PNG, JPEG, TIFF, BMP or WebP picture"
    return f"{generic} but {kind}." if kind else f"{generic}."


def _refuse_slides(picture: Image.Image) -> None:
    """Refuse a whole slide with the way to take a picture out of it."""
    if picture.format != "TIFF":
        return
    tags = picture.tag_v2
    aperio = str(tags.get(DESCRIPTION, "")).startswith("Aperio")
    if aperio or HAMAMATSU in tags:
        kind = "Aperio, .svs" if aperio else "Hamamatsu, .ndpi"
        raise PictureError(
            f"This is a whole-slide file ({kind}); open it in a slide viewer and export the region"
            " of interest as PNG or TIFF."
        )


def _refuse_giants(picture: Image.Image) -> None:
    bytes_each = WEBP_PIXEL_BYTES if picture.format == "WEBP" else PIXEL_BYTES
    most = MAX_PIXELS * PIXEL_BYTES // bytes_each
    if picture.width * picture.height > most:
        raise PictureError(
            f"The picture is too large ({picture.width} x {picture.height} pixels);"
            f" cut it to at most {most // 1_000_000} megapixels."
        )
    if max(picture.size) > MAX_SIDE:
        raise PictureError(
            f"The picture is too long ({picture.width} x {picture.height} pixels);"
            f" cut it to at most {MAX_SIDE:,} pixels a side."
        )


@contextmanager
def _picture(source: Source) -> Iterator[Image.Image]:
    """Open a picture and turn every failure of decoding into a PictureError."""
    try:
        with warnings.catch_warnings():
            # Our own bound on the size comes first; Pillow's warning would only repeat it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(_opened(source), formats=FORMATS) as picture:
                _refuse_slides(picture)
                _refuse_giants(picture)
                yield picture
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"The picture is too large; cut it to at most {MAX_PIXELS // 1_000_000} megapixels."
        ) from error
    except FileNotFoundError as error:
        raise PictureError("The file is no longer there; scan the folder again.") from error
    except Image.UnidentifiedImageError as error:
        raise PictureError(_stranger(source)) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files.
        raise PictureError(
            f"The file is damaged or cut short ({_reason(error)}); copy it again from its source."
        ) from error


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
    values = np.asarray(strip)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    return values


def _to_uint8(values: np.ndarray, scale: float) -> np.ndarray:
    """Scale 16-bit, 32-bit and float grey values to 0..255 by the range of their type.

    A plain conversion clips at 255 and turns a 16-bit picture white.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:  # in either byte order
        return (values // 257).astype(np.uint8)
    return np.clip(np.rint(values / scale * 255.0), 0, 255).astype(np.uint8)


def _strips(picture: Image.Image, factor: int) -> Iterator[Image.Image]:
    """Cut a picture into strips of whole multiples of ``factor`` rows."""
    rows = max(1, STRIP_PIXELS // (picture.width * factor)) * factor
    if rows >= picture.height:
        yield picture
        return
    for top in range(0, picture.height, rows):
        yield picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _scale_of(picture: Image.Image, factor: int) -> float:
    """Return the value that becomes white: the end of the range that the values seem to use.

    32-bit integers that hold 16-bit values, and floats between 0 and 1, are common.
    """
    if picture.mode.startswith("I;16"):
        return 65535.0
    tops = [float(_deep_values(s, factor).max(initial=0)) for s in _strips(picture, factor)]
    return next((limit for limit in (1.0, 255.0, 65535.0) if max(tops) <= limit), max(tops))


def _to_rgb(strip: Image.Image, scale: float, factor: int) -> Image.Image:
    """Turn any mode into RGB; transparent parts lie on white, as glass does on a lamp."""
    if _is_deep(strip):
        return Image.fromarray(_to_uint8(_deep_values(strip, factor), scale)).convert("RGB")
    if strip.has_transparency_data:
        layers = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    strip = strip if strip.mode == "RGB" else strip.convert("RGB")
    return strip.reduce(factor) if factor > 1 else strip


def _is_plain(picture: Image.Image) -> bool:
    """Tell whether a picture is 8-bit RGB of ordinary size already, as most are."""
    few = picture.width * picture.height <= STRIP_PIXELS
    return few and picture.mode == "RGB" and not picture.has_transparency_data


def _decode(picture: Image.Image, max_pixels: int | None) -> tuple[np.ndarray, int]:
    """Decode to RGB, strip by strip, shrunk by a whole factor to about ``max_pixels``."""
    factor = 1
    if max_pixels:
        factor = max(1, math.ceil(math.sqrt(picture.width * picture.height / max_pixels)))
    width, height = picture.size
    if factor > 1:  # a JPEG can be decoded at a half, a quarter or an eighth at once
        picture.draft(picture.mode, (width // factor, height // factor))
    picture.load()
    factor = max(1, math.ceil(factor * picture.width / width)) if factor > 1 else 1
    if factor == 1 and _is_plain(picture):
        pixels = np.array(picture)
        return pixels, round(width / pixels.shape[1])
    scale = _scale_of(picture, factor) if _is_deep(picture) else 255.0
    pixels = np.empty((-(-picture.height // factor), -(-picture.width // factor), 3), np.uint8)
    top = 0
    for strip in _strips(picture, factor):
        rows = np.asarray(_to_rgb(strip, scale, factor))
        pixels[top : top + len(rows)] = rows
        top += len(rows)
    return pixels, round(width / pixels.shape[1])


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror as the EXIF orientation, 1 to 8, asks."""
    if orientation in (2, 4, 5, 7):
        pixels = pixels[:, ::-1]
    turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _notes_of(picture: Image.Image, orientation: int, shrunk: int) -> list[str]:
    """Say what had to be done to make this picture 8-bit RGB, upright."""
    notes = []
    if orientation != 1:
        notes.append("It was turned upright, as its camera recorded.")
    if _is_deep(picture):
        kind = "Floating-point" if picture.mode == "F" else "16- or 32-bit"
        notes.append(f"{kind} grey was scaled to 8 bits.")
    elif picture.mode == "CMYK":
        notes.append("Its print colours (CMYK) were turned into RGB, which shifts them.")
    elif picture.mode == "P":
        notes.append("It keeps a palette of at most 256 colours.")
    if picture.has_transparency_data:
        notes.append("Its transparent parts were laid on white.")
    if shrunk > 1:
        notes.append(f"It is very large and was shrunk {shrunk} times.")
    return notes


def _page_note(picture: Image.Image) -> list[str]:
    """Say which page or frame was read when there are several."""
    pages = _pages_of(picture)
    if pages == 1:
        return []
    count = pages if pages <= MAX_PAGES else f"more than {MAX_PAGES}"
    if picture.format == "TIFF":
        return [f"The file has {count} pages; this is page 1."]
    return [f"The file is animated; this is the first of {count} frames."]


def _pages_of(picture: Image.Image) -> int:
    """Count pages or frames, not far beyond ``MAX_PAGES``."""
    if picture.format != "TIFF":  # in the header; going to a frame would decode it
        return getattr(picture, "n_frames", 1)
    pages = 1
    try:
        while pages <= MAX_PAGES:
            picture.seek(pages)
            pages += 1
    except Exception:  # the end, or a damaged later page, which does not harm the first
        pass
    return pages


def read_with_notes(source: Source, max_pixels: int | None = None) -> Reading:
    """Read a picture as 8-bit RGB, upright, the first page of several, and say what was done.

    Parameters
    ----------
    source : Path, bytes or binary file
        PNG, JPEG, TIFF (8, 16 or 32 bit, integer or float), BMP or WebP; grey, RGB, RGBA, palette
        or CMYK.
    max_pixels : int, optional
        A larger picture is shrunk by a whole factor to about this many pixels.

    Raises
    ------
    PictureError
        When it is no picture, is damaged, is a whole slide, or has more than ``MAX_PIXELS`` or a
        side longer than ``MAX_SIDE``.
    """
    with _picture(source) as picture, _one_giant(picture):
        stored = _stored_orientation(picture)
        pixels, shrunk = _decode(picture, max_pixels)
        # Pillow turns a TIFF while it decodes and then forgets the orientation.
        turn = _stored_orientation(picture)
        notes = _notes_of(picture, stored, shrunk)
        form = str(picture.format)
        return Reading(_upright(pixels, turn), form, notes + _page_note(picture))


def _one_giant(picture: Image.Image) -> AbstractContextManager:
    """Let giants be decoded one after another: threads would multiply what one of them takes."""
    return GIANTS if picture.width * picture.height > GIANT_PIXELS else nullcontext()


def _stored_orientation(picture: Image.Image) -> int:
    value = picture.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def read_picture(source: Source) -> np.ndarray:
    """Read a picture as 8-bit RGB, uint8, H x W x 3; see :func:`read_with_notes`.

    Raises
    ------
    PictureError
        As :func:`read_with_notes`.
    """
    return read_with_notes(source).pixels


def read_image(source: Source) -> Image.Image:
    """Read a picture as :func:`read_picture`, for Pillow: one that is plain already is not copied.

    Raises
    ------
    PictureError
        As :func:`read_picture`.
    """
    with _picture(source) as picture:
        if _is_plain(picture) and _stored_orientation(picture) == 1:
            picture.load()
            # Pillow learns of a JPEG's or PNG's orientation, and of transparency, only now.
            if _is_plain(picture) and _stored_orientation(picture) == 1:
                return picture
    return Image.fromarray(read_picture(source))


def read_header(path: Path) -> Header:
    """Read size, mode and length of a picture without decoding its pixels.

    Raises
    ------
    PictureError
        As :func:`read_picture`; a file cut short may only be found out when it is read.
    """
    with _picture(path) as picture:
        return Header(picture.width, picture.height, picture.mode, path.stat().st_size)
