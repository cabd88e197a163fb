"""TIFFs of cameras and microscopes: depths, planes, pages, floats; an independent writer made them.

``tifffile`` writes what Pillow cannot; the reader itself does not use it.
"""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lymph.data import read
from lymph.data.read import read_header, read_image, read_picture, read_with_notes
from lymph.data.values import white_for
from lymph.errors import PictureError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (20, 30, 3), np.uint8)
RGB[0, 0], RGB[0, 1] = 255, 0
GREY = np.repeat(RGB[..., :1], 3, axis=-1)
PLANES = np.ascontiguousarray(np.moveaxis(RGB, -1, 0))
WHITES = {8: 255, 10: 1_023, 12: 4_095, 14: 16_383, 16: 65_535}
COLOUR = {"photometric": "rgb"}
SEPARATE = {"photometric": "rgb", "planarconfig": "separate"}


def tiff(values: np.ndarray, **options: object) -> bytes:
    """Return the bytes of a TIFF."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def pages(*values: np.ndarray, **options: object) -> bytes:
    """Return the bytes of a TIFF of these pages."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for page in values:
            writer.write(page, metadata=None, **options)
    return file.getvalue()


def png_16(values: np.ndarray) -> bytes:
    """Return a 16-bit PNG, grey, grey with alpha, RGB or RGBA: Pillow writes grey only."""
    import zlib

    samples = 1 if values.ndim == 2 else values.shape[2]
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    body = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    parts = (b"IHDR", body), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def deep(bits: int, values: np.ndarray = RGB) -> np.ndarray:
    """Return values of so many bits whose scaled form is exactly the 8-bit values."""
    white = WHITES[bits]
    return -(-values.astype(np.int64) * white // 255).astype(np.uint16)


def refused(data: bytes) -> str:
    """Return why a file is refused: alike from its header, its pixels and for Pillow."""
    reasons = set()
    for reader in (read_picture, read_image):
        with pytest.raises(PictureError) as caught:
            reader(data)
        reasons.add(str(caught.value))
    (reason,) = reasons
    assert reason.endswith(".") and "\n" not in reason
    return reason


@pytest.mark.parametrize("bits", WHITES)
@pytest.mark.parametrize("form", ["grey TIFF", "RGB TIFF", "grey PNG", "RGB PNG"])
def test_bits_in_16_bit_files_are_not_black(bits: int, form: str) -> None:
    """Regression: values up to 4,095 came out as 0 to 15 of 255, in RGB without a word."""
    plain = GREY if form.startswith("grey") else RGB
    values = deep(bits, plain)[..., 0] if form.startswith("grey") else deep(bits)
    options = COLOUR if form == "RGB TIFF" else {"photometric": "minisblack"}
    data = png_16(values) if form.endswith("PNG") else tiff(values, **options)
    reading = read_with_notes(data)
    np.testing.assert_array_equal(reading.pixels, plain)
    assert (reading.top, reading.white) == (WHITES[bits], WHITES[bits])
    note = f"Its 16-bit values were scaled to 8 bits; {WHITES[bits]:,} is shown as white."
    assert reading.notes == [note]
    np.testing.assert_array_equal(np.asarray(read_image(data)), plain)


def test_full_range_16_bit_comes_out_as_ever() -> None:
    """All 65,536 values: v // 257."""
    values = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    for data in (tiff(values), png_16(values), tiff(np.dstack([values] * 3), **COLOUR)):
        np.testing.assert_array_equal(read_picture(data)[..., 0], values // 257)


@pytest.mark.parametrize("form", ["grey", "RGB"])
def test_the_set_tells_what_is_white(form: str) -> None:
    """A dark picture of a 12-bit set stays dark; one that is brighter than its set stands alone."""
    plain = RGB if form == "RGB" else RGB[..., 0]
    dark = deep(12, plain) // 5
    data = tiff(dark, photometric="rgb" if form == "RGB" else "minisblack")
    alone, in_set = read_with_notes(data), read_with_notes(data, white=4_095)
    assert (alone.white, in_set.white, in_set.top) == (1_023, 4_095, 819)
    expected = dark.astype(int) * 255 // 4_095
    pixels = in_set.pixels if form == "RGB" else in_set.pixels[..., 0]
    np.testing.assert_array_equal(pixels, expected)
    assert read_with_notes(tiff(deep(14, plain)), white=4_095).white == 16_383
    np.testing.assert_array_equal(read_picture(tiff(RGB), white=4_095), RGB)


def test_white_is_the_end_of_the_narrowest_range() -> None:
    """Of 8, 10, 12, 14 and 16 bits; the set's own where the picture fits below it."""
    tops = {0: 255, 255: 255, 256: 1_023, 1_023: 1_023, 1_024: 4_095, 4_096: 16_383, 16_384: 65_535}
    assert {top: white_for(top) for top in tops} == tops
    assert white_for(12, 4_095) == 4_095 and white_for(5_000, 4_095) == 16_383


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 3}, {"tile": (16, 16)}])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.float16, np.float32, float])
@pytest.mark.parametrize("order", ["<", ">"])
def test_colours_in_planes_and_side_by_side(
    compression: str | None, layout: dict, kind: type, order: str
) -> None:
    """Every type of value, in strips and tiles: planes of 16 bits were noise, floats "no TIFF"."""
    values = RGB * 257.0 if kind is np.uint16 else RGB / 255 if kind in (np.float16, float) else RGB
    values = values.astype(kind)
    options = {"compression": compression, "byteorder": order, **layout}
    for data in (
        tiff(values, **COLOUR, **options),
        tiff(np.moveaxis(values, -1, 0), **SEPARATE, **options),
        tiff(values, bigtiff=True, **COLOUR, **options),
    ):
        pixels = read_picture(data)
        assert np.abs(pixels.astype(int) - RGB).max() <= (kind is np.float16)
        np.testing.assert_array_equal(np.asarray(read_image(data)), pixels)


def test_small_floats_of_a_large_range() -> None:
    """16-bit floats end at 65,504, below the end of the range that they seem to use."""
    values = (RGB * 256.0).astype(np.float16)
    assert np.abs(read_picture(tiff(values, **COLOUR)).astype(int) - RGB).max() <= 1


def test_a_predictor_is_undone() -> None:
    """Deflated with differences between neighbours, as planes of 16 and integers of 32 bits."""
    options = {"compression": "zlib", "predictor": 2}
    for data in (
        tiff(np.moveaxis(deep(16), -1, 0), **SEPARATE, **options),
        tiff(RGB.astype(np.uint32), **COLOUR, **options),
        tiff(deep(16), **COLOUR, **options),
    ):
        np.testing.assert_array_equal(read_picture(data), RGB)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("writer", ["OME", "ImageJ"])
def test_three_pages_that_are_colours_are_rgb(writer: str, kind: type) -> None:
    """Regression: colour that OME and ImageJ store as three pages was read as its red channel."""
    values = PLANES if kind is np.uint8 else np.moveaxis(deep(12), -1, 0)
    options = {"ome": True} if writer == "OME" else {"imagej": True}
    data = tiff(values, metadata={"axes": "CYX"}, photometric="minisblack", **options)
    reading = read_with_notes(data)
    np.testing.assert_array_equal(reading.pixels, RGB)
    assert reading.notes[-1] == "Its three pages are its red, green and blue."
    assert reading.white == (4_095 if kind is np.uint16 else 0)


def test_three_compressed_pages_are_rgb(tmp_path: Path) -> None:
    """LZW, which Pillow decodes; header and pixels agree."""
    parts = [Image.fromarray(plane) for plane in PLANES]
    file = tmp_path / "a.tif"
    told = "ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n"
    parts[0].save(
        file, save_all=True, append_images=parts[1:], compression="tiff_lzw", description=told
    )
    np.testing.assert_array_equal(read_picture(file), RGB)
    assert read_header(file)[:3] == (30, 20, "RGB")


def test_what_cannot_be_told_is_refused() -> None:
    """Pages of equal size without a word, stacks, channels that are no colours, half a picture."""
    grey = {"photometric": "minisblack"}
    stack = tiff(PLANES, imagej=True, metadata={"axes": "ZYX"})
    four = tiff(np.stack([RGB[..., 0]] * 4), ome=True, metadata={"axes": "CYX"}, **grey)
    assert "nothing says whether they are red, green and blue" in refused(tiff(PLANES, **grey))
    assert "nothing says whether they are red" in refused(stack)
    assert "4 pages of the same size" in refused(four)
    assert "2 pages of the same size" in refused(pages(RGB, RGB[::-1], **COLOUR))
    colours = {"axes": "CYX", "Channel": {"Color": [65_535, 16_711_935, -16_776_961]}}
    other = tiff(PLANES, ome=True, metadata=colours, **grey)
    assert "not red, green and blue" in refused(other)
    told = '<OME xmlns="openmicroscopy"><Pixels SizeC="3" SizeZ="1" SizeT="1"/></OME>'
    one_of_three = tiff(RGB[..., 0], description=told, metadata=None)
    assert "3 channels or planes but holds only one" in refused(one_of_three)
    assert "3 values per pixel that are not marked" in refused(
        tiff(RGB, planarconfig="contig", **grey)
    )


@pytest.mark.parametrize("flag", [0, 1])
def test_the_largest_page_is_the_picture(flag: int, tmp_path: Path) -> None:
    """Regression: of a file whose first page is a thumbnail, the thumbnail was read."""
    small = np.ascontiguousarray(RGB[::4, ::4])
    file = tmp_path / "a.tif"
    with tifffile.TiffWriter(file) as writer:
        writer.write(small, subfiletype=flag, metadata=None, **COLOUR)
        writer.write(RGB, metadata=None, **COLOUR)
        writer.write(small, subfiletype=flag, metadata=None, **COLOUR)
    reading = read_with_notes(file)
    np.testing.assert_array_equal(reading.pixels, RGB)
    np.testing.assert_array_equal(np.asarray(read_image(file)), RGB)
    assert reading.notes == ["The file has 3 pages; the largest, page 2, is used."]
    assert read_header(file)[:2] == (30, 20)


def test_a_mask_of_the_same_size_is_passed_over() -> None:
    """A page that says it is a mask is no picture."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(RGB, metadata=None, **COLOUR)
        writer.write(RGB[..., 0] > 9, subfiletype=4, photometric="mask", metadata=None)
    np.testing.assert_array_equal(read_picture(file.getvalue()), RGB)


@pytest.mark.parametrize("layout", ["side by side", "planes"])
@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha", "unspecified"])
def test_transparency_in_16_bits(layout: str, alpha: str) -> None:
    """As the same picture in 8 bits; a fourth value without a meaning is left out."""
    share = np.full((20, 30, 1), 255, np.uint8)
    share[:5], share[5:9] = 0, 128
    colours = RGB * (share / 255 if alpha == "assocalpha" else 1)
    values = np.concatenate([colours.astype(np.uint8), share], axis=-1)
    options = {"extrasamples": [alpha], **(COLOUR if layout == "side by side" else SEPARATE)}
    values = values if layout == "side by side" else np.moveaxis(values, -1, 0)
    pixels = read_picture(tiff(values.astype(np.uint16) * 257, **options)).astype(int)
    opaque = 1.0 if alpha == "unspecified" else share / 255
    expected = RGB * opaque + 255 * (1 - opaque)
    assert np.abs(pixels - expected).max() <= 2


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("bits", [12, 16])
def test_transparency_in_a_16_bit_png(samples: int, bits: int) -> None:
    """Grey and colour; the opacity has a range of its own."""
    share = np.full((20, 30, 1), 65_535, np.uint16)
    share[:5] = 0
    plain = GREY if samples == 2 else RGB
    values = np.concatenate([deep(bits, plain)[..., : samples - 1], share], axis=-1)
    reading = read_with_notes(png_16(values))
    assert (reading.pixels[:5] == 255).all()
    np.testing.assert_array_equal(reading.pixels[5:], plain[5:])
    assert "transparent parts" in reading.notes[1]


def test_white_is_zero_in_16_bits() -> None:
    """Regression: 8-bit pictures whose zero is white were turned round, 16-bit ones were not."""
    for kind in (np.uint8, np.uint16):
        values = RGB[..., 0].astype(kind) * (257 if kind is np.uint16 else 1)
        pixels = read_picture(tiff(values, photometric="miniswhite"))
        np.testing.assert_array_equal(pixels, 255 - GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_decoded_here_are_turned_too(orientation: int) -> None:
    """All eight orientations, of floats and of 16-bit colour, as of 8-bit colour."""
    tag = [(274, "H", 1, orientation, True)]
    expected = read_picture(tiff(RGB, extratags=tag, **COLOUR))
    for values in (RGB.astype(np.float32), RGB.astype(np.uint16) * 257):
        reading = read_with_notes(tiff(values, extratags=tag, **COLOUR))
        np.testing.assert_array_equal(reading.pixels, expected)
        assert any("turned" in note for note in reading.notes) == (orientation != 1)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_are_read_or_refused_with_their_depth(bits: int) -> None:
    """Bits packed without gaps: Pillow reads 12, the others are named."""
    rows = [np.arange(8) * (2**bits - 1) // 7] * 4
    packed = b"".join(
        np.packbits([(v >> b) & 1 for v in row for b in range(bits - 1, -1, -1)]).tobytes()
        for row in rows
    )
    tags = {256: 8, 257: 4, 258: bits, 259: 1, 262: 1, 273: 0, 277: 1, 278: 4, 279: len(packed)}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II" + struct.pack("<HIH", 42, 8, len(tags)) + body + bytes(4) + packed
    if bits == 12:
        assert read_picture(data)[0, :, 0].tolist() == [v * 255 // 4_095 for v in rows[0]]
    else:
        assert f"{bits}-bit integers, packed in a way" in refused(data)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """Return a little-endian TIFF with another value of a tag of its first page."""
    changed = bytearray(data)
    (place,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, place)
    for start in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, start)[0] == tag:
            struct.pack_into("<HI", changed, start + 2, 3, 1)
            struct.pack_into("<HH", changed, start + 8, value, 0)
    return bytes(changed)


@pytest.mark.parametrize(
    ("method", "name"), [(34_712, "JPEG 2000"), (34_887, "LERC"), (4_711, "method 4711")]
)
def test_an_unknown_compression_is_named(method: int, name: str) -> None:
    """Regression: such a file was "not a PNG, JPEG, TIFF, BMP or WebP picture"."""
    reason = refused(with_tag(tiff(RGB, **COLOUR), 259, method))
    assert f"compression ({name}, 8-bit integers) cannot be read here" in reason
    floats = tiff(RGB.astype(np.float32), **COLOUR)
    assert "LZW, 32-bit floats" in refused(with_tag(floats, 259, 5))


APERIO = "Aperio Image Library v11.2.1 46000x32914"


def test_a_small_tiff_of_a_scanner_is_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: regions that ImageScope exports were refused for the first word they say."""
    told = {"description": APERIO, "metadata": None}
    np.testing.assert_array_equal(read_picture(tiff(RGB, **told, **COLOUR)), RGB)
    jpeg_2000 = with_tag(tiff(RGB, **told, **COLOUR), 259, 33_005)
    assert "whole-slide file (Aperio, .svs)" in refused(jpeg_2000)
    monkeypatch.setattr(read, "MAX_PIXELS", 100)
    assert "whole-slide file (Aperio, .svs)" in refused(tiff(RGB, **told, **COLOUR))
    assert "too large (30 x 20 pixels)" in refused(tiff(RGB, **COLOUR))


def test_whole_slides_are_told(tmp_path: Path) -> None:
    """An Aperio .svs is a TIFF of the same tissue in several sizes, whatever its name."""
    large = np.kron(RGB, np.ones((8, 8, 1), np.uint8))
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in (large, large[::4, ::4]):
            page = np.ascontiguousarray(page)
            writer.write(page, tile=(32, 32), description=APERIO, metadata=None, **COLOUR)
    assert "whole-slide file (Aperio, .svs)" in refused(path.read_bytes())
    with pytest.raises(PictureError, match="export the region"):
        read_header(path)


def test_a_real_slide_of_gigapixels_is_told_by_its_header() -> None:
    """Regression: beyond Pillow's own bound it was only "too large"."""
    data = tiff(RGB, description=APERIO, metadata=None, **COLOUR)
    for tag in (256, 257):
        data = with_tag(data, tag, 46_000)
    assert "whole-slide" in refused(data)


def test_large_values_are_shrunk_as_pictures_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Floats, 16-bit colour and three pages, in many strips, like a mean over blocks."""
    monkeypatch.setattr(read, "STRIP_PIXELS", 500)
    rows, columns = np.mgrid[:120, :200]
    plain = np.stack([rows * 2, columns, rows + columns // 2], -1).astype(np.uint8)
    expected = np.asarray(Image.fromarray(plain).reduce(4))
    moved = np.ascontiguousarray(np.moveaxis(plain, -1, 0))
    for data in (
        tiff(plain.astype(np.float32), **COLOUR),
        tiff(deep(16, plain), **COLOUR),
        tiff(moved, imagej=True, metadata={"axes": "CYX"}),
    ):
        reading = read_with_notes(data, max_pixels=1_500)
        assert np.abs(reading.pixels.astype(int) - expected).max() <= 1
        assert "It is very large and was shrunk 4 times." in reading.notes


def test_a_strip_is_never_unpacked_beyond_its_length() -> None:
    """A deflated strip of a small page that would unpack to 2 MB takes no memory."""
    import tracemalloc
    import zlib

    good = tiff(RGB.astype(np.float32), compression="zlib", **COLOUR)
    with tifffile.TiffFile(io.BytesIO(good)) as opened:
        page = opened.pages.first
        place, count = page.dataoffsets[0], page.databytecounts[0]
    bomb = zlib.compress(bytes(2_000_000))
    assert len(bomb) < count
    data = bytearray(good)
    data[place : place + len(bomb)] = bomb
    tracemalloc.start()
    pixels = read_picture(bytes(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (pixels == 0).all() and peak < 1_000_000


def test_impossible_tiles_and_strips_are_damage() -> None:
    """Tiles far beyond the page, missing strips, and pixels that end early."""
    floats = RGB.astype(np.float32)
    tiled = tiff(floats, tile=(16, 16), **COLOUR)
    assert "impossible size" in refused(with_tag(tiled, 322, 65_520))
    assert "impossible size" in refused(with_tag(tiled, 322, 17))
    assert "end early" in refused(with_tag(tiff(floats, rowsperstrip=2, **COLOUR), 278, 1))
    assert "end early" in refused(tiff(floats, **COLOUR)[:-100])
    assert "no size" in refused(with_tag(tiff(floats, **COLOUR), 256, 0))


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
# Bytes a pixel that each may take; the fewer pixels may it have.
MEMORY_CASES = {
    "16-bit RGB": (np.uint16, {**COLOUR, "compression": "zlib"}, read.DEEP_PIXEL_BYTES),
    "16-bit planes": (np.uint16, SEPARATE, 16),
    "float RGB": (np.float32, COLOUR, 28),
    "deflated float RGB": (np.float32, {**COLOUR, "compression": "zlib"}, 28),
    "three pages": (np.uint8, {"imagej": True, "metadata": {"axes": "CYX"}}, read.PIXEL_BYTES),
    "three 16-bit pages": (np.uint16, {"imagej": True, "metadata": {"axes": "CYX"}}, 16),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak memory")
@pytest.mark.parametrize("case", MEMORY_CASES)
def test_memory_for_each_pixel_stays_under_its_bound(case: str, tmp_path: Path) -> None:
    """One strip for the whole page is the worst: it is there once more beside the values."""
    kind, options, bound = MEMORY_CASES[case]
    values = np.zeros((4000, 6000, 3), kind)
    values[0, 0] = 1
    if options.get("photometric") != "rgb" or "planarconfig" in options:
        values = np.moveaxis(values, -1, 0)
    path = tmp_path / "giant.tif"
    tifffile.imwrite(path, values, rowsperstrip=4000, **options)
    command = [sys.executable, "-c", READ_AND_TELL_MEMORY, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pixels = 6000 * 4000
    assert 3 * pixels < int(told) < bound * pixels + 16 * read.STRIP_PIXELS


def test_forms_that_take_more_memory_may_have_fewer_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product of pixels and bytes has one bound."""
    monkeypatch.setattr(read, "MAX_PIXELS", 600)
    assert read_picture(tiff(RGB, **COLOUR)).shape == (20, 30, 3)
    assert "too large" in refused(tiff(deep(16), **COLOUR))
    assert "too large" in refused(tiff(RGB.astype(np.float32), **COLOUR))
