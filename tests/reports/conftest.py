"""One trained run on the tiny set, shared by all tests of this folder, which only read it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lymph.data.source import PictureSource
from lymph.runs import Run, create_run, train_here
from lymph.splits import Split, split_by_picture
from lymph.training.config import TrainConfig
from tests.conftest import TINY_PATIENTS, draw

# Two of four patients of each class learn, one validates, one tests.
SETS = {
    name: [f"99-{patients[place]}" for patients in TINY_PATIENTS.values() for place in places]
    for name, places in {"train": (0, 1), "val": (2,), "test": (3,)}.items()
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """Train an honest and a leaky run for two epochs, in a workspace of their own."""
    home = tmp_path_factory.mktemp("reports")
    root = home / "tiny"
    for label, patients in TINY_PATIENTS.items():
        (root / label).mkdir(parents=True)
        for patient in patients:
            for number in range(1, 4):
                file = root / label / f"sj-99-{patient}_{number:03}.png"
                Image.fromarray(draw(label, patient, number)).save(file)
    before = os.environ.get("LYMPH_HOME")
    os.environ["LYMPH_HOME"] = str(home / "workspace")
    config = TrainConfig(str(root), epochs=2)
    table = PictureSource(root).usable()
    splits = {"honest": Split("patient", 0, SETS), "leaky": split_by_picture(table)}
    made = {}
    for name, split in splits.items():
        made[name] = create_run(config, split)
        assert train_here(made[name]).state == "finished"
    if before is None:
        del os.environ["LYMPH_HOME"]
    else:
        os.environ["LYMPH_HOME"] = before
    yield made
    shutil.rmtree(home)


@pytest.fixture
def honest(trained: dict[str, Run]) -> Run:
    """Return a run whose test patients are unknown to the model."""
    return trained["honest"]


@pytest.fixture
def leaky(trained: dict[str, Run]) -> Run:
    """Return a run that was split by picture."""
    return trained["leaky"]


@pytest.fixture
def home_of_runs(honest: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the test work in the workspace of the trained runs, with the speed measured there."""
    home = honest.path.parents[1]
    monkeypatch.setenv("LYMPH_HOME", str(home))
    return home
