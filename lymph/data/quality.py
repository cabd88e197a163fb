"""What may be wrong with the pictures of a data set, each finding with its reason.

Blur, darkness and brightness are compared with the rest of the set: a threshold for all stains,
magnifications and cameras does not exist. The bounds leave both the real and the synthetic lymphoma
set without a finding.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lymph.data.duplicates import cached_near_pairs, near_pairs, same_content
from lymph.data.overlaps import MOST_COMPARED, SMALLEST
from lymph.text import counted

BLURRED = 0.25  # of the set's median sharpness
DARK = 0.5  # of the set's median brightness
BRIGHT = 0.5  # of the set's median darkness (255 - brightness)
CLIPPED = 0.05  # share of pure white pixels, where the rest of the set has fewer
EMPTY = 0.1  # share of the picture that is no bare glass
USUAL = 0.5  # a size or a kind that this share of the pictures has is the usual one


class Kind(NamedTuple):
    """One sort of finding: its title and why it matters."""

    title: str
    why: str


KINDS: dict[str, Kind] = {
    "damaged": Kind("Damaged files", "They cannot be decoded and are excluded automatically."),
    "same": Kind(
        "Exact duplicates",
        "The same pixels twice: one copy may train and the other test, and the class is counted"
        " twice.",
    ),
    "near": Kind(
        "Near duplicates",
        "The same field in another size, format or brightness, cropped, shifted, turned or"
        " mirrored: it leaks from training to test like an exact copy.",
    ),
    "blurred": Kind(
        "Blurred", "Nuclei cannot be judged; a model may learn focus in place of form."
    ),
    "dark": Kind("Too dark", "Much darker than the rest; a model may take light for disease."),
    "bright": Kind("Too bright", "Burnt out to white: what was there cannot be brought back."),
    "empty": Kind("Nearly empty", "Hardly any tissue: there is nothing to tell the class from."),
    "size": Kind(
        "Odd sizes",
        "Another size often means another magnification or a crop: cells then look larger or"
        " smaller.",
    ),
    "mode": Kind(
        "Another kind of picture",
        "Grey among colour, or another bit depth: the model can tell the source from that alone.",
    ),
}


class Finding(NamedTuple):
    """One picture with one fault; ``other`` is its twin where the fault is a duplicate."""

    kind: str
    picture: str
    note: str
    other: str = ""


def find(
    table: pd.DataFrame, measures: pd.DataFrame, root: Path | str | None = None
) -> list[Finding]:
    """Return every finding, in the order of :data:`KINDS`.

    Parameters
    ----------
    table : DataFrame
        Picture table; pictures with a problem count as damaged unless the user left them out.
    measures : DataFrame
        :func:`lymph.data.measure.measure_all` of the sound pictures of the table.
    root : Path, optional
        Data root, whose cache holds which pictures look alike.
    """
    sound = table[table["problem"] == ""].set_index("picture").loc[measures["picture"]]
    measured = pd.concat([measures, sound.reset_index(drop=True)], axis=1)
    measured = measured[measured["content"] != ""].reset_index(drop=True)
    if measured.empty:
        return _damaged(table)
    near = near_pairs(measured) if root is None else cached_near_pairs(root, measured)
    return [
        *_damaged(table),
        *_twins("same", measured, same_content(measured)),
        *_twins("near", measured, near),
        *_outliers(measured),
        *_unusual("size", measured, lambda row: f"{row.width} x {row.height} pixels"),
        *_unusual("mode", measured, lambda row: MODES.get(row.mode, row.mode)),
    ]


def unseen_overlaps(measures: pd.DataFrame) -> str:
    """Say which near duplicates stay unseen.

    Parameters
    ----------
    measures : DataFrame
        As :func:`lymph.data.measure.measure_all`.
    """
    if len(measures) > MOST_COMPARED:
        return (
            f"Crops, shifts and slight turns are looked for among {MOST_COMPARED:,} pictures at"
            " most: in this set they stay unseen."
        )
    small = int((measures["field"] == "").sum())
    words = (
        "Not found: crops to less than 80 %, shifts by 20 % or more, turns by more than 15 degrees"
        " other than quarter turns, and crops or shifts of a mirrored or quarter-turned copy."
    )
    if not small:
        return words
    return (
        f"{words} In {counted(small, 'picture')} of less than {SMALLEST} pixels, or that could not"
        " be read, no overlaps are looked for."
    )


MODES = {
    "1": "black and white, 1 bit",
    "L": "grey, 8 bit",
    "I;16": "grey, 16 bit",
    "I;16B": "grey, 16 bit",
    "I": "grey, 32 bit",
    "F": "grey, floating point",
    "P": "palette of 256 colours",
    "LA": "grey with transparency",
    "RGB": "colour, 8 bit",
    "RGBA": "colour with transparency",
    "CMYK": "print colours (CMYK)",
}


def _damaged(table: pd.DataFrame) -> list[Finding]:
    """List the files that could not be decoded: they have no kind."""
    bad = table[(table["problem"] != "") & (table["mode"] == "")]
    return [
        Finding("damaged", picture, problem)
        for picture, problem in zip(bad["picture"], bad["problem"], strict=True)
    ]


def _twins(kind: str, measured: pd.DataFrame, pairs: list[tuple[int, int]]) -> list[Finding]:
    pictures = measured["picture"]
    return [
        Finding(kind, pictures[later], _twin_note(measured, first, later), pictures[first])
        for first, later in pairs
    ]


def _twin_note(measured: pd.DataFrame, first: int, later: int) -> str:
    one, other = measured.loc[first], measured.loc[later]
    if one["label"] != other["label"]:
        return f"filed under {one['label']} and {other['label']}: one label must be wrong"
    if one["patient"] != other["patient"]:
        return f"from two patients, {one['patient']} and {other['patient']}: one is not right"
    return f"both of patient {one['patient']}"


def _outliers(measured: pd.DataFrame) -> list[Finding]:
    """Compare sharpness and brightness with the rest of the set; empty pictures are only empty."""
    empty = measured["tissue"] < EMPTY
    rest = measured[~empty]
    median = rest[["sharpness", "brightness", "clipped"]].median()
    dark = rest["brightness"] < DARK * median["brightness"]
    pale = 255 - rest["brightness"] < BRIGHT * (255 - median["brightness"])
    pale |= rest["clipped"] > max(CLIPPED, 5 * median["clipped"])
    blurred = (rest["sharpness"] < BLURRED * median["sharpness"]) & ~dark & ~pale
    return [
        *_each("blurred", rest[blurred], lambda row: _share(row.sharpness, median["sharpness"])),
        *_each("dark", rest[dark], lambda row: _brightness(row, median)),
        *_each("bright", rest[pale], lambda row: _brightness(row, median)),
        *_each("empty", measured[empty], lambda row: f"{100 * row.tissue:.0f} % of it is tissue"),
    ]


def _each(kind: str, rows: pd.DataFrame, note: Callable[[Any], str]) -> list[Finding]:
    return [Finding(kind, str(row.picture), note(row)) for row in rows.itertuples()]


def _share(value: float, median: float) -> str:
    return f"{100 * value / median:.0f} % of the usual sharpness"


def _brightness(row: Any, median: pd.Series) -> str:
    return f"brightness {row.brightness:.0f} of 255, usually {median['brightness']:.0f}"


def _unusual(kind: str, measured: pd.DataFrame, say: Callable[..., str]) -> list[Finding]:
    """List the pictures that differ from what most have, where most have something in common."""
    words = pd.Series([say(row) for row in measured.itertuples()], index=measured.index)
    counts = words.value_counts()
    if counts.iloc[0] <= USUAL * len(words) or len(counts) == 1:
        return []
    usual = str(counts.index[0])
    odd = measured[words != usual]
    return [
        Finding(kind, picture, f"{said}; most: {usual}")
        for picture, said in zip(odd["picture"], words[odd.index], strict=True)
    ]
