"""ResNet-50 as a linear probe whose last block learns: real runs, resumed, frozen, exported."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bench.kills import equal
from lymph import workspace
from lymph.data.depth import read_of
from lymph.data.source import PictureSource
from lymph.explain.gradcam import grad_cam, target_layer
from lymph.inference import load_classifier
from lymph.models.last_block import ProbedResNet50
from lymph.reports import export_model
from lymph.runs import Run, create_run, resume_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.training import maps
from lymph.training.checkpoint import load_model
from lymph.training.config import LAST_BLOCK, TrainConfig
from lymph.training.optimisers import let_learn, new_optimiser
from lymph.training.trainer import Trainer
from tests.runs.test_schedules import StopAfter, without_times

pytestmark = pytest.mark.usefixtures("small_resnet50")

MakeTiny = Callable[..., Path]


def new_run(root: Path, file: Path, folds: int = 0, **changes: object) -> Run:
    """Create a run of four epochs with values for conv1 to layer3."""
    told = {"weights": str(file), "epochs": 4, "batch_size": 4, **changes}
    table = PictureSource(root).usable()
    split = make_folds(table, folds) if folds else split_by_patient(table)
    return create_run(TrainConfig(str(root), "resnet50", **told), split)


def finished(run: Run) -> Run:
    """Train a run to its end."""
    assert train_here(run).state == "finished", run.log()
    return run


@pytest.mark.slow
def test_a_resumed_run_equals_one_that_was_never_stopped(
    make_tiny: MakeTiny, encoder_file: Path, stop_after: StopAfter
) -> None:
    """Stopped in the probe and again as the last block learns: every number is the same."""
    root = make_tiny(pictures=1)
    whole, parts = finished(new_run(root, encoder_file)), new_run(root, encoder_file)
    assert whole.config.schedule == LAST_BLOCK
    assert list(whole.metrics()["phase"]) == [
        "linear_probe",
        "linear_probe",
        "last_block",
        "last_block",
    ]
    assert whole.status().best_epoch == 4
    for stopped in (1, 3):
        stop_after(parts, stopped)
        resume_run(parts, here=True) if stopped > 1 else train_here(parts)
        assert parts.status().state == "stopped"
    resume_run(parts, here=True)
    assert equal(*(without_times(run.path / "last.pt") for run in (whole, parts)))
    pd.testing.assert_frame_equal(whole.predictions(), parts.predictions(), check_exact=True)


@pytest.mark.slow
def test_only_the_last_block_and_the_head_learn_and_three_ways_lead_to_one_number(
    make_tiny: MakeTiny, encoder_file: Path, tmp_path: Path
) -> None:
    """Batch statistics must not drift; kept maps, a drop and the export answer alike."""
    root = make_tiny(pictures=1)
    run = finished(new_run(root, encoder_file))
    check_what_learned(run, encoder_file)
    row = run.predictions().iloc[0]
    wanted = row[[f"p_{name}" for name in run.classes]].to_numpy(float)
    pixels = read_of(root, row["picture"], 0)
    classifier = load_classifier(run)
    softened = wanted ** (1 / classifier.temperature)
    softened /= softened.sum()
    np.testing.assert_allclose(classifier.classify([pixels])[0], softened, atol=1e-5)
    assert target_layer(classifier.model) is classifier.model.backbone.layer3[-1]
    assert grad_cam(classifier.model, classifier.spec, pixels, 0).shape == (4, 5)
    with zipfile.ZipFile(io.BytesIO(export_model(run))) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "classify_picture.py", str(root / row["picture"])]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    answer = json.loads(told.stdout)
    np.testing.assert_allclose([answer[name] for name in run.classes], softened, atol=1e-5)


def check_what_learned(run: Run, file: Path) -> None:
    """Compare the values of a run's network with those that it began with."""
    model, _ = load_model(run.path)
    first, now = torch.load(file, weights_only=True), model.backbone.state_dict()
    changed = {name for name, value in first.items() if not torch.equal(now[name], value)}
    assert changed
    assert all(name.startswith("layer3.5.") for name in changed)
    assert not any("running" in name or "tracked" in name for name in changed)
    assert isinstance(model, ProbedResNet50)
    model.tune_last_block()
    model.train()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)


def test_the_block_learns_at_a_share_of_the_heads_rate(
    make_tiny: MakeTiny, encoder_file: Path
) -> None:
    """Two groups: the head's last layer and the block; nothing frozen is held."""
    run = new_run(make_tiny(pictures=1), encoder_file, learning_rate=0.01, backbone_factor=0.1)
    trainer = Trainer(run.path, run.config, run.split())
    trainer.begin()
    let_learn(trainer.model, trainer.phases[1])
    optimiser = new_optimiser(trainer.model, trainer.phases[1], [], 0.0)
    rates = {id(p): g["peak"] for g in optimiser.param_groups for p in g["params"]}
    found = {n: rates[id(p)] for n, p in trainer.model.named_parameters() if id(p) in rates}
    learning = {n for n, p in trainer.model.named_parameters() if p.requires_grad}
    assert set(found) == learning
    assert found["head.1.linear.weight"] == pytest.approx(0.01)
    assert found["backbone.layer3.5.conv1.weight"] == pytest.approx(0.001)


def test_folds_share_what_the_frozen_part_makes(make_tiny: MakeTiny, encoder_file: Path) -> None:
    """Each fold trains on everyone else: nothing is chosen by validation."""
    root = make_tiny(pictures=1)
    run = finished(new_run(root, encoder_file, folds=2, epochs=2))
    assert len(list(workspace.cache_home().rglob("maps-*.npy"))) == 1
    assert len(run.predictions()) == len(PictureSource(root).usable())
    assert run.metrics()["val_loss"].isna().all()


@pytest.mark.slow
def test_pictures_too_many_to_be_kept_are_answered_the_same(
    make_tiny: MakeTiny, encoder_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the frozen part makes its maps anew for every batch."""
    root = make_tiny(pictures=1)
    kept = finished(new_run(root, encoder_file))
    monkeypatch.setattr(maps, "MOST_BYTES", 0)
    for file in workspace.cache_home().rglob("*-*.npy"):
        file.unlink() if file.name.startswith(("maps", "features")) else None
    anew = finished(new_run(root, encoder_file))
    assert not list(workspace.cache_home().rglob("maps-*.npy"))
    columns = [name for name in kept.predictions() if name.startswith("p_")]
    np.testing.assert_allclose(anew.predictions()[columns], kept.predictions()[columns], atol=1e-3)


def test_a_file_that_ends_early_cuts_the_notebooks_network(
    make_tiny: MakeTiny, encoder_file: Path
) -> None:
    """layer4 was filled with random values, which learned nothing but the training pictures."""
    run = new_run(
        make_tiny(pictures=1), encoder_file, schedule="finetune_then_linear_probe", epochs=2
    )
    assert run.config.stages == 3
    finished(run)
    assert any("ends after layer3" in note for note in run.status().notes)
    assert not any("start from random" in note for note in run.status().notes)
    model, _ = load_model(run.path)
    assert model.head.in_features == 1024
    assert target_layer(model) is model.backbone.layer3


def test_an_older_run_keeps_its_fourth_stage(make_tiny: MakeTiny, encoder_file: Path) -> None:
    """Its checkpoint holds values for layer4, and it says nothing of stages."""
    run = new_run(make_tiny(pictures=1), encoder_file, schedule="finetune", epochs=1)
    document = json.loads((run.path / "config.json").read_text())
    del document["stages"]
    (run.path / "config.json").write_text(json.dumps(document))
    assert run.config.stages == 4
    finished(run)
    assert any("layer4 start from random weights" in note for note in run.status().notes)
    model, _ = load_model(run.path)
    assert model.head.in_features == 2048
