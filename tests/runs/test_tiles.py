"""A probe that learns from tiles and answers by them: all that works for a run works for it."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lymph import reports
from lymph.cli import main
from lymph.data.source import PictureSource
from lymph.errors import ConfigError
from lymph.evaluation import report
from lymph.explain.gradcam import grad_cam
from lymph.inference import load_classifier
from lymph.runs import Run, create_run, resume_run, stop_run, train_here
from lymph.splits import Split, make_folds, split_by_patient
from lymph.training.config import TrainConfig
from lymph.training.trainer import Trainer
from tests.exported import ask, ask_exported, odd_pictures, save

SIDE = 48  # the tiny pictures, 48 x 64, are seen at 96 x 128: 2 x 3 tiles


@pytest.fixture
def new_run(make_tiny: Callable[..., Path], tiny_encoder: Path) -> Callable[..., Run]:
    """Return a maker of probes on tiles, created and not started; one picture is bare glass."""
    root = make_tiny(pictures=2)
    Image.new("RGB", (64, 48), "white").save(root / "CLL" / "sj-99-11_009.png")

    def make(split: Split | None = None, **changes: object) -> Run:
        asked = {"encoder": str(tiny_encoder), "tiles": SIDE, "epochs": 3, **changes}
        table = PictureSource(root).usable()
        return create_run(
            TrainConfig(str(root), "linear-probe", **asked), split or split_by_patient(table)
        )

    return make


def finish(run: Run) -> Run:
    assert train_here(run).state == "finished", run.status().error
    return run


def test_answers_maps_and_reports_are_those_of_the_tiles(
    new_run: Callable[..., Run], tmp_path: Path
) -> None:
    """What was predicted in training is what an answer says, and the mean of the tile map."""
    run = finish(new_run())
    choice = json.loads((run.path / "probe.json").read_text())
    assert "tiles of 48 x 48 pixels" in choice["features"]
    row = run.predictions().iloc[0]
    picture = Path(run.config.data) / row["picture"]
    classifier = load_classifier(run)
    (answer,) = ask(run, picture)
    said = [row[f"p_{name}"] for name in run.classes]
    if classifier.temperature == 1:
        assert list(answer["probabilities"].values()) == pytest.approx(sorted(said)[::-1], abs=1e-5)
    assert answer["familiar"] and "this very picture" in answer["seen"]
    pixels = np.asarray(Image.open(picture))
    view = classifier.view_tiles(pixels)
    assert (view.tiles, view.blank, view.probabilities.shape) == (6, 0, (12, 16, 3))
    assert not np.isnan(view.probabilities).any()
    np.testing.assert_allclose(view.mean, said, atol=1e-5)
    heat = grad_cam(classifier.model, classifier.spec, pixels, 0, classifier.largest)
    assert heat.shape == (12, 16) and np.isfinite(heat).all()
    card = reports.card_markdown(run, report(run.predictions(), "test"))
    assert "the mean over its tiles" in card
    assert "tiles of 48" in reports.report_html(run)


def test_a_bare_and_a_small_and_a_damaged_picture_are_answered(
    new_run: Callable[..., Run], tmp_path: Path
) -> None:
    """All glass is answered whole and says so; one smaller than a tile is a tile of its own."""
    run = finish(new_run(tiles=200))
    white = save(np.full((90, 120, 3), 255, np.uint8), tmp_path / "white.png")
    noise = np.random.default_rng(0).integers(0, 200, (40, 40, 3), np.uint8)
    small, cut = save(noise, tmp_path / "small.png"), tmp_path / "cut.png"
    cut.write_bytes(small.read_bytes()[:200])
    bare, tiny, damaged = ask(run, white, small, cut)
    assert any("tiles shows tissue" in note for note in bare["notes"]) and bare["predicted"]
    assert tiny["predicted"] and not any("tissue" in note for note in tiny["notes"])
    assert damaged["problem"] and not damaged["predicted"]
    classifier = load_classifier(run)
    assert classifier.view_tiles(np.asarray(Image.open(white))).tiles == 0
    heat = grad_cam(classifier.model, classifier.spec, np.asarray(Image.open(white)), 0)
    assert heat.ndim == 2 and np.isfinite(heat).all()


def test_stopped_and_resumed_it_is_the_same_to_the_bit(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was stopped after every epoch, and one that never was."""
    whole, stopped = finish(new_run()), new_run()
    judge = Trainer._after_epoch

    def after(self: Trainer, row: dict, *others: object) -> None:
        judge(self, row, *others)
        stop_run(stopped)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_after_epoch", after)
        assert train_here(stopped).state == "stopped"
    resume_run(stopped, here=True)
    assert stopped.status().state == "finished", stopped.status().error
    values = [torch.load(run.path / "best.pt", weights_only=True) for run in (whole, stopped)]
    for name, value in values[0]["model"].items():
        assert torch.equal(value, values[1]["model"][name]), name
    assert whole.predictions().equals(stopped.predictions())


def test_one_patient_per_class_and_folds(new_run: Callable[..., Run]) -> None:
    """The default regularisation with too few to choose on; every patient out once."""
    run = new_run()
    table = run.config.source.usable()
    first = table.groupby("label")["patient"].min()
    sets = {"train": list(first), "val": [], "test": sorted(set(table["patient"]) - set(first))}
    alone = finish(new_run(Split("patient", 0, sets=sets)))
    assert "too few to choose on" in " ".join(alone.status().notes)
    folds = finish(new_run(make_folds(table, 2), epochs=1))
    assert len(folds.predictions()) == len(table)


def test_without_tiles_nothing_changes_and_an_older_configuration_opens(tiny_root: Path) -> None:
    """A run of before has no such key; a side that shows nothing, or everything, is refused."""
    config = TrainConfig(str(tiny_root), "linear-probe")
    document = config.to_json()
    del document["tiles"]
    assert TrainConfig.from_json(document) == config and config.spec.tiles == 0
    for model in ("cnn", "resnet50", "linear-probe"):
        assert TrainConfig(str(tiny_root), model, tiles=224).spec.tiles == 224
        for side in (8, 5000, True):
            with pytest.raises(ConfigError, match="tiles is"):
                TrainConfig(str(tiny_root), model, tiles=side)
    with pytest.raises(ConfigError, match="from 64 to"):
        TrainConfig(str(tiny_root), "resnet50", tiles=32)


def test_the_command_line_trains_on_tiles(
    new_run: Callable[..., Run], tiny_encoder: Path, capsys: pytest.CaptureFixture
) -> None:
    """``crossval --tiles`` with the probe and with the small CNN; a wrong side in one line."""
    root = new_run().config.data
    asked = ["crossval", root, "--folds", "2", "--model", "linear-probe", "--epochs", "1"]
    assert main([*asked, "--encoder", str(tiny_encoder), "--tiles", str(SIDE), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"]["accuracy"] >= 0
    asked = ["crossval", root, "--folds", "2", "--model", "cnn", "--epochs", "1", "--json"]
    assert main([*asked, "--tiles", str(SIDE)]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"]["n"] == 25
    assert main([*asked, "--tiles", "7"]) == 2
    assert "lymph: tiles is 7; choose a number from 32 to 1024." in capsys.readouterr().err


@pytest.mark.slow
def test_an_exported_probe_cuts_the_same_tiles(new_run: Callable[..., Run], tmp_path: Path) -> None:
    """The same probabilities to six digits without lymph: wide, half bare, bare, and known."""
    run = finish(new_run())
    known = Path(run.config.data) / run.predictions()["picture"].iloc[0]
    pictures = [*odd_pictures(tmp_path), known]
    said = ask(run, *pictures)
    zipfile.ZipFile(io.BytesIO(reports.export_model(run))).extractall(tmp_path / "model")
    asked, notes = ask_exported(tmp_path / "model", *pictures)
    for exported, told in zip(asked, said, strict=True):
        assert exported == pytest.approx(told["probabilities"], abs=1e-6)
    assert all("tile" in note for note in notes)
