"""What a file is when it is no picture, and what to do about it."""

from pathlib import Path
from typing import BinaryIO

Source = Path | bytes | BinaryIO

# Its first bytes, its name, and the remedy.
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


def stranger(source: Source) -> str:
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
