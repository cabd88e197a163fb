"""The one reader: formats, modes, orientation, and the refusal of everything else."""

import io
import random
import struct
import subprocess
import sys
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from lymph.data import read, tiff_pages
from lymph.data.read import read_header, read_picture, read_with_notes
from lymph.errors import PictureError

GREY = np.array([[0, 40, 80, 120], [160, 200, 240, 255]], np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)
DEEP = np.array([[0, 128, 257, 1000], [30_000, 40_000, 65_000, 65_535]], np.uint16)
LOSSLESS = ["PNG", "TIFF", "BMP", "WEBP"]
ORIENTATION = 274


def encode(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return the bytes of a file of this form."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def tiff_16(values: np.ndarray, order: str) -> bytes:
    """Write an uncompressed 16-bit TIFF, grey or RGB, by hand: Pillow writes no 16-bit RGB."""
    height, width = values.shape[:2]
    samples = 1 if values.ndim == 2 else 3
    data = values.astype(np.dtype(np.uint16).newbyteorder(order)).tobytes()
    tags = {
        256: width, 257: height, 258: 16, 259: 1, 262: 1 if samples == 1 else 2, 273: 0,
        277: samples, 278: height, 279: len(data),
    }  # fmt: skip
    after = 8 + 2 + 12 * len(tags) + 4
    tags[273] = after + 6  # the strip follows three words: the bits of each sample
    entries = b""
    for tag, value in tags.items():
        if tag == 258 and samples == 3:
            entries += struct.pack(f"{order}HHII", tag, 3, 3, after)
        else:
            entries += struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, len(tags))
    bits = struct.pack(f"{order}HHH", 16, 16, 16)
    return head + entries + struct.pack(f"{order}I", 0) + bits + data


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and has no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + b"\x35\xaf\x06\x1e"


def assert_refused(source: bytes | Path, match: str) -> None:
    """Require a PictureError with this text."""
    with pytest.raises(PictureError, match=match):
        read_picture(source)


@pytest.mark.parametrize("form", LOSSLESS)
def test_rgb_comes_out_as_it_went_in(form: str) -> None:
    """Every lossless format gives back each RGB value, as uint8 of shape (H, W, 3)."""
    options = {"lossless": True} if form == "WEBP" else {}
    pixels = read_picture(encode(Image.fromarray(COLOUR), form, **options))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, COLOUR)


@pytest.mark.parametrize("form", LOSSLESS)
def test_grey_becomes_three_equal_channels(form: str) -> None:
    """Grey pictures come out as RGB with the same value in each channel."""
    options = {"lossless": True} if form == "WEBP" else {}
    pixels = read_picture(encode(Image.fromarray(GREY), form, **options))
    np.testing.assert_array_equal(pixels, np.stack([GREY] * 3, axis=-1))


def test_jpeg_is_close() -> None:
    """A smooth JPEG, colour or grey, differs from its origin by a few levels only."""
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None] * 3 + 20, (64, 64))
    colour = np.stack([ramp, ramp, np.full_like(ramp, 90)], axis=-1)
    for source, expected in ((ramp, np.stack([ramp] * 3, -1)), (colour, colour)):
        pixels = read_picture(encode(Image.fromarray(np.ascontiguousarray(source)), "JPEG"))
        assert np.abs(pixels.astype(int) - expected).max() <= 12


@pytest.mark.parametrize("form", ["TIFF", "PNG"])
def test_16_bit_grey_is_scaled_not_clipped(form: str) -> None:
    """16-bit grey spans 0 to 255 evenly; a plain conversion would turn it white above 255."""
    pixels = read_picture(encode(Image.fromarray(DEEP), form))
    expected = np.stack([DEEP / 257] * 3, axis=-1)
    assert np.abs(pixels - expected).max() <= 1
    assert pixels.min() == 0 and pixels.max() == 255


@pytest.mark.parametrize("form", ["L", "RGB"])
def test_16_bit_tiff_reads_alike_in_both_byte_orders(form: str) -> None:
    """Regression: a dark big-endian 16-bit picture was stretched, its little-endian twin not."""
    for values, white in ((DEEP, 65_535), (DEEP // 17, 4_095), (DEEP // 300, 255)):
        values = values if form == "L" else np.stack([values, values[::-1], values], axis=-1)
        little, big = (read_picture(tiff_16(values, order)) for order in "<>")
        np.testing.assert_array_equal(little, big)
        expected = values if values.ndim == 3 else np.stack([values] * 3, axis=-1)
        np.testing.assert_array_equal(little, expected.astype(int) * 255 // white)


@pytest.mark.parametrize("top", [1.0, 255.0, 65_535.0])
def test_float_tiff_is_scaled_by_its_range(top: float) -> None:
    """Floats up to 1, 255 or 65535 all span 0 to 255; NaN and infinite values are black."""
    values = (GREY / 255 * top).astype(np.float32)
    pixels = read_picture(encode(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(pixels, np.stack([GREY] * 3, axis=-1))
    values[0, 1], values[0, 2], values[0, 3] = np.nan, np.inf, -5
    pixels = read_picture(encode(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(pixels[0, 1:], 0)
    np.testing.assert_array_equal(pixels[1, :, 0], GREY[1])


def test_32_bit_integers_that_hold_16_bit_values() -> None:
    """A 32-bit integer TIFF of 16-bit values is scaled as a 16-bit one."""
    pixels = read_picture(encode(Image.fromarray(DEEP.astype(np.int32)), "TIFF"))
    assert np.abs(pixels[..., 0] - DEEP / 257).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_transparent_parts_lie_on_white(form: str) -> None:
    """RGBA and LA over white: opaque stays, clear is white, half is half-way."""
    alpha = np.array([[255, 0, 255, 128], [255, 0, 255, 128]], np.uint8)
    for values in (np.dstack([COLOUR, alpha]), np.dstack([GREY, alpha])):
        mode = "RGBA" if values.shape[2] == 4 else "LA"
        picture = Image.fromarray(values)
        assert picture.mode == mode
        pixels = read_picture(encode(picture, form)).astype(int)
        plain = COLOUR if mode == "RGBA" else np.stack([GREY] * 3, axis=-1)
        share = alpha[..., None] / 255
        assert np.abs(pixels - (plain * share + 255 * (1 - share))).max() <= 1
        assert (pixels[:, 1] == 255).all()


def test_palette_with_and_without_transparency() -> None:
    """Palette entries become their colours; the transparent one becomes white."""
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).copy()
    picture.putpalette([10, 20, 30, 200, 100, 50, 1, 2, 3])
    assert picture.mode == "P"
    expected = [[10, 20, 30], [200, 100, 50], [1, 2, 3]]
    assert read_picture(encode(picture, "PNG"))[0].tolist() == expected
    clear = read_picture(encode(picture, "PNG", transparency=1))[0].tolist()
    assert clear == [expected[0], [255, 255, 255], expected[2]]


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_transparent_colour_lies_on_white(mode: str) -> None:
    """A PNG without alpha that names one colour transparent shows white there, the rest as is."""
    values = {"1": GREY > 100, "L": GREY, "RGB": COLOUR}[mode]
    key = tuple(COLOUR[0, 0].tolist()) if mode == "RGB" else 0
    pixels = read_picture(encode(Image.fromarray(values), "PNG", transparency=key))
    plain = np.asarray(Image.fromarray(values).convert("RGB")).copy()
    clear = np.equal(COLOUR, COLOUR[0, 0]).all(-1) if mode == "RGB" else (values == 0)
    plain[clear] = 255
    np.testing.assert_array_equal(pixels, plain)


def test_cmyk_is_ink() -> None:
    """No ink is white, full cyan has no red, full black is black; TIFF exactly, JPEG nearly."""
    inks = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255)]
    for ink, colour in zip(inks, ([255] * 3, [0, 255, 255], [0] * 3), strict=True):
        picture = Image.new("CMYK", (8, 8), ink)
        assert read_picture(encode(picture, "TIFF"))[4, 4].tolist() == colour
        jpeg = read_picture(encode(picture, "JPEG", quality=95))[4, 4].astype(int)
        assert np.abs(jpeg - colour).max() <= 4


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_black_and_white(form: str) -> None:
    """1-bit pictures come out as 0 and 255."""
    bits = GREY > 100
    pixels = read_picture(encode(Image.fromarray(bits), form))
    np.testing.assert_array_equal(pixels, np.stack([bits * 255] * 3, axis=-1))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_pictures_come_out_upright(form: str, orientation: int, turns: int) -> None:
    """The camera's orientation is applied, and applied once, in every format that has it."""
    blocks = np.kron(COLOUR, np.ones((16, 16, 1), np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    pixels = read_picture(encode(Image.fromarray(blocks), form, exif=exif, **options))
    expected = np.rot90(blocks, turns)
    assert pixels.shape == expected.shape
    middle = (slice(8, None, 16), slice(8, None, 16))
    assert np.abs(pixels[middle].astype(int) - expected[middle]).max() <= 25 * (form == "JPEG")


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_the_first_frame_of_several_is_read(form: str) -> None:
    """An animation gives its first frame."""
    pages = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encode(pages[0], form, save_all=True, append_images=pages[1:], **options)
    np.testing.assert_array_equal(read_picture(data), np.asarray(pages[0]))


def test_every_source_gives_the_same(tmp_path: Path) -> None:
    """A path, its bytes and an open file give the same pixels; the header agrees with them."""
    data = encode(Image.fromarray(COLOUR), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for source in (path, data, io.BytesIO(data)):
        np.testing.assert_array_equal(read_picture(source), COLOUR)
    assert read_header(path) == (4, 2, "RGB", len(data))


def test_the_extension_does_not_matter(tmp_path: Path) -> None:
    """A JPEG named .png is read by what it is."""
    path = tmp_path / "a.png"
    path.write_bytes(encode(Image.new("RGB", (9, 7), "white"), "JPEG"))
    assert read_picture(path).shape == (7, 9, 3)
    assert (read_picture(path) > 250).all()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_truncated_files_are_damaged(form: str) -> None:
    """Half a file is an error with its reason, never half a picture."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encode(Image.fromarray(noise), form)
    assert_refused(data[: len(data) // 2], "damaged or cut short|not a PNG")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just text",
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
        b"<!doctype html><html><body>404 Not Found</body></html>",
        b"%PDF-1.4",
        b"PK\x03\x04",
        bytes(5000),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty files, text, SVG, HTML and others named .png are told to be no picture."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert_refused(path, "not a PNG, JPEG, TIFF, BMP or WebP")
    with pytest.raises(PictureError, match="not a PNG"):
        read_header(path)


@pytest.mark.parametrize("form", ["GIF", "PPM", "ICO", "PDF"])
def test_formats_outside_the_list_are_refused(form: str) -> None:
    """Only the formats promised are decoded: fewer decoders, fewer surprises."""
    assert_refused(encode(Image.new("RGB", (16, 16)), form), "not a PNG")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    """A file that is gone says so; a folder is no picture."""
    assert_refused(tmp_path / "gone.png", "no longer there")
    assert_refused(tmp_path, "damaged|not a PNG")


def test_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is on pixels: one more is refused with its size, the bound itself is read."""
    monkeypatch.setattr(read, "MAX_PIXELS", 8)
    assert read_picture(encode(Image.fromarray(COLOUR), "PNG")).shape == (2, 4, 3)
    assert_refused(encode(Image.new("RGB", (3, 3)), "PNG"), r"too large \(3 x 3 pixels\)")


@pytest.mark.parametrize("side", [11_000, 100_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    """A file that claims a giant picture is refused without decoding it and without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_refused(png_header(side, side), "too large.*120 megapixels")


def samples() -> list[bytes]:
    """Return one small sound file of each format and of the modes with code of their own."""
    rng = np.random.default_rng(1)
    picture = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    files = [encode(picture, form) for form in ("PNG", "JPEG", "TIFF", "BMP", "WEBP")]
    files += [encode(picture.convert("P"), "PNG", transparency=3), encode(picture, "TIFF")]
    files += [encode(picture.convert("RGBA"), "TIFF", compression="tiff_lzw")]
    files += [encode(picture.convert("CMYK"), "JPEG"), tiff_16(DEEP, ">"), png_header(5, 5)]
    return files


SAMPLES = samples()


def must_read_or_refuse(data: bytes) -> None:
    """Require an RGB picture or a PictureError of one line; any other exception fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels = read_picture(data)
        except PictureError as error:
            message = str(error)
        else:
            assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
            return
    assert message and "\n" not in message


FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(data=st.binary(max_size=400), head=st.sampled_from([b"", *(s[:16] for s in SAMPLES)]))
def test_random_bytes_only_raise_picture_errors(
    monkeypatch: pytest.MonkeyPatch, data: bytes, head: bytes
) -> None:
    """Random bytes, bare or behind the first bytes of a true file, are refused properly."""
    monkeypatch.setattr(read, "MAX_PIXELS", 100_000)
    must_read_or_refuse(head + data)


@FUZZ
@given(sample=st.sampled_from(range(len(SAMPLES))), seed=st.integers(0, 2**32))
def test_mutated_files_only_raise_picture_errors(
    monkeypatch: pytest.MonkeyPatch, sample: int, seed: int
) -> None:
    """Sound files with bytes changed, cut out, doubled or cut off are read or refused properly."""
    monkeypatch.setattr(read, "MAX_PIXELS", 100_000)
    chance = random.Random(seed)
    data = bytearray(SAMPLES[sample])
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randint(1, 20)]
            case 2:
                data[place:place] = data[place : place + chance.randint(1, 20)]
            case _:
                data[min(place, 64) : min(place, 64) + 2] = chance.randbytes(2)
        data = data or bytearray(b"\0")
    must_read_or_refuse(bytes(data))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"<?xml version='1.0'?><SVG xmlns='x'><rect/></SVG>", "an SVG drawing"),
        (b"<!DOCTYPE html><p>404", "a web page"),
        (b"%PDF-1.4", "a PDF"),
        (b"PK\x03\x04" + bytes(50), "a zip archive"),
        (b"GIF89a" + bytes(50), "a GIF"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"just text", "not a PNG"),
    ],
)
def test_what_it_is_instead_is_told_with_the_remedy(content: bytes, words: str) -> None:
    """Each from a path, bytes and a file gives the same sentence."""
    assert_refused(content, words)
    assert_refused(io.BytesIO(content), words)


@pytest.mark.parametrize(
    ("mode", "form", "words"),
    [
        ("I;16", "PNG", "16-bit values were scaled to 8 bits; 65,535 is shown as white"),
        ("I;16", "TIFF", "16-bit values were scaled to 8 bits; 65,535 is shown as white"),
        ("I", "TIFF", "16- or 32-bit grey was scaled"),
        ("F", "TIFF", "Floating-point grey was scaled"),
        ("CMYK", "TIFF", "CMYK"),
        ("CMYK", "JPEG", "CMYK"),
        ("P", "PNG", "palette"),
        ("RGBA", "PNG", "transparent parts were laid on white"),
        ("LA", "PNG", "transparent parts were laid on white"),
    ],
)
def test_what_was_done_is_told(mode: str, form: str, words: str) -> None:
    """One sentence for each kind."""
    picture = Image.fromarray(DEEP) if mode == "I;16" else Image.fromarray(COLOUR).convert(mode)
    (note,) = read_with_notes(encode(picture, form)).notes
    assert words in note


def test_an_ordinary_picture_needs_no_word() -> None:
    """8-bit RGB and grey, in every format."""
    for form in ("PNG", "JPEG", "TIFF", "BMP", "WEBP"):
        reading = read_with_notes(encode(Image.fromarray(COLOUR), form))
        assert (reading.notes, reading.format) == ([], form)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_turning_is_told(form: str) -> None:
    """Also where Pillow has turned the picture by itself."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    (note,) = read_with_notes(encode(Image.fromarray(COLOUR), form, exif=exif)).notes
    assert "turned upright" in note


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations(orientation: int) -> None:
    """The same as Pillow's own turning."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encode(Image.fromarray(COLOUR), "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(read_picture(data), np.asarray(expected))


def test_a_row_of_millions_of_pixels_is_refused() -> None:
    """A canvas of 4,269,854 x 20, claimed by the header of an animation, took 4 s to read."""
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    data = bytearray(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert data[12:16] == b"VP8X"
    data[24:27] = (4_269_854 - 1).to_bytes(3, "little")
    with pytest.raises(PictureError, match=r"too long \(4269854 x 20 .* 65,535 pixels a side"):
        read_with_notes(bytes(data))
    with pytest.raises(PictureError, match="too long"):
        read_picture(encode(Image.new("L", (1, 65_536)), "PNG"))
    assert read_picture(encode(Image.new("L", (1, 65_535)), "PNG")).shape == (65_535, 1, 3)


def test_frames_are_told() -> None:
    """Which frame, of how many."""
    pages = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime", "blue")]
    several = {"save_all": True, "append_images": pages[1:]}
    for form in ("PNG", "WEBP"):
        assert read_with_notes(encode(pages[0], form, **several)).notes == [
            "The file is animated; this is the first of 3 frames."
        ]


def test_frames_are_counted_without_decoding_them() -> None:
    """Decoding every frame of a large animation took seconds; broken ones show it is not done."""
    frames = [Image.new("RGB", (50, 40), colour) for colour in ("red", "lime", "blue", "white")]
    data = encode(frames[0], "PNG", save_all=True, append_images=frames[1:])
    head, *later = data.split(b"fdAT")
    assert len(later) == 3
    broken = b"fdAT".join([head, *(part[:4] + b"broken" + part[10:] for part in later)])
    told = ["The file is animated; this is the first of 4 frames."]
    assert read_with_notes(data).notes == read_with_notes(broken).notes == told


def test_a_thousand_pages_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting stops at a bound."""
    monkeypatch.setattr(tiff_pages, "MAX_PAGES", 2)
    pages = [Image.new("L", (5, 4), value) for value in range(5)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert_refused(data, "more than 2 pages; save the one you need")


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "I;16", "I", "F", "CMYK", "RGBA"])
def test_strips_change_nothing(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture read in many strips is the one read in a single strip."""
    values = np.random.default_rng(0).integers(0, 256, (61, 37, 3), np.uint8)
    picture = Image.fromarray(values)
    picture = Image.fromarray(values[..., 0].astype(np.uint16) * 257) if mode == "I;16" else (
        picture.convert(mode)
    )  # fmt: skip
    data = encode(picture, "TIFF")
    whole = read_picture(data)
    monkeypatch.setattr(read, "STRIP_PIXELS", 100)
    np.testing.assert_array_equal(read_picture(data), whole)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "RGBA"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_for_pillow_is_the_same_picture(form: str, mode: str, orientation: int) -> None:
    """The short way of plain pictures and the long way of all others give the same pixels."""
    values = np.random.default_rng(0).integers(0, 256, (23, 37, 3), np.uint8)
    picture = Image.fromarray(values).convert(mode)
    if (form, mode) in {("JPEG", "P"), ("JPEG", "RGBA"), ("PNG", "CMYK")}:
        picture = picture.convert("RGB")
    exif = Image.Exif()
    exif[274] = orientation
    data = encode(picture, form, exif=exif)
    found = read.read_image(data)
    assert found.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(found), read_picture(data))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_large_pictures_are_shrunk_while_they_are_read(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a whole factor, like a mean over blocks; the note tells the factor."""
    monkeypatch.setattr(read, "STRIP_PIXELS", 3000)
    rows, columns = np.mgrid[:300, :500]
    values = np.stack([rows // 2, columns // 2, (rows + columns) // 4], -1).astype(np.uint8)
    reading = read_with_notes(encode(Image.fromarray(values), form), max_pixels=10_000)
    assert reading.notes == ["It is very large and was shrunk 4 times."]
    assert reading.pixels.shape == (75, 125, 3)
    expected = np.asarray(Image.fromarray(values).reduce(4))
    assert np.abs(reading.pixels.astype(int) - expected).max() <= (12 if form == "JPEG" else 0)


def test_a_giant_of_floats_is_read_quickly() -> None:
    """Found by fuzzing: 83 megapixels of floats were converted before they were shrunk (2.1 s).

    The time is compared with that of the same pixels in 8 bits.
    """

    def seconds(picture: Image.Image) -> float:
        data = encode(picture, "TIFF")
        start = time.process_time()
        read_with_notes(data, max_pixels=1_000_000)
        return time.process_time() - start

    grey = Image.new("L", (4000, 4000), 128)
    assert seconds(grey.convert("F")) < 8 * seconds(grey.convert("RGB")) + 0.5


def test_floats_that_are_no_numbers() -> None:
    """NaN and infinity count as black; the others keep their scale."""
    values = np.array([[0.0, 0.5, 1.0, np.nan], [np.inf, -np.inf, 0.25, 1.0]], np.float32)
    pixels = read_picture(encode(Image.fromarray(values), "TIFF"))
    assert pixels[..., 0].tolist() == [[0, 128, 255, 0], [0, 0, 64, 255]]


READ_AND_TELL_MEMORY = """
import re, sys
from pathlib import Path
from lymph.data.read import read_picture
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
before = peak()
pixels = read_picture(Path(sys.argv[1]))
print(peak() - before)
"""
MEMORY_CASES = {
    "png": ("RGB", "PNG", {}),
    "deflated TIFF": ("RGBA", "TIFF", {"compression": "tiff_lzw"}),
    "floats": ("F", "TIFF", {}),
    "progressive JPEG": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "progressive CMYK": ("CMYK", "JPEG", {"progressive": True, "subsampling": 0}),
    "WebP": ("RGB", "WEBP", {"method": 0}),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak memory")
@pytest.mark.parametrize("case", MEMORY_CASES)
def test_memory_for_each_pixel_stays_under_its_bound(case: str, tmp_path: Path) -> None:
    """A WebP took 15 bytes a pixel where 7 were promised: 1.8 GB for a file of 1 kB."""
    mode, form, options = MEMORY_CASES[case]
    path = tmp_path / "giant"
    Image.new(mode, (6000, 4000)).save(path, form, **options)
    command = [sys.executable, "-c", READ_AND_TELL_MEMORY, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bound = read.WEBP_PIXEL_BYTES if form == "WEBP" else read.PIXEL_BYTES
    pixels = 6000 * 4000
    assert 5 * pixels < int(told) < bound * pixels + 16 * read.STRIP_PIXELS


def test_a_webp_is_bounded_by_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes more memory a pixel, so it may have fewer pixels."""
    monkeypatch.setattr(read, "MAX_PIXELS", 8)
    assert read_picture(encode(Image.new("RGB", (3, 2)), "WEBP")).shape == (2, 3, 3)
    assert_refused(encode(Image.new("RGB", (7, 1)), "WEBP"), r"too large \(7 x 1 pixels\)")
    assert read_picture(encode(Image.new("RGB", (7, 1)), "PNG")).shape == (1, 7, 3)


def test_giants_are_decoded_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is decoded another waits, and small pictures do not."""
    monkeypatch.setattr(read, "GIANT_PIXELS", 7)
    small = encode(Image.fromarray(GREY[:1]), "PNG")
    giant = encode(Image.fromarray(COLOUR), "PNG")
    with ThreadPoolExecutor(2) as pool:
        with read.GIANTS:
            waiting = pool.submit(read_picture, giant)
            assert pool.submit(read_picture, small).result(120).shape == (1, 4, 3)
            assert not waiting.done()
        np.testing.assert_array_equal(waiting.result(120), COLOUR)
