"""A finished run on the tiny set, shared by the tests that only read it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lymph.data.source import PictureSource
from lymph.models.specs import MODELS
from lymph.runs import Run, create_run
from lymph.splits import split_by_patient
from lymph.training import speed
from lymph.training.config import TrainConfig


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
def small_resnet50(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    """Let ResNet-50 see pictures of 64 x 64 pixels: the same code in a tenth of the time."""
    small = MODELS["resnet50"]._replace(size=(64, 64), tuned_size=(64, 80))
    monkeypatch.setitem(MODELS, "resnet50", small)
    # What a machine computes in is measured elsewhere, and takes as long as such a run.
    speed.keep("resnet50", speed.Precision(False, True, 0.1, 0.1))
