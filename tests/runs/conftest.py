"""A finished run on the tiny set, shared by the tests that only read it; runs that are stopped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lymph.data.source import PictureSource
from lymph.runs import Run, create_run, stop_run
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from lymph.training.trainer import Trainer


@pytest.fixture
def new_run(tiny_root: Path) -> Callable[..., Run]:
    """Return a maker of runs on the tiny set, created and not started."""

    def make(**changes: object) -> Run:
        config = TrainConfig(str(tiny_root), **{"epochs": 2, **changes})
        return create_run(config, split_by_patient(PictureSource(tiny_root).usable()))

    return make


@pytest.fixture
def finished_run(trained_run: Run) -> Run:
    """Return a run of two epochs that has ended."""
    return trained_run


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run, int], None]:
    """Return a function that lets a run stop once some epochs are finished, as a click would."""

    def wish(run: Run, epochs: int) -> None:
        judge = Trainer._after_epoch

        def after(self: Trainer, row: dict, *others: object) -> None:
            judge(self, row, *others)
            if self.folder == run.path and row["epoch"] == epochs:
                stop_run(run)

        monkeypatch.setattr(Trainer, "_after_epoch", after)

    return wish
