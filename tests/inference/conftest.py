"""One finished run on the tiny set, trained once for all tests of answers."""

from pathlib import Path

import pytest

from lymph.data.source import PictureSource
from lymph.inference import Classifier, load_classifier
from lymph.runs import Run, create_run, train_here
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig


@pytest.fixture
def run(tiny_root: Path) -> Run:
    """Return a finished run on the tiny set."""
    config = TrainConfig(str(tiny_root), epochs=2)
    made = create_run(config, split_by_patient(PictureSource(tiny_root).usable()))
    train_here(made)
    return made


@pytest.fixture
def classifier(run: Run) -> Classifier:
    """Return the run's classifier."""
    return load_classifier(run)
