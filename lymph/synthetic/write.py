"""The set as a folder: drawn beside its place, put there whole, and marked as synthetic."""

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from lymph import workspace
from lymph.errors import DataError
from lymph.facts import MARKER
from lymph.parallel import map_in_threads
from lymph.synthetic.coming import MAKING, makings
from lymph.synthetic.patients import Patient, patients, slides

DRAWING = 2  # goes up when the same seed gives other pictures; a set is drawn anew only on request


YEAR = "99"  # no true slide has this year: a synthetic name is known at sight


OLD = "-old"  # end of the hidden name of a set that is being replaced


class Picture(NamedTuple):
    """A picture of the set: its path below the root, the patient's number, block and own number."""

    path: str
    number: str
    block: str
    picture: int


def make_demo(
    folder: Path,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    first: Sequence[str] = (),
) -> Path:
    """Make the synthetic set of 374 pictures of 29 patients.

    Parameters
    ----------
    folder : Path
        Root of the set; made, or replaced if it is empty or an earlier synthetic set.
    seed : int
        Same seed, same bytes; each picture depends on seed, patient and its own number only.
    progress : callable, optional
        Called as ``progress(done, total)`` from the calling thread.
    first : sequence of str
        Paths below the root of pictures to draw before all others, in this order.

    Returns
    -------
    Path
        `folder`, holding CLL, FL, MCL and the marker file.

    Raises
    ------
    DataError
        If `folder` holds something that is not a synthetic set.
    DiskError
        If the disk is full or the place is closed to writing; nothing is left behind.
    """
    folder = Path(folder).absolute()
    _refuse_foreign(folder)
    making = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}{MAKING}")
    try:
        with workspace.writing(folder.parent):
            _draw_all(making, seed, progress, first)
            (making / MARKER).write_text(_marker_text(seed), encoding="utf-8")
            _put_in_place(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def drawing_of(folder: Path) -> int:
    """Return which version of the drawing made a set; 0 of one that does not say."""
    try:
        text = (folder / MARKER).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return 0
    found = re.search(r"^Drawing: (\d{1,9})$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def number_of_pictures() -> int:
    """Return how many pictures the set has."""
    return sum(count for *_, count in slides())


def pictures() -> Iterator[Picture]:
    """List the pictures of the set."""
    for label, number, block, count in slides():
        name = f"sj-{YEAR}-{number}{'-' if block else ''}{block}"
        for picture in range(1, count + 1):
            yield Picture(f"{label}/{name}_{picture:03d}.png", number, block, picture)


def clear_leftovers(folder: Path) -> None:
    """Delete what a killed drawing left beside a set, and put a set back that it had moved away.

    Only for one who knows that nobody is drawing the set.
    """
    for old in folder.parent.glob(f".{folder.name}-*{OLD}"):
        if not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    for making in makings(folder):
        shutil.rmtree(making, ignore_errors=True)


def _draw_all(
    root: Path, seed: int, progress: Callable[[int, int], None] | None, first: Sequence[str]
) -> None:
    # Threads, not processes: numpy and Pillow let go of the interpreter while they work, and a
    # spawned process would run the Streamlit script a second time.
    known = patients(seed)
    for label, *_ in slides():
        (root / label).mkdir(parents=True, exist_ok=True)
    places = {path: place for place, path in enumerate(first)}
    jobs = sorted(pictures(), key=lambda picture: places.get(picture.path, len(places)))

    def draw(job: Picture) -> None:
        _draw_file(known[job.number], seed, job.block, job.picture, root / job.path)

    for _ in map_in_threads(draw, jobs, progress):
        pass


def _draw_file(patient: Patient, seed: int, block: str, picture: int, path: Path) -> None:
    # Loaded late: every page and command looks for the set, few draw it, and SciPy takes its time.
    from lymph.synthetic.camera import draw_picture

    image = Image.fromarray(draw_picture(patient, seed, block, picture))
    # Whoever looks at a set while it is drawn finds a picture whole or not at all.
    unfinished = path.with_name(f"{path.name}.part")
    image.save(unfinished, "PNG", compress_level=1)
    os.replace(unfinished, path)


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists() or (folder / MARKER).is_file():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise DataError(f"{folder} holds files that are not a synthetic set; name an empty folder.")


def _put_in_place(made: Path, folder: Path) -> None:
    # Rename is the last step, so a set under its own name is always whole.
    old = made.with_name(made.name.removesuffix(MAKING) + OLD)
    if folder.exists():
        folder.rename(old)
    try:
        workspace.patiently(lambda: made.rename(folder))  # a page may be reading a picture
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _marker_text(seed: int) -> str:
    return (
        "All pictures in this folder are drawn by a computer program (lymph.synthetic).\n"
        "They show no patient and no tissue; names, patients and classes are made up to have\n"
        "the counts of the true set. Use them to teach and to try the program, never to judge\n"
        f"disease.\nDrawing: {DRAWING}\nSeed: {seed}\n"
    )
