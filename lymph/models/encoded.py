"""What a frozen encoder makes of pictures, made once and kept by content.

One SQLite file in the workspace's cache serves all runs, folds, measurements and visitors: a
picture has the features of its pixels, whatever its name and wherever it lies. What was made before
an interruption is kept. The file can be deleted at any time.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lymph import workspace
from lymph.data.depth import read_of, white_of
from lymph.data.stamps import stamp_of
from lymph.errors import DiskError, PictureError
from lymph.models.features import digest
from lymph.models.inputs import to_input
from lymph.models.specs import ModelSpec
from lymph.models.tiles import MOST_PIXELS, TiledFeatures, encode_tiles
from lymph.models.view import MOST_TILED_PIXELS, TILED_PIXELS, pack, view
from lymph.parallel import Progress, map_in_threads

# Seconds of work that a killed process may lose, and that a writer waits for another one.
KEEP_SECONDS = 1.0
WAIT_SECONDS = 60.0
# What a row takes beside its numbers: names, and the file's own pages.
ROW_BYTES = 1024

# A file's time of change and length, and the white by which it was read.
Seen = tuple[int, int, int]

TABLES = """
CREATE TABLE IF NOT EXISTS contents (
    file TEXT, kind TEXT, changed INTEGER, length INTEGER, white INTEGER, digest TEXT,
    PRIMARY KEY (file, kind));
CREATE TABLE IF NOT EXISTS features (
    encoder TEXT, digest TEXT, numbers BLOB, PRIMARY KEY (encoder, digest));
"""


class Encoded(NamedTuple):
    """Features, float32 N x D, and the name of each picture's content as the encoder sees it.

    Of pictures cut into tiles the features are T x D, a row a tile, and ``counts`` has the number
    of tiles of each picture.
    """

    features: np.ndarray
    digests: list[str]
    counts: list[int] | None = None

    def ready(self) -> Tensor | TiledFeatures:
        """Return the features to learn from, which are asked for by pictures."""
        features = torch.from_numpy(self.features)
        if self.counts is None:
            return features
        return TiledFeatures(features, torch.tensor(self.counts))

    def of_pictures(self) -> Tensor:
        """Return one row a picture, N x D: the mean over its tiles, where it has some."""
        ready = self.ready()
        return ready.of_pictures() if isinstance(ready, TiledFeatures) else ready


def values_digest(module: nn.Module) -> str:
    """Return a name for the values of a module: other values, another name."""
    found = hashlib.sha256()
    for name, value in module.state_dict().items():
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def encode(
    root: Path | str,
    pictures: Sequence[str],
    encoder: nn.Module,
    spec: ModelSpec,
    progress: Progress | None = None,
    check: Callable[[], None] | None = None,
) -> Encoded:
    """Return what an encoder makes of pictures; only what is new runs through it, one by one.

    Parameters
    ----------
    root : Path
        Data root.
    pictures : sequence of str
        Paths below the root; row i of the result is ``pictures[i]``.
    encoder : Module
        On the device on which it is to run.
    spec : ModelSpec
        Tells the size at which a picture is seen.
    progress : callable, optional
        Called with the pictures done and the pictures to do.
    check : callable, optional
        Called before each picture and while another process is at work; it may raise to end.

    Raises
    ------
    PictureError
        When a picture cannot be read.
    DiskError
        When the disk has no room for the features.
    """
    root, check = Path(root), check or (lambda: None)
    kind = _kind(spec)
    name = f"{values_digest(encoder)}, {kind}"
    encoder.eval()
    # Who comes while others encode waits for them and finds their work done.
    with workspace.turn(_file().with_name(name), check), _store() as store:
        digests = _known_contents(store, root, pictures, kind)
        have = _have(store, name)
        fresh = [p for p in pictures if digests.get(p) not in have]
        width = getattr(encoder, "width", 0)
        numbers = width * (max(1, MOST_PIXELS // spec.tiles**2) if spec.tiles else 1)
        workspace.need_room(_file().parent, len(fresh) * (4 * numbers + ROW_BYTES))
        kept = time.monotonic()
        for done, (picture, stamp, seen) in enumerate(_views(root, fresh, spec), start=1):
            check()
            digests[picture] = digest(seen)
            if digests[picture] not in have:
                _put(store, name, digests[picture], _encode_one(encoder, seen, spec))
                have.add(digests[picture])
            _note(store, (f"{root.resolve()}/{picture}", kind, *stamp, digests[picture]))
            if time.monotonic() - kept > KEEP_SECONDS:
                store.commit()
                kept = time.monotonic()
            if progress:
                progress(done, len(fresh))
        store.commit()
        found = [digests[picture] for picture in pictures]
        return _together(_get(store, name, found), found, width if spec.tiles else 0)


def unseen(root: Path | str, pictures: Sequence[str], spec: ModelSpec) -> list[str]:
    """Return the pictures that no encoder has seen as they are now: those that take time."""
    if not _file().exists():
        return list(pictures)
    with _store() as store:
        known = _known_contents(store, Path(root), pictures, _kind(spec))
    return [picture for picture in pictures if picture not in known]


def _kind(spec: ModelSpec) -> str:
    """Name the size at which pictures are seen."""
    if spec.tiles:
        limits = f"{TILED_PIXELS} to {MOST_TILED_PIXELS}, {MOST_PIXELS} in tiles of {spec.tiles}"
        return f"{spec.scale:g} times, at most {limits}"
    return f"{spec.scale:g} times, at most {spec.size[0]}x{spec.size[1]}"


@torch.inference_mode()
def _encode_one(encoder: nn.Module, seen: np.ndarray, spec: ModelSpec) -> np.ndarray:
    device = next(encoder.parameters()).device
    given = to_input(pack(seen, spec), spec).to(device, memory_format=torch.channels_last)
    if spec.tiles:
        return encode_tiles(encoder, given).features.cpu().numpy()
    return encoder(given)[0].float().cpu().numpy()


def _views(
    root: Path, pictures: Sequence[str], spec: ModelSpec
) -> Iterator[tuple[str, Seen, np.ndarray]]:
    """Yield each picture's path, the state of its file, and what the encoder sees."""
    white = white_of(root)

    def read(picture: str) -> tuple[str, Seen, np.ndarray]:
        stamp = (*stamp_of(root / picture), white)
        try:
            return picture, stamp, view(read_of(root, picture, white), spec)
        except PictureError as error:
            raise PictureError(f"{picture}: {error}") from error

    return map_in_threads(read, pictures)


# ---- the file ----------------------------------------------------------------------------------


def _file() -> Path:
    return workspace.cache_home() / "features.sqlite"


@contextmanager
def _store() -> Iterator[sqlite3.Connection]:
    """Open the file; one that is no database is begun anew.

    Raises
    ------
    DiskError
        When it cannot be read or written, or was found damaged inside; then it is deleted.
    """
    with workspace.writing(_file().parent):
        _file().parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_opened()) as store:
            yield store
    except sqlite3.OperationalError as error:
        raise DiskError(
            f"{_file()} cannot be used ({error}). Make room for it and make it writable, or choose"
            " another workspace with LYMPH_HOME."
        ) from error
    except sqlite3.DatabaseError as error:
        _file().unlink(missing_ok=True)
        raise DiskError(
            f"{_file()}, which kept the features of pictures, was damaged and is deleted. Try"
            " again: they are computed again."
        ) from error


def _opened() -> sqlite3.Connection:
    """Open the file; one that is no database is begun anew, one that is only busy waited for."""
    try:
        return _open()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        _file().unlink(missing_ok=True)
        return _open()


def _open() -> sqlite3.Connection:
    store = sqlite3.connect(_file(), timeout=WAIT_SECONDS)
    try:
        store.executescript(TABLES)
    except sqlite3.DatabaseError:
        store.close()
        raise
    return store


def _known_contents(
    store: sqlite3.Connection, root: Path, pictures: Sequence[str], kind: str
) -> dict[str, str]:
    """Return the contents of the pictures whose files have not changed since they were read."""
    home, white = str(root.resolve()), white_of(root)
    rows = store.execute(
        "SELECT file, changed, length, white, digest FROM contents WHERE kind = ?", (kind,)
    )
    kept = {file: (tuple(stamp), content) for file, *stamp, content in rows}
    known = {}
    for picture in pictures:
        stamp, content = kept.get(f"{home}/{picture}", (None, ""))
        if stamp == (*stamp_of(root / picture), white):
            known[picture] = content
    return known


def _note(store: sqlite3.Connection, row: tuple[str, str, int, int, int, str]) -> None:
    store.execute("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?, ?)", row)


def _have(store: sqlite3.Connection, encoder: str) -> set[str]:
    rows = store.execute("SELECT digest FROM features WHERE encoder = ?", (encoder,))
    return {content for (content,) in rows}


def _put(store: sqlite3.Connection, encoder: str, content: str, numbers: np.ndarray) -> None:
    row = (encoder, content, numbers.astype(np.float32).tobytes())
    store.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", row)


def _get(store: sqlite3.Connection, encoder: str, contents: Sequence[str]) -> list[np.ndarray]:
    asked = "SELECT numbers FROM features WHERE encoder = ? AND digest = ?"
    return [
        np.frombuffer(store.execute(asked, (encoder, content)).fetchone()[0], np.float32)
        for content in contents
    ]


def _together(found: list[np.ndarray], digests: list[str], width: int) -> Encoded:
    """Put the features of pictures one below the other; ``width`` is that of a tile's, or 0."""
    if not found:
        return Encoded(np.empty((0, width), np.float32), digests, [] if width else None)
    if not width:
        return Encoded(np.stack(found), digests)
    counts = [len(numbers) // width for numbers in found]
    return Encoded(np.concatenate(found).reshape(-1, width), digests, counts)
