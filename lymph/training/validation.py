"""What a run said of its validation pictures epoch by epoch, in one small file of its folder."""

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lymph import workspace
from lymph.errors import RunError
from lymph.training import folder as files

if TYPE_CHECKING:
    from torch import Tensor

# Answers, one byte each, that a file holds at most; of longer runs some epochs are left out.
MOST_ANSWERS = 2_000_000
# Between the paths of pictures: no path holds it.
END = "\0"
# A path may hold bytes that are no text.
ODD = "surrogateescape"


class Answers(NamedTuple):
    """What a run said, N pictures in E epochs; classes are counted in the order of the run's.

    ``labels`` holds N classes, ``epochs`` E numbers counted from 1, ``predicted`` E x N classes.
    """

    pictures: list[str]
    labels: np.ndarray
    epochs: np.ndarray
    predicted: np.ndarray

    def until(self, epoch: int) -> "Answers":
        """Return the answers without those of later epochs."""
        kept = self.epochs <= epoch
        return self._replace(epochs=self.epochs[kept], predicted=self.predicted[kept])

    def at(self, epoch: int) -> np.ndarray:
        """Return the answers of the last epoch that is held up to one, shape (N,)."""
        return self.predicted[np.flatnonzero(self.epochs <= epoch)[-1]]

    def matrix(self, epoch: int, classes: int) -> np.ndarray:
        """Return the confusion matrix of an epoch, K x K counts; rows are the true classes."""
        pairs = self.labels.astype(np.int64) * classes + self.at(epoch)
        return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


@dataclass
class Answering:
    """The answers of a run in progress.

    Of all epochs every ``stride``-th is kept, the best and the last one, so that the file stays
    below ``MOST_ANSWERS`` bytes and what is in it does not depend on when it was written.
    """

    pictures: Sequence[str]
    labels: np.ndarray
    classes: int
    stride: int = 1
    rows: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(
        cls, pictures: Sequence[str], labels: np.ndarray, classes: int, epochs: int
    ) -> "Answering":
        """Begin with the validation pictures of a run, N, their classes, and the epochs planned."""
        stride = max(1, math.ceil(epochs * len(pictures) / MOST_ANSWERS))
        return cls(pictures, labels.astype(_kind(classes)), classes, stride)

    def take(self, epoch: int, logits: "Tensor", best: int) -> None:
        """Take in what an epoch said, logits N x K; ``best`` is the best epoch so far."""
        self.rows = {e: row for e, row in self.rows.items() if e % self.stride == 0 or e == best}
        self.rows[epoch] = logits.argmax(dim=1).numpy().astype(_kind(self.classes))

    def go_on(self, folder: Path, epoch: int) -> None:
        """Take up what the folder holds up to an epoch; what cannot be read is missing, no more."""
        try:
            kept = read_answers(folder, self.classes)
        except RunError:
            return
        if kept is not None and kept.pictures == list(self.pictures):
            earlier = kept.until(epoch)
            self.rows = dict(zip(map(int, earlier.epochs), earlier.predicted, strict=True))

    def write(self, folder: Path) -> None:
        """Write all that is held; nothing where there are no validation pictures."""
        if not len(self.pictures) or not self.rows:
            return
        content = {
            "pictures": np.frombuffer(END.join(self.pictures).encode(errors=ODD), np.uint8),
            "labels": self.labels,
            "epochs": np.array(list(self.rows), np.int32),
            "predicted": np.stack(list(self.rows.values())),
        }

        def save(temporary: Path) -> None:
            with temporary.open("wb") as opened:
                np.savez(opened, **content)

        workspace.write_atomically(folder / files.VALIDATION, save)


def _kind(classes: int) -> type:
    return np.uint8 if classes <= 256 else np.uint16


def read_answers(folder: Path, classes: int) -> Answers | None:
    """Read what a run said of its validation pictures; None where its folder holds nothing of it.

    Raises
    ------
    RunError
        When the file cannot be read, or is not of a run with so many classes.
    """
    path = folder / files.VALIDATION
    try:
        with np.load(path, allow_pickle=False) as kept:
            found = {name: kept[name] for name in ("pictures", "labels", "epochs", "predicted")}
        pictures = found.pop("pictures").tobytes().decode(errors=ODD).split(END)
        answers = Answers(pictures, **found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error
    if not _sound(answers, classes):
        raise _damaged(path)
    return answers


def _damaged(path: Path) -> RunError:
    return RunError(
        f"{path} cannot be read: it is cut or damaged. Only the validation answers epoch by epoch"
        " are lost; delete the file."
    )


def _sound(answers: Answers, classes: int) -> bool:
    pictures, labels, epochs, predicted = answers
    numbers = (labels, epochs, predicted)
    if any(array.dtype.kind not in "iu" for array in numbers) or not len(pictures):
        return False
    if labels.shape != (len(pictures),) or predicted.shape != (len(epochs), len(pictures)):
        return False
    rising = epochs.ndim == 1 and len(epochs) > 0 and bool((np.diff(epochs) > 0).all())
    return (
        rising
        and epochs[0] > 0
        and all(array.min() >= 0 and array.max() < classes for array in (labels, predicted))
    )
