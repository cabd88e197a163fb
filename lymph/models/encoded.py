"""What a frozen encoder makes of pictures, made once and kept by content.

One SQLite file in the workspace's cache serves all runs, folds, measurements and visitors: a
picture has the features of its pixels, whatever its name and wherever it lies. What was made before
an interruption is kept. The file can be deleted at any time.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lymph import workspace
from lymph.data.depth import read_of, white_of
from lymph.data.stamps import stamp_of
from lymph.errors import PictureError
from lymph.models.grid import MOST_PIXELS
from lymph.models.hidden_features import digest
from lymph.models.inputs import to_input
from lymph.models.specs import ModelSpec
from lymph.models.store import (
    contents_of,
    file,
    kind_of,
    known_contents,
    note,
    numbers_of,
    opened,
    put,
)
from lymph.models.tiles import Tiled, TiledFeatures, encode_tiles, of_pictures, tiles_of_one
from lymph.models.view import pack, view
from lymph.parallel import Progress, map_in_threads

# Seconds of work that a killed process may lose.
KEEP_SECONDS = 1.0
# What a row takes beside its numbers: names, and the file's own pages.
ROW_BYTES = 1024

# A file's time of change and length, and the white by which it was read.
Seen = tuple[int, int, int]


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
        return Tiled(features, torch.tensor(self.counts))

    def of_pictures(self) -> Tensor:
        """Return one row a picture, N x D: the mean over its tiles, where it has some."""
        return of_pictures(self.ready())


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
    kind = kind_of(spec)
    name = f"{values_digest(encoder)}, {kind}"
    encoder.eval()
    # Who comes while others encode waits for them and finds their work done.
    with workspace.turn(file().with_name(name), check), opened() as store:
        digests = known_contents(store, root, pictures, kind)
        have = contents_of(store, name)
        fresh = [p for p in pictures if digests.get(p) not in have]
        width = getattr(encoder, "width", 0)
        numbers = width * (max(1, MOST_PIXELS // spec.tiles**2) if spec.tiles else 1)
        workspace.need_room(file().parent, len(fresh) * (4 * numbers + ROW_BYTES))
        kept = time.monotonic()
        for done, (picture, stamp, seen) in enumerate(_views(root, fresh, spec), start=1):
            check()
            digests[picture] = digest(seen)
            if digests[picture] not in have:
                put(store, name, digests[picture], _encode_one(encoder, seen, spec))
                have.add(digests[picture])
            note(store, (f"{root.resolve()}/{picture}", kind, *stamp, digests[picture]))
            if time.monotonic() - kept > KEEP_SECONDS:
                store.commit()
                kept = time.monotonic()
            if progress:
                progress(done, len(fresh))
        store.commit()
        found = [digests[picture] for picture in pictures]
        return _together(numbers_of(store, name, found), found, width if spec.tiles else 0)


@torch.inference_mode()
def _encode_one(encoder: nn.Module, seen: np.ndarray, spec: ModelSpec) -> np.ndarray:
    device = next(encoder.parameters()).device
    given = to_input(pack(seen, spec), spec).to(device, memory_format=torch.channels_last)
    if spec.tiles:
        return encode_tiles(encoder, tiles_of_one(given)).values.cpu().numpy()
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


def _together(found: list[np.ndarray], digests: list[str], width: int) -> Encoded:
    """Put the features of pictures one below the other; ``width`` is that of a tile's, or 0."""
    if not found:
        return Encoded(np.empty((0, width), np.float32), digests, [] if width else None)
    if not width:
        return Encoded(np.stack(found), digests)
    counts = [len(numbers) // width for numbers in found]
    return Encoded(np.concatenate(found).reshape(-1, width), digests, counts)
