"""Which page of a TIFF is the picture: its pages are listed, and what cannot be told is refused.

Tags as in TIFF 6.0 (Adobe 1992); descriptions as ImageJ and OME (ome-xml 2016-06) write them.
"""

import re
import struct
from typing import BinaryIO, NamedTuple

from lymph.errors import PictureError

# Pages are listed up to here, so that a file of a million empty pages costs no time.
MAX_PAGES = 100
MAX_TAGS = 4096
MAX_DESCRIPTION = 1 << 20
# One strip or tile for each row and colour of the tallest picture, or tiles of 16 x 16.
MAX_SEGMENTS = 1 << 19

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
DESCRIPTION, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS = 270, 273, 274, 277, 278
STRIP_COUNTS, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT = 279, 284, 317, 322, 323
TILE_OFFSETS, TILE_COUNTS, EXTRA, SAMPLE_FORMAT, HAMAMATSU = 324, 325, 338, 339, 65420
FEW = {
    SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLES, ROWS, PLANAR,
    PREDICTOR, TILE_WIDTH, TILE_HEIGHT, EXTRA, SAMPLE_FORMAT, HAMAMATSU, DESCRIPTION,
}  # fmt: skip
MANY = {STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS}
FIELDS = {1: "B", 2: "s", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q"}

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
INTEGER, SIGNED, FLOAT = 1, 2, 3
REDUCED, MASK = 1, 4
SAVE_AS_RGB = "save it as one RGB picture"
# OME writes a channel's colour as a signed number of red, green, blue and alpha, a byte each.
PURE = [0xFF0000, 0x00FF00, 0x0000FF]


class Page(NamedTuple):
    """A page's tags; offsets and byte counts stay in the file until its pixels are wanted here."""

    order: str
    tags: dict[int, tuple]
    places: dict[int, tuple[int, str, int]]

    def number(self, tag: int, default: int) -> int:
        """Return a tag's first value."""
        return int(self.tags.get(tag, (default,))[0])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored."""
        return self.number(WIDTH, 0), self.number(HEIGHT, 0)

    @property
    def area(self) -> int:
        """Pixels."""
        return self.size[0] * self.size[1]

    @property
    def samples(self) -> int:
        """Values a pixel."""
        return self.number(SAMPLES, 1)

    @property
    def planar(self) -> bool:
        """Whether each sample has a plane of its own."""
        return self.number(PLANAR, 1) == 2 and self.samples > 1

    @property
    def grey(self) -> bool:
        """Whether a pixel is one value, brightness."""
        photometric = self.number(PHOTOMETRIC, WHITE_IS_ZERO)
        return self.samples == 1 and photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)

    @property
    def bits(self) -> int:
        """Bits a value."""
        return self.number(BITS, 1)

    @property
    def inverted(self) -> bool:
        """Whether 0 is white."""
        return self.number(PHOTOMETRIC, BLACK_IS_ZERO) == WHITE_IS_ZERO

    @property
    def orientation(self) -> int:
        """How the picture is to be turned, 1 to 8 as in EXIF."""
        value = self.number(ORIENTATION, 1)
        return value if value in range(1, 9) else 1

    @property
    def premultiplied(self) -> bool:
        """Whether colours were multiplied by their opacity."""
        return self.number(EXTRA, 0) == 1

    @property
    def description(self) -> str:
        """The text that the writing program left."""
        return self.tags.get(DESCRIPTION, ("",))[0]


class Choice(NamedTuple):
    """The page that is the picture, or three that are its colours; ``pages`` are all there are."""

    parts: tuple[Page, ...]
    indices: tuple[int, ...]
    pages: int
    slide: str

    @property
    def page(self) -> Page:
        """The page, or the first of three."""
        return self.parts[0]

    @property
    def note(self) -> list[str]:
        """Say which page was taken where there are several."""
        if self.pages == 1:
            return []
        if len(self.indices) == 3:
            return ["Its three pages are its red, green and blue."]
        return [
            f"The file has {self.pages} pages; the largest, page {self.indices[0] + 1}, is used."
        ]


def list_pages(file: BinaryIO) -> list[Page]:
    """List the pages of a TIFF, not far beyond ``MAX_PAGES``; empty when it is no TIFF.

    A damaged later page ends the list and does not harm those before it.
    """
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
    version = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) >= 8 else 0
    if version not in (42, 43) or (version == 43 and len(head) < 16):
        return []
    big = version == 43
    place = struct.unpack(f"{order}Q", head[8:16])[0] if big else _word(order, head[4:8])
    pages: list[Page] = []
    seen: set[int] = set()
    while place and place not in seen and len(pages) <= MAX_PAGES:
        seen.add(place)
        try:
            page, place = _page_at(file, place, order, big)
        except (struct.error, OSError, ValueError, OverflowError):
            break
        pages.append(page)
    return pages


def _word(order: str, data: bytes) -> int:
    return struct.unpack(f"{order}I", data)[0]


def _page_at(file: BinaryIO, place: int, order: str, big: bool) -> tuple[Page, int]:
    """Read one page's tags; return it and the place of the next."""
    count_form, next_form = (f"{order}Q", f"{order}Q") if big else (f"{order}H", f"{order}I")
    entry_bytes, inline = (20, 8) if big else (12, 4)
    entry_form = f"{order}HHQ" if big else f"{order}HHI"
    file.seek(place)
    (count,) = struct.unpack(count_form, file.read(struct.calcsize(count_form)))
    if count > MAX_TAGS:
        raise ValueError("too many tags")
    start = place + struct.calcsize(count_form)
    entries = file.read(count * entry_bytes)
    (following,) = struct.unpack(next_form, file.read(struct.calcsize(next_form)))
    page = Page(order, {}, {})
    for entry in range(0, count * entry_bytes, entry_bytes):
        tag, kind, length = struct.unpack_from(entry_form, entries, entry)
        form = FIELDS.get(kind, "")
        if not form or tag not in FEW | MANY:
            continue
        at = entry + entry_bytes - inline
        value = start + at
        if length * struct.calcsize(f"={form}") > inline:
            (value,) = struct.unpack_from(next_form, entries, at)
        page.places[tag] = (value, form, length)
    for tag in page.places.keys() & FEW:
        values = read_values(file, page, tag, MAX_DESCRIPTION if tag == DESCRIPTION else 16)
        if values:
            page.tags[tag] = values
    return page, following


def read_values(file: BinaryIO, page: Page, tag: int, most: int = MAX_SEGMENTS) -> tuple:
    """Return the values of a tag, ``most`` of them at most; a text is one value.

    Raises
    ------
    struct.error, OSError, OverflowError
        When the file is damaged.
    """
    place, form, length = page.places[tag]
    length = min(length, most)
    file.seek(place)
    data = file.read(length * struct.calcsize(f"={form}"))
    if form == "s":
        return (data.split(b"\0")[0].decode("utf-8", "replace"),)
    if tag == DESCRIPTION:
        return ()
    return struct.unpack(f"{page.order}{length}{form}", data)


def choose(pages: list[Page], most_pixels: int) -> Choice:
    """Choose the page that is the picture: the largest, or three that are its colours.

    Parameters
    ----------
    pages : list of Page
        At least one.
    most_pixels : int
        A larger page is no picture but a whole slide, where its maker is one of scanners.

    Raises
    ------
    PictureError
        When it is a whole slide, or it cannot be told which page is meant.
    """
    slide = _slide_of(pages)
    if slide and (max(page.area for page in pages) > most_pixels or _is_pyramid(pages)):
        raise PictureError(slide)
    if len(pages) > MAX_PAGES:
        raise PictureError(
            f"The file has more than {MAX_PAGES} pages; save the one you need as a file of its own."
        )
    full = [i for i, page in enumerate(pages) if not page.number(SUBFILE, 0) & (REDUCED | MASK)]
    full = full or list(range(len(pages)))
    equals = [i for i in full if pages[i].area == max(pages[j].area for j in full)]
    channels, planes = _channels_of(pages[0].description)
    if len(equals) == 1:
        return _one(pages, equals[0], channels * planes, slide)
    parts = tuple(pages[i] for i in equals)
    colours = len(parts) == 3 and _alike(parts)
    if colours and (channels, planes) == (3, 1):
        _refuse_other_colours(pages[0].description)
        return Choice(parts, tuple(equals), len(pages), slide)
    if colours:
        raise PictureError(
            "The file has 3 grey pages, and nothing says whether they are red, green and blue;"
            f" {SAVE_AS_RGB}."
        )
    raise PictureError(
        f"The file has {len(equals)} pages of the same size, and nothing says which one is the"
        " picture; save that page as a file of its own."
    )


def _one(pages: list[Page], index: int, told: int, slide: str) -> Choice:
    """Return one page as the choice, unless it is only a part of a picture."""
    page = pages[index]
    if told > 1 and page.grey:
        raise PictureError(
            f"The file says that it has {told} channels or planes but holds only one;"
            f" {SAVE_AS_RGB}."
        )
    return Choice((page,), (index,), len(pages), slide)


def _alike(pages: tuple[Page, ...]) -> bool:
    """Tell whether grey pages are of one kind, so that they can be the colours of a picture."""
    kinds = {
        (p.size, p.number(BITS, 1), p.number(SAMPLE_FORMAT, 1), p.number(PHOTOMETRIC, 0),
         p.number(COMPRESSION, 1),
         p.number(ORIENTATION, 1))
        for p in pages
    }  # fmt: skip
    return len(kinds) == 1 and all(page.grey and not page.inverted for page in pages)


def _slide_of(pages: list[Page]) -> str:
    """Return what to say of a scanner's file if it is a whole slide; empty for other makers."""
    aperio = pages[0].description.startswith("Aperio")
    if not aperio and HAMAMATSU not in pages[0].tags:
        return ""
    kind = "Aperio, .svs" if aperio else "Hamamatsu, .ndpi"
    return (
        f"This is a whole-slide file ({kind}); open it in a slide viewer and export the region of"
        " interest as PNG or TIFF."
    )


def _is_pyramid(pages: list[Page]) -> bool:
    """Tell whether a scanner's file holds the same in several sizes, as whole slides do."""
    if HAMAMATSU in pages[0].tags:
        return len(pages) > 1
    return len({page.size for page in pages if TILE_WIDTH in page.tags}) > 1


def _channels_of(description: str) -> tuple[int, int]:
    """Return how many channels, and planes of each, a description tells; 1 and 1 where it does not.

    An OME channel of several samples is one page, so it counts as one.
    """
    if description.startswith("ImageJ="):
        told = dict(re.findall(r"^(images|channels|slices|frames)=(\d{1,9})", description, re.M))
        channels = int(told.get("channels", 1))
        planes = int(told.get("slices", 1)) * int(told.get("frames", 1))
        return channels, max(planes, int(told.get("images", 1)) // max(1, channels))
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", description)
    if not pixels or "openmicroscopy" not in description:
        return 1, 1
    sizes = dict(re.findall(r'\bSize([CZT])\s*=\s*"(\d{1,9})"', pixels[0]))
    samples = [int(n) for n in re.findall(r'\bSamplesPerPixel\s*=\s*"(\d{1,9})"', description)]
    channels = int(sizes.get("C", 1)) // max(1, *samples, 1)
    return max(1, channels), int(sizes.get("Z", 1)) * int(sizes.get("T", 1))


def _refuse_other_colours(description: str) -> None:
    """Refuse three channels that say they are not red, green and blue, as of fluorescence."""
    told = re.findall(r'<(?:\w+:)?Channel\b[^>]*?\bColor\s*=\s*"(-?\d{1,12})"', description)
    colours = [(int(value) & 0xFFFFFFFF) >> 8 for value in told]
    if len(colours) == 3 and len(set(colours)) > 1 and colours != PURE:
        raise PictureError(
            f"Its three channels say that they are not red, green and blue; {SAVE_AS_RGB}."
        )
