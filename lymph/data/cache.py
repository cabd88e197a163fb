"""What was found of the files of a data set, cached so that an unchanged file is read only once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from lymph import workspace
from lymph.data.stamps import stamp_of
from lymph.parallel import Progress, map_in_threads

STAMP = ["changed", "length"]


def stamps_of(root: Path, pictures: list[str]) -> pd.DataFrame:
    """Return time of change (ns) and length (bytes) of every picture; zeros for one that is gone.

    Returns
    -------
    DataFrame
        Columns ``changed length``, one row a picture in the order given, indexed by picture.
    """
    # The paths are put together as text: at 100,000 pictures pathlib alone takes a second.
    home = str(root)
    stamps = [stamp_of(f"{home}/{picture}") for picture in pictures]
    return pd.DataFrame(stamps, columns=STAMP, index=pd.Index(pictures, dtype=object))


def load(file: Path, stamps: pd.DataFrame) -> pd.DataFrame:
    """Return what a cache file knows of the pictures whose stamps have not changed.

    Returns
    -------
    DataFrame
        Indexed by picture, with the columns that were stored; empty when there are none.
    """
    try:
        columns = json.loads(file.read_text(encoding="utf-8"))
        known = pd.DataFrame(columns["columns"], index=pd.Index(columns["pictures"], dtype=object))
        same = known[STAMP].eq(stamps.reindex(known.index)).all(axis=1)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return pd.DataFrame(index=pd.Index([], dtype=object))
    return known[same]


def store(file: Path, known: pd.DataFrame, stamps: pd.DataFrame) -> None:
    """Keep what is known of the pictures, with the stamps that it was read under."""
    own = stamps.loc[known.index]
    frame = known.assign(**{name: own[name] for name in STAMP})
    columns = {str(name): values.tolist() for name, values in frame.items()}
    text = json.dumps({"pictures": list(frame.index), "columns": columns})
    workspace.write_text(file, text)


def fill(
    file: Path,
    known: pd.DataFrame,
    stamps: pd.DataFrame,
    look: Callable[[str], dict[str, Any]],
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Look at the pictures that are not known yet, store that, and return all that is known.

    What was seen before an interruption is stored too.

    Parameters
    ----------
    file : Path
        Cache file.
    known : DataFrame
        From :func:`load`.
    stamps : DataFrame
        From :func:`stamps_of`; its index tells the pictures and their order.
    look : callable
        Returns the columns of one picture, in plain types.
    """
    fresh = list(stamps.index.difference(known.index, sort=False))
    seen: list[dict[str, Any]] = []
    try:
        for row in map_in_threads(look, fresh, progress):
            seen.append(row)
    finally:
        if seen:
            new = pd.DataFrame(seen, index=pd.Index(fresh[: len(seen)], dtype=object))
            known = pd.concat([known[new.columns], new]) if len(known) else new
            store(file, known, stamps)
    return known.loc[stamps.index]
