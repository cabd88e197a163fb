"""A probe on an encoder that somebody brings: all that works for a run works for it."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lymph import reports
from lymph.data.source import PictureSource
from lymph.errors import ConfigError, WeightsError
from lymph.evaluation import report
from lymph.explain.gradcam import grad_cam
from lymph.inference import classify_files, load_classifier
from lymph.models.encoder_files import VALUES, folder_of
from lymph.runs import Run, create_run, resume_run, stop_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.training import speed
from lymph.training.config import TrainConfig
from lymph.training.trainer import Trainer
from tests.exported import ask_exported


@pytest.fixture
def new_run(make_tiny: Callable[..., Path], tiny_encoder: Path) -> Callable[..., Run]:
    """Return a maker of probes on the tiny transformer, created and not started."""
    root = make_tiny(pictures=2)

    def make(encoder: Path | str = tiny_encoder, folds: int = 0, **changes: object) -> Run:
        table = PictureSource(root).usable()
        split = make_folds(table, folds) if folds else split_by_patient(table)
        return create_run(
            TrainConfig(str(root), "linear-probe", encoder=str(encoder), **changes), split
        )

    return make


def test_a_run_keeps_all_that_it_needs_of_its_encoder(
    new_run: Callable[..., Run],
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped, then resumed, asked and explained where the file is not any more."""
    copied = shutil.copytree(tiny_encoder, tmp_path / "brought")
    run = new_run(copied / VALUES, epochs=3)
    assert (run.config.encoder, run.config.weights) == ("own", str(copied / VALUES))
    judge = Trainer._after_epoch

    def after(self: Trainer, row: dict, *others: object) -> None:
        judge(self, row, *others)
        stop_run(run)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_after_epoch", after)
        assert train_here(run).state == "stopped"
    shutil.rmtree(copied)
    resume_run(run, here=True)
    assert run.status().state == "finished", run.status().error
    assert len(run.metrics()) == 3
    assert "brought (model.safetensors)" in " ".join(run.status().notes)
    choice = json.loads((run.path / "probe.json").read_text())
    assert "mean over tiles of 32 x 32 pixels" in choice["features"]
    assert speed.known(run.config.speed_name) is not None

    picture = Path(run.config.data) / run.predictions()["picture"].iloc[0]
    classifier = load_classifier(run)
    (answer,) = classify_files(classifier, [(picture.name, picture)])
    assert answer["familiar"] and "this very picture" in answer["seen"]
    heat = grad_cam(classifier.model, classifier.spec, np.asarray(Image.open(picture)), 0)
    assert heat.shape == (6, 8)
    card = reports.card_markdown(run, report(run.predictions(), "test"))
    assert "brought" in card and "own mean and spread" not in card
    assert "brought" in reports.report_html(run)


@pytest.mark.slow
def test_an_exported_probe_needs_neither_lymph_nor_timm(
    new_run: Callable[..., Run], tmp_path: Path
) -> None:
    """The same probabilities to six digits, for pictures of two shapes."""
    run = new_run()
    assert train_here(run).state == "finished", run.status().error
    wide = np.random.default_rng(0).integers(0, 256, (90, 400, 3), np.uint8)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    known = Path(run.config.data) / run.predictions()["picture"].iloc[0]
    files = [("wide.png", tmp_path / "wide.png"), (known.name, known)]
    said = list(classify_files(load_classifier(run), files))
    zipfile.ZipFile(io.BytesIO(reports.export_model(run))).extractall(tmp_path / "model")
    asked, _ = ask_exported(tmp_path / "model", *(file for _, file in files))
    for exported, told in zip(asked, said, strict=True):
        assert exported == pytest.approx(told["probabilities"], abs=1e-6)


def test_folds_and_a_name_of_the_table(new_run: Callable[..., Run], tiny_encoder: Path) -> None:
    """Put into the workspace by hand as Phikon; its features are made once for all folds."""
    with pytest.raises(WeightsError, match="--fetch phikon"):
        new_run("phikon")
    shutil.copytree(tiny_encoder, folder_of("phikon"))
    run = new_run("phikon", folds=2, epochs=2)
    assert (run.config.encoder, run.config.weights) == ("phikon", "published")
    assert train_here(run).state == "finished", run.status().error
    assert len(run.predictions()) == 24
    assert list(run.path.rglob("*.pt")) == []
    card = reports.card_markdown(run, report(run.predictions(), "out-of-fold"))
    assert "Phikon ViT-B/16" in card and "no commercial use" in card


def test_values_that_vanish_before_the_start_are_said(
    new_run: Callable[..., Run], tiny_encoder: Path, tmp_path: Path
) -> None:
    """Created and queued; then the disk with the encoder is pulled out."""
    copied = shutil.copytree(tiny_encoder, tmp_path / "gone")
    run = new_run(copied)
    shutil.rmtree(copied)
    assert train_here(run).state == "failed"
    assert "model.safetensors" in run.status().error


def test_an_encoder_goes_with_the_probe_alone(tiny_root: Path, tiny_encoder: Path) -> None:
    """What a fine-tuned model would do with one is nothing."""
    for model in ("cnn", "resnet50"):
        with pytest.raises(ConfigError, match="linear-probe"):
            TrainConfig(str(tiny_root), model, encoder=str(tiny_encoder))
    with pytest.raises(ConfigError, match="ResNet-50's"):
        TrainConfig(str(tiny_root), "linear-probe", encoder=str(tiny_encoder), weights="x.pth")
    assert TrainConfig(str(tiny_root), "linear-probe").to_json()["encoder"] == "resnet50"
