"""Where a run stands, in one reading: bar, numbers, curves and matrix are of the same epoch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lymph.data.source import PictureSource
from lymph.jobs.status import write_status
from lymph.runs import Run, changed_at, create_run, standing_of
from lymph.splits import make_folds, split_by_patient
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.validation import Answering
from tests.at_once import repeated


def rows(epochs: int) -> pd.DataFrame:
    lines = [[e, "finetune", 1 / e, 0.5, 1 / e, 0.5, 1e-3, 2.0] for e in range(1, epochs + 1)]
    return pd.DataFrame(lines, columns=files.METRIC_COLUMNS)


def write_epochs(folder: Path, epochs: int) -> None:
    answering = Answering.of(["a", "b"], np.array([0, 1]), 3, epochs=9)
    answering.rows = {e: np.array([e % 3, 1], np.uint8) for e in range(1, epochs + 1)}
    answering.write(folder)
    rows(epochs).to_csv(folder / files.METRICS, index=False)


@pytest.fixture
def run(tiny_root: Path) -> Run:
    return create_run(
        TrainConfig(str(tiny_root), epochs=9), split_by_patient(PictureSource(tiny_root).usable())
    )


def test_all_is_of_the_epoch_that_the_status_tells(run: Run) -> None:
    """Regression: "epoch 4 of 7" was over the figures of epoch 1."""
    write_epochs(run.path, 5)
    write_status(run.path, replace(run.status(), epoch=4, best_epoch=3, state="stopped"))
    standing = standing_of(run)
    assert standing.metrics["epoch"].iloc[-1] == 4 == standing.answers.epochs[-1]
    assert standing.best_epoch == 3
    # The best epoch of a later look is not marked on the curves of an earlier one.
    write_status(run.path, replace(run.status(), epoch=2, best_epoch=3))
    assert standing_of(run).best_epoch == 0


def test_a_damaged_file_of_answers_costs_the_answers_only(run: Run) -> None:
    write_epochs(run.path, 2)
    (run.path / files.VALIDATION).write_bytes(b"x")
    write_status(run.path, replace(run.status(), epoch=2, state="stopped"))
    standing = standing_of(run)
    assert standing.answers is None and "cannot be read" in standing.doubt
    assert len(standing.metrics) == 2


def test_the_fold_at_hand_moves(tiny_root: Path) -> None:
    """Regression: the curves of a cross-validation stood still until a fold was over."""
    split = make_folds(PictureSource(tiny_root).usable(), 4, "patient", 0)
    run = create_run(TrainConfig(str(tiny_root), epochs=9), split)
    before = changed_at(run)
    for fold, epochs in ((1, 9), (2, 3)):
        folder = run.path / files.FOLDS / str(fold)
        folder.mkdir(parents=True)
        write_epochs(folder, epochs)
    rows(9).assign(fold=1).to_csv(run.path / files.METRICS, index=False)
    write_status(run.path, replace(run.status(), fold=2, epoch=11, state="stopped"))
    standing = standing_of(run)
    assert list(standing.metrics["epoch"]) == [1, 2]
    assert standing.best_epoch == 0 and changed_at(run) != before


def test_folds_are_deleted_while_they_are_looked_at(tiny_root: Path) -> None:
    """Regression: who follows a cross-validation that another deletes got an error."""
    split = make_folds(PictureSource(tiny_root).usable(), 4, "patient", 0)
    run = create_run(TrainConfig(str(tiny_root), epochs=9), split)
    folds = run.path / files.FOLDS

    def come_and_go() -> None:
        folds.mkdir()
        folds.rmdir()

    with repeated(come_and_go):
        for _ in range(2_000):
            assert changed_at(run)
