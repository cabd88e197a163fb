"""Cached readers: each is keyed by the folder, what it looked like, and the settings."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from lymph import splits
from lymph.data.read import read_picture
from lymph.data.scan import scan
from lymph.data.sources import DataSet
from lymph.data.thumbnails import thumbnail_paths
from lymph.splits import Split
from pages.shared import state
from pages.shared.state import SplitSettings

Progress = Callable[[int, int], None]
Stamp = tuple[tuple[str, int], ...]


@contextmanager
def progress_bar(text: str) -> Iterator[Progress]:
    """Show a bar with the time left while something long goes on; it vanishes at the end."""
    place = st.empty()
    started = time.monotonic()
    drawn = 0.0

    def show(done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        # Ten drawings a second are enough; each one costs the work itself some time.
        if total and (now - drawn > 0.1 or done == total):
            drawn = now
            left = (now - started) * (total - done) / max(1, done)
            place.progress(done / total, f"{text}: {done} of {total}{time_left(left)}")

    yield show
    place.empty()


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
    """Return the times of change of a root's folders, which move when files come or go."""
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    return tuple(sorted((str(path), path.stat().st_mtime_ns) for path in folders))


@st.cache_data(show_spinner=False, max_entries=8)
def _table(root: str, stamp: Stamp, pattern: str) -> pd.DataFrame:
    return scan(Path(root), pattern=pattern)


def picture_table(data_set: DataSet) -> pd.DataFrame:
    """Return the picture table of a data set; the first reading shows a progress bar.

    Raises
    ------
    DataError
        When the folder is gone or the pattern cannot serve.
    """
    pattern = state.patient_pattern(data_set)
    stamp = folder_stamp(data_set.path) if data_set.path.is_dir() else ()
    # A cached function cannot draw into a bar made outside it, so the slow first reading, which
    # fills the cache on disk, happens here.
    seen = st.session_state.setdefault("scanned", set())
    if (str(data_set.path), stamp) not in seen:
        with progress_bar("Reading pictures") as progress:
            scan(data_set.path, pattern=pattern, progress=progress)
        seen.add((str(data_set.path), stamp))
    return _table(str(data_set.path), stamp, pattern)


def read_again() -> None:
    """Forget what was read, for files that were changed in their place."""
    st.cache_data.clear()
    st.session_state.pop("scanned", None)
    st.session_state.pop("thumbnails_made", None)


@st.cache_data(show_spinner=False, max_entries=16)
def _split(table: pd.DataFrame, settings: tuple) -> Split:
    chosen = SplitSettings(*settings)
    if chosen.by == "notebook":
        return splits.notebook_split(table)
    make = splits.split_by_patient if chosen.by == "patient" else splits.split_by_picture
    return make(table, chosen.fractions, chosen.seed)


def make_split(table: pd.DataFrame, settings: SplitSettings) -> Split:
    """Make the split that the settings describe, for sound pictures.

    Raises
    ------
    SplitError
        When these data cannot be split so.
    """
    return _split(table, tuple(settings))


@st.cache_data(show_spinner=False, max_entries=24)
def _thumbnails(root: str, pictures: tuple[str, ...], height: int, stamp: Stamp) -> list[str]:
    files = thumbnail_paths(Path(root), list(pictures), height=height)
    return [_as_address(file.read_bytes()) for file in files]


def thumbnails(root: Path, pictures: list[str], height: int = 192) -> list[str]:
    """Return small copies of pictures as ``data:`` addresses, for use in HTML.

    Raises
    ------
    PictureError
        When a picture can no longer be read.
    """
    stamp = folder_stamp(root)
    asked = (str(root), height, stamp, tuple(pictures))
    seen = st.session_state.setdefault("thumbnails_made", set())
    if asked not in seen:
        with progress_bar("Preparing thumbnails") as progress:
            thumbnail_paths(root, pictures, height=height, progress=progress)
        seen.add(asked)
    return _thumbnails(str(root), tuple(pictures), height, stamp)


def _as_address(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


@st.cache_data(show_spinner=False, max_entries=4)
def full_picture(root: str, picture: str) -> np.ndarray:
    """Read one picture at full size."""
    return read_picture(Path(root) / picture)
