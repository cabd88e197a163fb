"""Features are made once: by content, for all runs, and what was made before a stop is kept."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lymph.errors import DiskError, PictureError
from lymph.models.encoded import encode
from lymph.models.specs import MODELS
from lymph.models.store import unseen
from tests.models.test_encoders import Colours

SPEC = MODELS["linear-probe"]
PICTURES = ["CLL/sj-99-11_001.png", "FL/sj-99-21_001.png", "MCL/sj-99-31_001.png"]


class Counted(Colours):
    """An encoder that counts the pictures that run through it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, pictures: Tensor) -> Tensor:
        """Return N x 6."""
        self.seen += len(pictures)
        return super().forward(pictures)


def test_what_is_known_runs_through_no_encoder_again(tiny_root: Path) -> None:
    """A second call, and another order, find what the first has made."""
    encoder = Counted()
    first = encode(tiny_root, PICTURES, encoder, SPEC)
    assert first.features.shape == (3, 6)
    assert first.features.dtype == np.float32
    assert encoder.seen == 3
    again = encode(tiny_root, PICTURES[::-1], encoder, SPEC)
    assert encoder.seen == 3
    np.testing.assert_array_equal(again.features[::-1], first.features)
    assert again.digests[::-1] == first.digests
    assert unseen(tiny_root, [*PICTURES, "CLL/sj-99-12_001.png"], SPEC) == ["CLL/sj-99-12_001.png"]


def test_the_same_pixels_elsewhere_are_known_and_other_values_are_not(
    tiny_root: Path, tmp_path: Path
) -> None:
    """A copied folder costs reading only; another encoder sees every picture itself."""
    encoder = Counted()
    first = encode(tiny_root, PICTURES, encoder, SPEC)
    copy = shutil.copytree(tiny_root, tmp_path / "copy")
    assert encode(copy, PICTURES, encoder, SPEC).digests == first.digests
    assert encoder.seen == 3
    other = Counted()
    with torch.no_grad():
        other.maps.bias += 1
    found = encode(copy, PICTURES, other, SPEC)
    assert other.seen == 3
    np.testing.assert_allclose(found.features[:, :3], first.features[:, :3] + 1, rtol=1e-5)


def test_a_changed_file_is_seen_anew(tiny_root: Path) -> None:
    """Its features are those of its new content."""
    encoder = Counted()
    first = encode(tiny_root, PICTURES, encoder, SPEC)
    shutil.copy(tiny_root / "CLL/sj-99-12_001.png", tiny_root / PICTURES[0])
    found = encode(tiny_root, PICTURES, encoder, SPEC)
    assert encoder.seen == 4
    assert not np.array_equal(found.features[0], first.features[0])
    np.testing.assert_array_equal(found.features[1:], first.features[1:])


def test_what_was_made_before_a_stop_is_kept(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the third picture, the next call has one left."""
    monkeypatch.setattr("lymph.models.encoded.KEEP_SECONDS", 0.0)
    encoder, asked = Counted(), []

    def check() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        encode(tiny_root, PICTURES, encoder, SPEC, check=check)
    told: list[tuple[int, int]] = []
    encode(tiny_root, PICTURES, encoder, SPEC, lambda *count: told.append(count))
    assert encoder.seen == 3
    assert told == [(1, 1)]


def test_a_damaged_file_is_begun_anew(tiny_root: Path, workspace: Path) -> None:
    """The cache may be anything at any time; the features are made again."""
    encoder = Counted()
    first = encode(tiny_root, PICTURES, encoder, SPEC)
    (workspace / "cache" / "features.sqlite").write_bytes(b"no database at all" * 100)
    np.testing.assert_array_equal(
        encode(tiny_root, PICTURES, encoder, SPEC).features, first.features
    )
    assert encoder.seen == 6


def test_a_file_that_is_damaged_inside_is_deleted_in_words(
    tiny_root: Path, workspace: Path
) -> None:
    """The next call makes the features anew; nobody has to know where a cache lies."""
    encoder = Counted()
    encode(tiny_root, PICTURES, encoder, SPEC)
    file = workspace / "cache" / "features.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(DiskError, match="computed again"):
        encode(tiny_root, PICTURES, encoder, SPEC)
    encode(tiny_root, PICTURES, encoder, SPEC)
    assert encoder.seen == 6


def test_a_file_in_use_by_another_is_not_deleted(
    tiny_root: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that lasts is said; what the file holds stays."""
    encode(tiny_root, PICTURES, Counted(), SPEC)
    monkeypatch.setattr("lymph.models.store.WAIT_SECONDS", 0.05)
    with closing(sqlite3.connect(workspace / "cache" / "features.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DiskError, match="locked"):
            encode(tiny_root, PICTURES, Counted(), SPEC)
    again = Counted()
    encode(tiny_root, PICTURES, again, SPEC)
    assert again.seen == 0


def test_a_picture_that_cannot_be_read_is_named(tiny_root: Path) -> None:
    """One of a run's pictures was damaged since the scan."""
    (tiny_root / PICTURES[1]).write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"sj-99-21_001\.png"):
        encode(tiny_root, PICTURES, Counted(), SPEC)
