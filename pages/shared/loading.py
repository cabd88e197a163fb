"""Cached readers: each is keyed by the folder, what it looked like, and the settings."""

import base64
import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

from lymph import splits
from lymph.charts import kinds_of
from lymph.data import decisions, quality
from lymph.data.ahead import DECODED_AT_ONCE, HEIGHT
from lymph.data.depth import read_of, white_of
from lymph.data.look import Found
from lymph.data.measure import measure_all
from lymph.data.quality import Finding
from lymph.data.scan import count_unopened, summary
from lymph.data.source import PictureSource, source_of, table_of
from lymph.data.sources import DataSet
from lymph.data.thumbnails import thumbnail_paths
from lymph.errors import SplitError
from lymph.splits import LeakReport, Split
from lymph.synthetic import is_coming
from pages.shared import thumbs
from pages.shared.state import SplitSettings

Progress = Callable[[int, int], None]
Stamp = tuple[tuple[str, int], ...]


@contextmanager
def progress_bar(text: str) -> Iterator[Progress]:
    """Show a bar with the time left while something long goes on; it vanishes at the end."""
    place = st.empty()
    started = time.monotonic()
    first: int | None = None
    drawn = 0.0

    def show(done: int, total: int) -> None:
        nonlocal drawn, first, started
        now = time.monotonic()
        if first is None and total:
            # Who waits for another's work has not seen its beginning.
            first, started = (0, started) if done <= 1 else (done, now)
        # Four drawings a second are enough; each one costs the work itself some time.
        if total and (now - drawn > 0.25 or done == total):
            drawn = now
            left = (now - started) * (total - done) / max(1, done - (first or 0))
            place.progress(done / total, f"{text}: {done} of {total}{time_left(left)}")

    yield show
    place.empty()


class Turn:
    """Something long that one does for all: whose turn it is and how far that has come."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done = self.total = 0

    def tell(self, done: int, total: int) -> None:
        """Note how far it has come."""
        self.done, self.total = done, total

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Wait for the turn and keep it until the end, or until what is returned is called."""
        self.lock.acquire()
        kept = True

        def give_up() -> None:
            nonlocal kept
            if kept:
                kept = False
                self.tell(0, 0)
                self.lock.release()

        try:
            yield give_up
        finally:
            give_up()


@st.cache_resource(show_spinner=False, max_entries=256)
def turn_of(key: tuple) -> Turn:
    """Return the turn of what a key tells, the same for all visitors."""
    return Turn()


@st.cache_resource(show_spinner=False)
def _done() -> dict[tuple, Any]:
    """Return what was done once for all visitors of this server, and what came of it."""
    return {}


@contextmanager
def in_turn(text: str, key: tuple) -> Iterator[Progress]:
    """Let one visitor at a time do what all ask for; the others see how far it is, then go on.

    What is done must end up in a cache: who has waited finds it there. ``key`` tells the work.
    """
    turn = turn_of(key)
    with progress_bar(text) as show:
        while not turn.lock.acquire(timeout=0.25):
            show(turn.done, turn.total)

        def tell(done: int, total: int) -> None:
            turn.tell(done, total)
            show(done, total)

        try:
            yield tell
        finally:
            turn.tell(0, 0)
            turn.lock.release()


def time_left(seconds: float | None) -> str:
    """Write the time left after a comma; nothing where it is under two seconds or unknown."""
    if seconds is None or seconds < 2:
        return ""
    return f", about {duration(seconds)} left"


def duration(seconds: float) -> str:
    """Write a duration in the words that someone would use."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def folder_stamp(root: Path) -> Stamp:
    """Return the times of change of a root's folders, which move when files come or go.

    A new folder moves the time of the one that holds it: as long as the known ones stand still,
    nobody needs to walk through a hundred thousand files.
    """
    kept, key = _done(), ("stamp", str(root))
    again: Stamp = (("read again", kept.get(("read again", str(root)), 0)),)
    known: Stamp = kept.get(key, ())
    try:
        if known and all(os.stat(path).st_mtime_ns == changed for path, changed in known):
            return known + again
    except OSError:
        pass
    folders = sorted(path for path, _, _ in os.walk(root))
    kept[key] = tuple((path, os.stat(path).st_mtime_ns) for path in folders)
    return kept[key] + again


def decided(data_set: DataSet) -> tuple[str, str]:
    """Return whose decisions stand for a data set, and what tells them from earlier ones."""
    return data_set.copy, decisions.stamp(data_set.path, data_set.copy)


@st.cache_resource(show_spinner=False, max_entries=8)
def _found(root: str, stamp: Stamp, decided: tuple) -> Found[PictureSource]:
    return source_of(root, decided[0]).look()


def found(data_set: DataSet) -> Found[PictureSource]:
    """Return what a data set holds and what tells it, as it stands and as it was corrected.

    Raises
    ------
    DataError
        When the folder is gone, or nothing tells its classes.
    """
    root = data_set.path
    stamp = folder_stamp(root) if root.is_dir() else ()
    return _found(str(root), stamp, decided(data_set))


@st.cache_resource(show_spinner=False, max_entries=8)
def _table(root: str, stamp: Stamp, decided: tuple, decode: bool, _found: Found) -> pd.DataFrame:
    return table_of(_found, decode=decode)


def picture_table(data_set: DataSet, decode: bool = True) -> pd.DataFrame:
    """Return the picture table of a data set; the first reading shows a progress bar.

    Without ``decode`` a large set is read by its headers, which takes a hundredth of the time.

    Raises
    ------
    DataError
        As :func:`found`.
    """
    # The bar comes and goes in a place of its own: were what lies below drawn at another place in
    # the next run, a file that is dropped there would be lost and a tab be closed.
    with st.container():
        return _picture_table(data_set, decode)


def _picture_table(data_set: DataSet, decode: bool) -> pd.DataFrame:
    root, holds = data_set.path, found(data_set)
    stamp = folder_stamp(root)
    done, key = _done(), ("read", str(root), stamp)
    decode = decode or done.get(key, False)
    # A cached function cannot draw into a bar made outside it, so the slow first reading, which
    # fills the cache on disk, happens here.
    if done.get(key) is None or decode > done[key]:
        with in_turn("Reading pictures", ("read", str(root))) as progress:
            decode = decode or count_unopened(root, holds.pictures) <= DECODED_AT_ONCE
            if done.get(key) is None or decode > done[key]:
                table_of(holds, progress, decode)
                done[key] = decode
    # The table is shared, not copied: with copy-on-write a change stays with who makes it.
    return _table(str(root), stamp, decided(data_set), decode, holds).copy(deep=False)


def headers_only(data_set: DataSet) -> bool:
    """Tell whether the pixels of a data set have not been read by this server."""
    root = data_set.path
    return _done().get(("read", str(root), folder_stamp(root))) is False


def read_again(root: Path) -> None:
    """Forget what was read of a data root, for files that were changed in their place.

    Whatever was read of it is known by its stamp, which is another one from now on; what was read
    of others stays.
    """
    done, key = _done(), ("read again", str(root))
    count = done.get(key, 0) + 1
    for known in list(done):
        if str(root) in known:
            done.pop(known, None)
    done[key] = count


@st.cache_data(show_spinner=False, max_entries=8)
def _summary_of_pictures(_table: pd.DataFrame, key: tuple) -> dict[str, Any]:
    return summary(_table)


def summary_of_pictures(data_set: DataSet, table: pd.DataFrame) -> dict[str, Any]:
    """Return what a picture table holds, counted once for all who ask."""
    return _summary_of_pictures(table, _told_by(data_set))


def _told_by(data_set: DataSet) -> tuple:
    """Return what is another one as soon as a data set's picture table is."""
    root = data_set.path
    return (str(root), folder_stamp(root), decided(data_set), headers_only(data_set))


@st.cache_resource(show_spinner=False, max_entries=8)
def _with_kinds(_sound: pd.DataFrame, key: tuple) -> pd.DataFrame:
    return _sound.assign(kind=kinds_of(_sound))


def with_kinds(data_set: DataSet, sound: pd.DataFrame) -> pd.DataFrame:
    """Return the sound pictures of a table with the kind of each file, told once for all."""
    return _with_kinds(sound, _told_by(data_set)).copy(deep=False)


@st.cache_resource(show_spinner=False, max_entries=4)
def _measures(root: str, _pictures: list[str], held: int, stamp: Stamp, white: int) -> pd.DataFrame:
    return measure_all(Path(root), _pictures)


def measures(data_set: DataSet, table: pd.DataFrame) -> pd.DataFrame:
    """Return what was measured of the pictures of a table; the first time shows a progress bar."""
    pictures = list(table["picture"])
    stamp = folder_stamp(data_set.path)
    white = white_of(data_set.path)
    done, key = _done(), ("measured", str(data_set.path), stamp, white, len(pictures))
    if key not in done:
        with in_turn("Measuring pictures", ("measure", str(data_set.path))) as progress:
            if key not in done:
                measure_all(data_set.path, pictures, progress)
                done[key] = True
    held = hash_of(table[["picture"]])
    # It is shared, not copied: with copy-on-write a change stays with who makes it.
    return _measures(str(data_set.path), pictures, held, stamp, white).copy(deep=False)


@st.cache_data(show_spinner="Comparing pictures", max_entries=4)
def _findings(_table: pd.DataFrame, _measured: pd.DataFrame, key: tuple) -> list[Finding]:
    return quality.find(_table, _measured, key[0])


def findings(data_set: DataSet, table: pd.DataFrame) -> list[Finding]:
    """Return what may be wrong with the pictures of a data set."""
    measured = measures(data_set, table[table["problem"] == ""])
    white = white_of(data_set.path)
    key = (
        str(data_set.path),
        folder_stamp(data_set.path),
        white,
        decided(data_set),
        len(measured),
    )
    return _findings(table, measured, key)


def measured(data_set: DataSet, table: pd.DataFrame) -> bool:
    """Tell whether the pictures of a table were measured, so that nobody waits for it."""
    root = data_set.path
    key = ("measured", str(root), folder_stamp(root), white_of(root), len(table))
    return key in _done()


def twins_are_known(data_set: DataSet, table: pd.DataFrame) -> bool:
    """Tell whether pictures that look alike can be told at once, without decoding a large set."""
    return len(table) <= DECODED_AT_ONCE or measured(data_set, table)


def known_twins(data_set: DataSet, table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of pictures that look alike; of a large set only once it was measured."""
    if not twins_are_known(data_set, table):
        return []
    twins = (found for found in findings(data_set, table) if found.other)
    return [(found.other, found.picture) for found in twins]


def make_split(data_set: DataSet, table: pd.DataFrame, settings: SplitSettings) -> Split:
    """Make the split that the settings describe, for sound pictures.

    Raises
    ------
    SplitError
        When these data cannot be split so.
    """
    if settings.by == "saved":
        return _saved(table, settings.name, data_set)
    if settings.by == "given":
        return splits.given_split(table, found(data_set).given_sets())
    rows = table[["picture", "label", "patient"]]
    made = _split(rows, hash_of(rows), tuple(settings._replace(moves=())))
    for patient, to in settings.moves if settings.by == "hand" else ():
        made = made.moved(patient, to)
    return made


def hash_of(rows: pd.DataFrame) -> int:
    """Return a number that tells what rows hold, at a tenth of the time Streamlit would take."""
    return int(pd.util.hash_pandas_object(rows).sum())


@st.cache_resource(show_spinner=False, max_entries=200)
def _drawn(key: tuple, _draw: Callable[[], go.Figure]) -> go.Figure:
    figure = _draw()
    # Streamlit asks for it each time the chart is shown, and Plotly copies every value of it.
    as_sent = figure.to_dict()
    figure.to_dict = lambda: as_sent
    return figure


def drawn(chart: Callable[..., go.Figure], *shown: Any) -> go.Figure:
    """Return ``chart(*shown)``, drawn once for all who ask for the same; do not change it."""
    known = (hash_of(one) if isinstance(one, pd.DataFrame) else repr(one) for one in shown)
    return _drawn((chart.__module__, chart.__qualname__, *known), lambda: chart(*shown))


class SplitFacts(NamedTuple):
    """What the pages say of a split; counting takes time where pictures are many."""

    leak: LeakReport
    summary: dict[str, Any]
    patients: dict[str, Any]
    untrainable: list[str]
    advice: list[str]
    csv: str


def split_facts(
    data_set: DataSet, table: pd.DataFrame, split: Split, settings: SplitSettings
) -> SplitFacts:
    """Return what is to say of the split that the settings made."""
    stamps = (folder_stamp(data_set.path), decided(data_set))
    saved = splits.list_splits(data_set.path, data_set.copy) if settings.by == "saved" else {}
    key = (str(data_set.path), stamps, tuple(settings), str(saved.get(settings.name)), len(table))
    return _split_facts(table, split, key)


@st.cache_data(show_spinner=False, max_entries=8)
def _split_facts(_table: pd.DataFrame, _split: Split, key: tuple) -> SplitFacts:
    people = _table.drop_duplicates(["patient", "label"])
    if _split.by == "picture":
        # A patient stands in every set that has a picture of it.
        sets = _split.assign(_table)
        people = _table[~_table.assign(set=sets).duplicated(["patient", "label", "set"])]
    return SplitFacts(
        splits.leak_report(_table, _split),
        splits.summary(_table, _split),
        splits.counts_of(people, _split.assign(_table)[people.index], _split),
        splits.untrainable(_table, _split),
        splits.advice(_table, _split),
        splits.to_csv(_table, _split),
    )


class Outline(NamedTuple):
    """What is said of a split in passing; many share it: do not change it."""

    leak: LeakReport
    summary: dict[str, Any]
    untrainable: list[str]


def outline_of(table: pd.DataFrame, split: Split) -> Outline:
    """Return what a split holds and what leaks in it, looked at once for all who ask."""
    rows = table[["picture", "label", "patient"]]
    return _outline(rows, split, (hash_of(rows), json.dumps(split.to_json())))


@st.cache_resource(show_spinner=False, max_entries=64)
def _outline(_rows: pd.DataFrame, _split: Split, key: tuple[int, str]) -> Outline:
    return Outline(
        splits.leak_report(_rows, _split),
        splits.summary(_rows, _split),
        splits.untrainable(_rows, _split),
    )


def _saved(table: pd.DataFrame, name: str, data_set: DataSet) -> Split:
    known = splits.list_splits(data_set.path, data_set.copy)
    if name not in known:
        raise SplitError("This split is no longer saved; choose another way to split.")
    known[name].assign(table)
    return known[name]


@st.cache_data(show_spinner=False, max_entries=16)
def _split(_table: pd.DataFrame, key: int, settings: tuple) -> Split:
    chosen = SplitSettings(*settings)
    if chosen.by == "notebook":
        return splits.notebook_split(_table)
    if chosen.by in ("folds", "one-out"):
        k = chosen.k if chosen.by == "folds" else _table["patient"].nunique()
        return splits.make_folds(_table, k, "patient", chosen.seed)
    make = splits.split_by_picture if chosen.by == "picture" else splits.split_by_patient
    return make(_table, chosen.fractions, chosen.seed)


@st.cache_data(show_spinner=False, max_entries=200)
def _thumbnails(
    root: str, pictures: tuple[str, ...], height: int, stamp: Stamp, white: int
) -> list[str]:
    return thumbs.addresses_of(Path(root), list(pictures), height)


def make_thumbnails(root: Path, pictures: list[str], height: int) -> tuple[Stamp, int]:
    """Make small copies of pictures unless they are there, and return what they are known by.

    Raises
    ------
    PictureError
        When a picture can no longer be read.
    """
    stamp, white = folder_stamp(root), white_of(root)
    key = ("thumbnails", str(root), height, stamp, white)
    made = _done().setdefault(key, set())
    if not made.issuperset(pictures):
        with in_turn("Preparing thumbnails", ("thumbnails", str(root), height)) as progress:
            if not made.issuperset(pictures):
                thumbnail_paths(root, pictures, height=height, progress=progress)
                made.update(pictures)
    return stamp, white


def make_thumbnails_once(
    root: Path, key: tuple, pictures: Callable[[], list[str]], height: int
) -> tuple[Stamp, int]:
    """Make small copies as :func:`make_thumbnails` does, asking once which pictures a key means."""
    known_by = folder_stamp(root), white_of(root)
    done, key = _done(), ("thumbnails of", height, *known_by, key)
    if key not in done:
        make_thumbnails(root, pictures(), height)
        done[key] = True
    return known_by


def thumbnails(root: Path, pictures: list[str], height: int = HEIGHT) -> list[str]:
    """Return the addresses of small copies of pictures, for use in HTML.

    Nobody waits for those of a set that is being drawn: the browser shows them as they come.

    Raises
    ------
    PictureError
        When a picture can no longer be read.
    """
    if is_coming(root):
        return thumbs.addresses_to_come(root, pictures, height)
    known_by = make_thumbnails(root, pictures, height)
    return _thumbnails(str(root), tuple(pictures), height, *known_by)


def inline_thumbnails(root: Path, pictures: list[str], height: int) -> list[str]:
    """Return small copies as ``data:`` addresses: hundreds of tiny ones are best in one piece.

    Raises
    ------
    PictureError
        As :func:`thumbnails`.
    """
    return [_as_address(file.read_bytes()) for file in thumbnail_paths(root, pictures, height)]


def _as_address(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def exact_address(pixels: np.ndarray) -> str:
    """Return pixels as a ``data:`` address: small ones exactly, large ones as JPEG of 92 %."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if pixels.shape[0] * pixels.shape[1] <= 300_000:
        picture.save(buffer, "PNG")
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    picture.save(buffer, "JPEG", quality=92)
    return _as_address(buffer.getvalue())


def full_picture(root: str, picture: str) -> np.ndarray:
    """Read one picture of a data set at full size."""
    return _full_picture(root, picture, white_of(root), folder_stamp(Path(root)))


@st.cache_data(show_spinner=False, max_entries=4)
def _full_picture(root: str, picture: str, white: int, stamp: Stamp) -> np.ndarray:
    return read_of(root, picture, white)
