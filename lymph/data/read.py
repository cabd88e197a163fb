"""The one reader of pictures: pages, training and commands all come through here."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from lymph.errors import PictureError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})

# A 100-megapixel picture takes 300 MB as RGB; anything larger is a slide or an attack.
MAX_PIXELS = 120_000_000

Source = Path | bytes | BinaryIO


class Header(NamedTuple):
    """What a file says of its picture before any pixel is decoded; sizes in pixels."""

    width: int
    height: int
    mode: str
    bytes: int


def _opened(source: Source) -> Path | BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


@contextmanager
def _picture(source: Source) -> Iterator[Image.Image]:
    """Open a picture and turn every failure of decoding into a PictureError."""
    try:
        with warnings.catch_warnings():
            # Our own bound on the size comes first; Pillow's warning would only repeat it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(_opened(source), formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise PictureError(
                        f"The picture is too large ({picture.width} x {picture.height} pixels);"
                        f" cut it to at most {MAX_PIXELS // 1_000_000} megapixels."
                    )
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
        raise PictureError("This is not a PNG, JPEG, TIFF, BMP or WebP picture.") from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files.
        raise PictureError(f"The file is damaged or cut short ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rstrip(".")[:120]


def _to_uint8(values: np.ndarray) -> np.ndarray:
    """Scale 16-bit, 32-bit and float grey values to 0..255 by the range of their type.

    A plain conversion clips at 255 and turns a 16-bit picture white. 32-bit integers that hold
    16-bit values, and floats between 0 and 1, are common; the range follows the values there.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:  # in either byte order
        return (values // 257).astype(np.uint8)
    floats = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    top = float(floats.max(initial=0.0))
    scale = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    return np.clip(np.rint(floats / scale * 255.0), 0, 255).astype(np.uint8)


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Turn any mode into RGB; transparent parts lie on white, as glass does on a lamp."""
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = Image.fromarray(_to_uint8(np.asarray(picture)))
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    return picture.convert("RGB")


def read_picture(source: Source) -> np.ndarray:
    """Read a picture as 8-bit RGB, upright, the first page of several.

    Parameters
    ----------
    source : Path, bytes or binary file
        PNG, JPEG, TIFF (8, 16 or 32 bit), BMP or WebP; grey, RGB, RGBA, palette or CMYK.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)

    Raises
    ------
    PictureError
        When it is no picture, is damaged, or has more than ``MAX_PIXELS`` pixels.
    """
    with _picture(source) as picture:
        return np.asarray(_to_rgb(ImageOps.exif_transpose(picture)))


def read_header(path: Path) -> Header:
    """Read size, mode and length of a picture without decoding its pixels.

    Raises
    ------
    PictureError
        As :func:`read_picture`; a file cut short may only be found out when it is read.
    """
    with _picture(path) as picture:
        return Header(picture.width, picture.height, picture.mode, path.stat().st_size)
