"""The linear probe as a run: all that works for a run works for it."""

import io
import json
import os
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from lymph import reports
from lymph.data.source import PictureSource
from lymph.evaluation import report
from lymph.explain.gradcam import grad_cam
from lymph.inference import classify_files, load_classifier
from lymph.runs import Run, create_run, resume_run, start_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.training import contact, steps
from lymph.training.config import TrainConfig
from tests.exported import ask_exported
from tests.waiting import wait_for

NewProbe = Callable[..., Run]
StopAfter = Callable[[Run, int], None]


@pytest.fixture
def new_probe(make_tiny: Callable[..., Path], encoder_file: Path) -> NewProbe:
    """Return a maker of probe runs on 24 small pictures, created and not started."""
    root = make_tiny(pictures=2)

    def make(folds: int = 0, **changes: object) -> Run:
        table = PictureSource(root).usable()
        split = make_folds(table, folds) if folds else split_by_patient(table)
        config = TrainConfig(str(root), "linear-probe", weights=str(encoder_file), **changes)
        return create_run(config, split)

    return make


@pytest.fixture
def finished(new_probe: NewProbe) -> Run:
    """Return a finished probe."""
    run = new_probe()
    assert train_here(run).state == "finished", run.status().error
    return run


def test_a_probe_leaves_all_that_a_run_leaves(finished: Run, tmp_path: Path) -> None:
    """Curves, the choice of its regularisation, answers with their check, heat, and an export."""
    names = {path.name for path in finished.path.iterdir()}
    assert {"best.pt", "last.pt", "probe.json", "features.npz", "familiarity.json"} <= names
    metrics, predictions = finished.metrics(), finished.predictions()
    assert len(metrics) == finished.status().best_epoch == finished.config.epochs
    assert metrics["train_loss"].iloc[-1] < metrics["train_loss"].iloc[0]
    assert len(predictions) == 24
    choice = json.loads((finished.path / "probe.json").read_text())
    training = predictions[predictions["set"] == "train"]
    assert (choice["patients"], choice["pictures"]) == (
        training["patient"].nunique(),
        len(training),
    )
    assert "layer1 to layer3" in choice["features"]
    assert "enlarged 2 times, at most to 520,416 pixels" in choice["features"]
    assert f"C = {choice['strength']:g}" in " ".join(finished.status().notes)
    assert "by heart" not in " ".join(finished.status().warnings)

    # Not of the tiny set's size: larger than an encoder sees, and as no training picture is.
    picture = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "large.png")
    known = Path(finished.config.data) / training["picture"].iloc[0]
    classifier = load_classifier(finished)
    files = [("large.png", tmp_path / "large.png"), (known.name, known)]
    large, answer = classify_files(classifier, files)
    assert not large["familiar"]
    assert classifier.largest == 48 * 64
    assert large["problem"] == ""
    assert "this very picture" in answer["seen"]
    heat = grad_cam(classifier.model, classifier.spec, np.asarray(Image.open(known)), 0)
    assert heat.shape == (6, 8)

    zipfile.ZipFile(io.BytesIO(reports.export_model(finished))).extractall(tmp_path / "model")
    asked, _ = ask_exported(tmp_path / "model", tmp_path / "large.png", known)
    for exported, said in zip(asked, (large, answer), strict=True):
        assert exported == pytest.approx(said["probabilities"], abs=1e-6)

    card = reports.card_markdown(finished, report(predictions, "test"))
    assert "own mean and spread" in card
    assert f"Regularisation C = {choice['strength']:g}" in card


def test_folds_make_the_features_once_and_train_on_all_others(new_probe: NewProbe) -> None:
    """No patient only validates, since validation chooses nothing; no fold chooses on its test."""
    run = new_probe(folds=4)
    assert train_here(run).state == "finished", run.status().error
    assert run.predictions()["picture"].is_unique
    assert len(run.predictions()) == 24
    for fold in range(1, 5):
        inner = run.path / "folds" / str(fold)
        tested = pd.read_csv(inner / "predictions.csv")
        assert set(tested["set"]) == {"train", "test"}
        assert json.loads((inner / "probe.json").read_text())["patients"] == 9
    assert list(run.path.rglob("*.pt")) == []


def test_one_patient_out_and_a_class_with_one_training_patient(
    make_tiny: Callable[..., Path], encoder_file: Path
) -> None:
    """Two patients per class: with one of them out nobody is left to choose on, and it is said."""
    root = make_tiny(pictures=1)
    for file in [*root.rglob("*3_001.png"), *root.rglob("*4_001.png")]:
        file.unlink()
    table = PictureSource(root).usable()
    assert table["patient"].nunique() == 6
    config = TrainConfig(str(root), "linear-probe", weights=str(encoder_file))
    run = create_run(config, make_folds(table, 6))
    assert train_here(run).state == "finished", run.status().error
    assert "leaves too few to choose on" in " ".join(run.status().notes)
    assert len(run.predictions()) == 6


def test_a_stopped_probe_goes_on_to_the_same_numbers(
    new_probe: NewProbe, stop_after: StopAfter
) -> None:
    """Stopped after the third epoch: every number of the head and every curve is the same."""
    whole, halves = new_probe(epochs=8), new_probe(epochs=8)
    train_here(whole)
    stop_after(halves, 3)
    assert train_here(halves).state == "stopped"
    assert len(halves.metrics()) == 3
    resume_run(halves, here=True)
    columns = ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    pd.testing.assert_frame_equal(
        whole.metrics()[columns], halves.metrics()[columns], check_exact=True
    )
    pd.testing.assert_frame_equal(whole.predictions(), halves.predictions(), check_exact=True)
    left, right = (
        torch.load(run.path / "last.pt", weights_only=True)["model"] for run in (whole, halves)
    )
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_killed_probe_is_lost_and_goes_on(new_probe: NewProbe, stop_after: StopAfter) -> None:
    """SIGKILL in its head's epochs; the features are there when it goes on."""
    run = new_probe(epochs=10_000)
    start_run(run)

    wait_for(lambda: run.status().epoch >= 1)
    os.kill(run.status().pid, signal.SIGKILL)
    wait_for(lambda: run.status().state == "lost")
    kept = torch.load(run.path / "last.pt", weights_only=True)
    assert kept["epoch"] == len(kept["history"]) >= run.status().epoch
    stop_after(run, kept["epoch"] + 1)
    resume_run(run, here=True)
    assert (run.status().state, run.status().epoch) == ("stopped", kept["epoch"] + 1)


def test_progress_of_the_features_is_told(
    new_probe: NewProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one long part of a probe is no silent one."""
    monkeypatch.setattr(steps, "TELL_SECONDS", 0.0)
    seen: list[str] = []
    tell = contact.change_status

    def listen(folder: Path, **changes: Any) -> None:
        seen.append(changes["step"])
        tell(folder, **changes)

    monkeypatch.setattr(contact, "change_status", listen)
    run = new_probe(epochs=1)
    assert train_here(run).state == "finished"
    assert "Computing features, once: 24 of 24 pictures" in seen
    assert run.status().step == ""
