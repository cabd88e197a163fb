"""The validation answers of a run, epoch by epoch: bounded, and a damaged file costs them only."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lymph.errors import RunError
from lymph.training import folder as files
from lymph.training import validation
from lymph.training.validation import Answering, read_answers
from tests.damage import WHOLE

PICTURES = ["CLL/a 1.png", "FL/ü.png", "MCL/odd\udcff\n.png"]
LABELS = np.array([0, 1, 2])


def said(*classes: int) -> torch.Tensor:
    """Return the logits of three pictures that are called these classes."""
    return torch.eye(3)[list(classes)]


@pytest.fixture
def kept(tmp_path: Path) -> Answering:
    answering = Answering.of(PICTURES, LABELS, 3, epochs=4)
    answering.take(1, said(0, 0, 0), best=1)
    answering.take(2, said(0, 1, 0), best=2)
    answering.write(tmp_path)
    return answering


def test_what_was_said_is_read_as_it_was_said(kept: Answering, tmp_path: Path) -> None:
    """Names that are no text, as some disks hold them, come back too."""
    answers = read_answers(tmp_path, 3)
    assert answers is not None and answers.pictures == PICTURES
    assert answers.matrix(1, 3).tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert answers.matrix(2, 3).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert answers.until(1).epochs.tolist() == [1]


def test_a_run_goes_on_from_its_answers(kept: Answering, tmp_path: Path) -> None:
    """A killed run has answers of an epoch that its checkpoint does not know: they are left."""
    other = Answering.of(PICTURES, LABELS, 3, epochs=4)
    other.go_on(tmp_path, epoch=1)
    assert list(other.rows) == [1]
    for pictures in (PICTURES[:2], PICTURES[::-1]):
        strange = Answering.of(pictures, LABELS[: len(pictures)], 3, epochs=4)
        strange.go_on(tmp_path, epoch=2)
        assert strange.rows == {}


def test_long_runs_keep_some_epochs_the_best_and_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays small however long a run is, and is the same whenever it was written."""
    monkeypatch.setattr(validation, "MOST_ANSWERS", 30)
    whole, halves = (Answering.of(PICTURES, LABELS, 3, epochs=40) for _ in range(2))
    for epoch in range(1, 40):
        whole.take(epoch, said(0, 1, 2), best=min(epoch, 7))
        halves.take(epoch, said(0, 1, 2), best=min(epoch, 7))
        if epoch == 21:
            halves.write(tmp_path)
            halves = Answering.of(PICTURES, LABELS, 3, epochs=40)
            halves.go_on(tmp_path, epoch)
    assert list(whole.rows) == list(halves.rows) == [4, 7, *range(8, 40, 4), 39]


@pytest.mark.parametrize("damage", WHOLE)
def test_a_damaged_file_is_said_or_missing(kept: Answering, tmp_path: Path, damage: str) -> None:
    WHOLE[damage](tmp_path / files.VALIDATION)
    if damage == "missing":
        assert read_answers(tmp_path, 3) is None
    else:
        with pytest.raises(RunError, match=r"validation\.npz cannot be read.*\.$"):
            read_answers(tmp_path, 3)
    other = Answering.of(PICTURES, LABELS, 3, epochs=4)
    other.go_on(tmp_path, epoch=2)
    assert other.rows == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": np.array([0, 1, 3], np.uint8)},
        {"labels": np.array([0.0, 1.0, 2.0])},
        {"predicted": np.zeros((2, 2), np.uint8)},
        {"predicted": np.array([["a"] * 3] * 2)},
        {"epochs": np.array([2, 1])},
        {"epochs": np.array([], int), "predicted": np.zeros((0, 3), np.uint8)},
        {"epochs": np.array([[1], [2]])},
        {"pictures": np.array([255] * 9, np.uint8)},
        {"labels": np.array([None] * 3)},
    ],
)
def test_what_no_run_writes_is_refused(
    kept: Answering, tmp_path: Path, changes: dict[str, np.ndarray]
) -> None:
    """A stranger's folder: wrong shapes, kinds and classes, and objects, which could be code."""
    file = tmp_path / files.VALIDATION
    with np.load(file) as content:
        document = {**content, **changes}
    np.savez(file, **document)
    with pytest.raises(RunError, match="cannot be read"):
        read_answers(tmp_path, 3)
