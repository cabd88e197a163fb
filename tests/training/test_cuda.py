"""What only a graphics card shows; skipped where there is none."""

import os
import signal
from pathlib import Path

import pytest
import torch

from lymph.data.source import PictureSource
from lymph.runs import Run, create_run, resume_run, start_run, train_here
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")


def new_run(root: Path, model: str, epochs: int = 4) -> Run:
    """Make a run of few epochs, with random start values."""
    source = PictureSource(root)
    config = TrainConfig(source, model=model, weights="none", epochs=epochs, batch_size=8)
    return create_run(config, split_by_patient(config.source.usable()))


@pytest.mark.parametrize("model", ["cnn", "resnet50"])
def test_the_same_seed_gives_the_same_figures(model: str, tiny_root: Path) -> None:
    """Regression: threads added up in the order in which they were ready, so figures differed."""
    first, second = new_run(tiny_root, model), new_run(tiny_root, model)
    assert train_here(first).state == train_here(second).state == "finished"
    kept = [(run.path / "predictions.csv").read_bytes() for run in (first, second)]
    assert kept[0] == kept[1]


def test_a_killed_run_ends_as_if_never_killed(tiny_root: Path) -> None:
    """Regression: after a kill the small CNN went on to other figures."""
    whole, killed = new_run(tiny_root, "cnn", 60), new_run(tiny_root, "cnn", 60)
    train_here(whole)
    start_run(killed)
    wait_for(lambda: killed.status().epoch >= 2)
    os.kill(killed.status().pid, signal.SIGKILL)
    wait_for(lambda: killed.status().state == "lost")
    resume_run(killed, here=True)
    kept = [(run.path / "predictions.csv").read_bytes() for run in (whole, killed)]
    assert kept[0] == kept[1]
