"""``python -m lymph.data.ahead ROOT``: make what a page will ask for of a set of pictures.

Read, shrunk and measured, every picture is in the cache when somebody comes. A process of its own
does it, since threads of a server would take the pages' time; it tells how far it is on standard
output, a line ``STEP DONE TOTAL`` each; a step is over at 0 of 0.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lymph.data import quality
from lymph.data.measure import measure_all
from lymph.data.scan import count_unopened, usable
from lymph.data.source import source_of, table_of
from lymph.data.thumbnails import thumbnail_paths
from lymph.errors import LymphError
from lymph.jobs.detached import start_helper
from lymph.parallel import Progress

READ, SEE, MEASURE = "read", "see", "measure"
# A set with more new pictures than this is shown by its headers first.
DECODED_AT_ONCE = 1_000
# What the first page of a gallery shows, and how high; the lines of patients are lower.
FIRST_SHOWN, HEIGHT, LINE_HEIGHT = 24, 192, 64


def make_ahead(root: Path | str, tell: Callable[[str, int, int], None]) -> None:
    """Fill the cache of a data root: table, first thumbnails, measures, look-alikes, the rest.

    Of a set with very many new pictures nothing is made: that takes an hour, and nobody asked.

    Parameters
    ----------
    root : Path
    tell : callable
        Called with a step, the pictures done and the pictures to do.

    Raises
    ------
    LymphError
        When the pictures cannot be used.
    """

    def progress(step: str) -> Progress:
        return lambda done, total: tell(step, done, total)

    found = source_of(root).look()
    if count_unopened(root, found.pictures) > DECODED_AT_ONCE:
        return
    table = table_of(found, progress(READ))
    pictures = list(usable(table)["picture"])
    thumbnail_paths(root, pictures[:FIRST_SHOWN], HEIGHT)
    tell(READ, 0, 0)
    thumbnail_paths(root, pictures, LINE_HEIGHT, progress(SEE))
    tell(SEE, 0, 0)
    quality.find(table, measure_all(root, pictures, progress(MEASURE)), root)
    tell(MEASURE, 0, 0)
    thumbnail_paths(root, pictures, HEIGHT)


def start_ahead(root: Path | str) -> subprocess.Popen[str]:
    """Fill the cache of a data root in a process of its own."""
    return start_helper("lymph.data.ahead", str(root))


def _print(step: str, done: int, total: int) -> None:
    print(step, done, total, flush=True)


if __name__ == "__main__":
    try:
        make_ahead(sys.argv[1], _print)
    except (LymphError, BrokenPipeError):
        sys.exit(1)
