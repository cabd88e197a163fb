"""Fuzz the reader of pictures and the opening of drops.

    python tests/fuzz/fuzz_reader.py --seconds 600 --inputs 100000

Sound files of every format and mode, zips among them, are mutated: bytes changed, cut, doubled,
spliced from another file, headers rewritten. Each input must give an RGB picture or a PictureError
of one line, within ``LIMIT`` seconds of processor time, read as a drop and again as for training,
and must leave the working folder empty. A failing input is written next to where ``--keep`` says,
and its seed is printed: the same seed makes the same bytes.
"""

import argparse
import io
import os
import random
import resource
import struct
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import tifffile
from PIL import Image

from lymph.data.read import read_image, read_with_notes
from lymph.errors import PictureError
from lymph.inference.classify import READ_PIXELS
from lymph.inference.dropped import Dropped, unpack_drop

LIMIT = 2.0
MAGIC_VALUES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff")
LARGE_SIDES = (0, 1, 255, 10_000, 65_535, 1_000_000, 2**31 - 1)
Result = TypeVar("Result")


def _encode(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def seeds() -> list[bytes]:
    """Return one small sound file of each format, mode and peculiarity."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    modes = {mode: colour.convert(mode) for mode in ("L", "1", "P", "LA", "RGBA", "CMYK", "I", "F")}
    deep = Image.fromarray(rng.integers(0, 65_536, (20, 30), np.uint16))
    exif = Image.Exif()
    exif[274] = 6
    files = [_encode(colour, form) for form in ("PNG", "JPEG", "TIFF", "BMP", "WEBP")]
    files += [_encode(modes[mode], "TIFF") for mode in modes]
    files += [_encode(modes[mode], "PNG") for mode in ("L", "1", "P", "LA", "RGBA")]
    files += [_encode(deep, "PNG"), _encode(deep, "TIFF")]
    files += [_encode(colour, form, exif=exif) for form in ("PNG", "JPEG", "TIFF", "WEBP")]
    files += [_encode(modes["CMYK"], "JPEG"), _encode(colour, "JPEG", progressive=True)]
    for way in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits", "tiff_adobe_deflate", "zstd"):
        files.append(_encode(colour, "TIFF", compression=way))
    pages = [colour, colour.rotate(180)]
    for form in ("PNG", "WEBP"):
        files.append(_encode(pages[0], form, save_all=True, append_images=pages[1:]))
    files += [_encode(colour, "WEBP", lossless=True), _encode(modes["P"], "PNG", transparency=3)]
    files += _microscope_seeds(rng)
    return [*files, _zip_of(files[:3]), _zip_of(files[:1], zipfile.ZIP_BZIP2)]


def _tiff(values: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def _microscope_seeds(rng: np.random.Generator) -> list[bytes]:
    """Return TIFFs of planes, three pages, depths, floats, thumbnails first and odd compressions.

    Half of the seeds are of these kinds, since their reading is the project's own.
    """
    rgb = rng.integers(0, 256, (20, 30, 3), np.uint8)
    planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0))
    alpha = np.concatenate([rgb, rgb[..., :1]], axis=-1)
    kinds = (np.uint8, np.uint16, np.uint32, np.int16, np.float16, np.float32, np.float64)
    colour = {"photometric": "rgb"}
    separate = {"photometric": "rgb", "planarconfig": "separate"}
    files = [_tiff(rgb.astype(kind), **colour) for kind in kinds]
    files += [_tiff(planes.astype(kind), **separate) for kind in kinds]
    packed = {"compression": "zlib", "rowsperstrip": 3}
    files += [_tiff(rgb.astype(kind), **colour, **packed) for kind in kinds]
    files += [_tiff(planes.astype(kind), **separate, **packed) for kind in kinds]
    for kind in (np.uint16, np.float32):
        files.append(_tiff(rgb.astype(kind), tile=(16, 16), **colour))
        files.append(_tiff(rgb.astype(kind), bigtiff=True, compression="zlib", **colour))
        files.append(_tiff(rgb.astype(kind), byteorder=">", **colour))
    twelve = rgb.astype(np.uint16) * 16
    files += [_tiff(twelve, **colour), _tiff(twelve[..., 0]), _tiff(twelve, predictor=2, **packed)]
    for meaning in ("unassalpha", "assocalpha", "unspecified"):
        for kind in (np.uint8, np.uint16, np.float32):
            files.append(_tiff(alpha.astype(kind), extrasamples=[meaning], **colour))
    grey = {"photometric": "minisblack"}
    for values in (planes, planes.astype(np.uint16) * 16, planes.astype(np.float32)):
        files.append(_tiff(values, ome=True, metadata={"axes": "CYX"}, **grey))
        if values.dtype != np.float64:
            files.append(_tiff(values, imagej=True, metadata={"axes": "CYX"}))
    files += [_tiff(twelve[..., 0], photometric="miniswhite")]
    with tifffile.TiffWriter(thumbnail := io.BytesIO()) as writer:
        for page in (rgb[::4, ::4].astype(np.float32), rgb.astype(np.float32)):
            writer.write(np.ascontiguousarray(page), metadata=None, **colour)
    files.append(thumbnail.getvalue())
    small = Image.fromarray(rgb).resize((6, 4))
    pages = {"save_all": True, "append_images": [Image.fromarray(rgb)]}
    for way in ("tiff_lzw", "jpeg"):
        files.append(_encode(small, "TIFF", compression=way, **pages))
    told = "ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n"
    three = [Image.fromarray(plane) for plane in planes]
    pages = {"save_all": True, "append_images": three[1:], "description": told}
    files.append(_encode(three[0], "TIFF", compression="tiff_lzw", **pages))
    files.append(_tiff(rgb, description="Aperio Image Library", metadata=None, **colour))
    return [*files, _png_16(twelve), _png_16(alpha.astype(np.uint16) * 257)]


def doubtful() -> list[bytes]:
    """Return whole files that are refused: nothing says which page or colour is meant, or how."""
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (20, 30, 3), np.uint8)
    first = Image.fromarray(rgb)
    pages = {"save_all": True, "append_images": [first.rotate(180)]}
    planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0))
    files = [_encode(first, "TIFF", **pages), _tiff(planes, photometric="minisblack")]
    for method in (5, 6, 7, 34_712, 34_887, 50_000):
        changed = bytearray(_tiff(rgb.astype(np.float32), photometric="rgb"))
        place = changed.find(struct.pack("<HHI", 259, 3, 1))
        changed[place + 8 : place + 10] = struct.pack("<H", method)
        files.append(bytes(changed))
    return files


def _png_16(values: np.ndarray) -> bytes:
    """Return a PNG of 16-bit RGB or RGBA, which Pillow does not write."""
    height, width, samples = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[samples], 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", body), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(name + content))
        data += struct.pack(">I", len(content)) + name + content + check
    return data


def _zip_of(files: list[bytes], way: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", way) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"folder/{number}.png", content)
    return target.getvalue()


def mutate(seed: int, files: list[bytes]) -> bytes:
    """Return the input that belongs to a seed."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 2, 3, 8, 30))):
        place = chance.randrange(max(1, len(data)))
        if chance.random() < 0.5:  # headers are where the decisions are
            place = min(place, chance.choice((16, 64, 200)))
        _change(chance, data, place, files)
    if chance.random() < 0.5:
        _repair_png(data)
    return bytes(data)


def _change(chance: random.Random, data: bytearray, place: int, files: list[bytes]) -> None:
    kind = chance.randrange(8)
    if kind == 0:
        data[place : place + 1] = chance.randbytes(1)
    elif kind == 1:
        del data[place : place + chance.randint(1, 40)]
    elif kind == 2:
        data[place:place] = data[place : place + chance.randint(1, 40)]
    elif kind == 3:
        value = chance.choice(MAGIC_VALUES)
        data[place : place + len(value)] = value
    elif kind == 4:
        data[place : place + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(LARGE_SIDES))
    elif kind == 5:
        other = chance.choice(files)
        start = chance.randrange(len(other))
        data[place : place + 50] = other[start : start + chance.randint(1, 80)]
    elif kind == 6:
        del data[chance.randrange(len(data) + 1) :]
    else:
        data[place : place + 2] = struct.pack("<H", chance.randrange(65_536))


def _repair_png(data: bytearray) -> None:
    """Set a PNG's check sums right, so that a changed header is not refused at once."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return
    place = 8
    while place + 12 <= len(data):
        length = struct.unpack(">I", data[place : place + 4])[0]
        end = place + 8 + length
        if end + 4 > len(data):
            return
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4


def judge(data: bytes) -> str:
    """Read an input as a drop; return what came of it: ``read`` or ``refused``.

    Raises
    ------
    AssertionError
        When it is neither a sound picture nor a refusal of one line, or when training, which reads
        at full size, would be given another picture.
    """
    outcome = "refused"
    for dropped in unpack_drop("drop.png", io.BytesIO(data)):
        if dropped.open is None:
            assert dropped.problem and "\n" not in dropped.problem
            continue
        reading = _read_or_refused(dropped, read_with_notes, READ_PIXELS)
        if reading is None:
            continue
        pixels = reading.pixels
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
        assert reading.top <= reading.white <= 65_535
        assert pixels.size and pixels.shape[0] * pixels.shape[1] <= 1.1 * READ_PIXELS
        if not any("shrunk" in note for note in reading.notes):
            full = _read_or_refused(dropped, read_image)
            assert full is not None and np.array_equal(np.asarray(full), pixels), "another picture"
        outcome = "read"
    return outcome


def _read_or_refused(
    dropped: Dropped, read: Callable[..., Result], *given: object
) -> Result | None:
    """Return what was read, or None when it was refused in one line."""
    try:
        return read(dropped.open(), *given)
    except PictureError as refusal:
        words = str(refusal)
        assert words and "\n" not in words, "a refusal of another form"
        return None


def run(first: int, inputs: int, seconds: float, keep: Path) -> int:
    """Judge inputs until both bounds are reached; return the number of faults."""
    files, counts, slowest, faults = [*seeds(), *doubtful()], Counter(), 0.0, 0
    started, seed = time.monotonic(), first
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        while seed - first < inputs or time.monotonic() - started < seconds:
            data = mutate(seed, files)
            begin = time.process_time()
            try:
                counts[judge(data)] += 1
                spent = time.process_time() - begin
                slowest = max(slowest, spent)
                assert spent < LIMIT, f"{spent:.1f} s"
            except Exception as error:
                faults += 1
                (keep / f"fault-{seed}.bin").write_bytes(data)
                print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            seed += 1
        assert not os.listdir(folder), "a file was written"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{seed - first} inputs in {time.monotonic() - started:.0f} s: {dict(counts)},"
        f" {faults} faults, slowest {slowest:.2f} s of processor time, peak memory {peak} MB"
    )
    return faults


def main() -> int:
    """Fuzz from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--keep", type=Path, default=Path.cwd(), help="folder for failing inputs")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    return 1 if run(options.first, options.inputs, options.seconds, options.keep.resolve()) else 0


if __name__ == "__main__":
    sys.exit(main())
