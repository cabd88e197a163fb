"""Schedules in real runs: resuming, stopping early, rates, folds on ready features."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from bench.kills import equal
from lymph import workspace
from lymph.data.source import PictureSource
from lymph.models.networks import build_model
from lymph.runs import Run, create_run, list_runs, resume_run, stop_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.training.config import TrainConfig
from lymph.training.optimisers import new_optimiser
from lymph.training.trainer import Trainer

NewRun = Callable[..., Run]
StopAfter = Callable[[Run, int], None]


def without_times(file: Path) -> dict:
    """Load a checkpoint and leave out the seconds, which no two runs share."""
    checkpoint = torch.load(file, weights_only=True)
    checkpoint.pop("spent")
    for row in checkpoint["history"]:
        row.pop("seconds")
    return checkpoint


@pytest.mark.usefixtures("small_resnet50")
def test_a_resumed_resnet50_equals_one_that_was_never_stopped(
    make_tiny: Callable[..., Path], stop_after: StopAfter
) -> None:
    """Stopped while it is fine-tuned and again on ready features: every number is the same."""
    root = make_tiny(pictures=1)
    split = split_by_patient(PictureSource(root).usable())
    phases = ["finetune:2", "linear_probe:2"]
    config = TrainConfig(str(root), "resnet50", weights="none", batch_size=4, phases=phases)
    whole, parts = create_run(config, split), create_run(config, split)
    assert train_here(whole).state == "finished"
    for stopped in (1, 3):
        stop_after(parts, stopped)
        resume_run(parts, here=True) if stopped > 1 else train_here(parts)
        assert parts.status().state == "stopped"
        assert len(parts.metrics()) == stopped
    resume_run(parts, here=True)
    assert parts.status().state == "finished", parts.log()
    assert equal(*(without_times(run.path / "last.pt") for run in (whole, parts)))
    pd.testing.assert_frame_equal(whole.predictions(), parts.predictions(), check_exact=True)


def as_of_version_one(run: Run) -> None:
    """Rewrite a run's files with the names that its phases had in the first versions."""
    file = run.path / "config.json"
    config = {**json.loads(file.read_text()), "schedule": "whole-then-head"}
    config["phases"] = ["whole:2", "head:1"]
    file.write_text(json.dumps(config))
    table = run.path / "metrics.csv"
    table.write_text(table.read_text().replace("finetune", "whole"))
    checkpoint = torch.load(run.path / "last.pt", weights_only=True)
    for row in checkpoint["history"]:
        row["phase"] = "whole"
    torch.save(checkpoint, run.path / "last.pt")


@pytest.mark.usefixtures("small_resnet50")
def test_a_run_with_the_older_names_of_phases_opens_and_goes_on(
    make_tiny: Callable[..., Path], stop_after: StopAfter
) -> None:
    """Its configuration, curves and checkpoint say whole and head; every number is the same."""
    root = make_tiny(pictures=1)
    split = split_by_patient(PictureSource(root).usable())
    phases = ["finetune:2", "linear_probe:1"]
    config = TrainConfig(str(root), "resnet50", weights="none", batch_size=4, phases=phases)
    unbroken, older = create_run(config, split), create_run(config, split)
    train_here(unbroken)
    stop_after(older, 1)
    train_here(older)
    as_of_version_one(older)
    assert older.config.phases == phases
    assert list(older.metrics()["phase"]) == ["finetune"]
    resume_run(older, here=True)
    assert older.status().state == "finished", older.log()
    assert list(older.metrics()["phase"]) == ["finetune", "finetune", "linear_probe"]
    assert equal(*(without_times(run.path / "last.pt") for run in (unbroken, older)))


def test_three_and_three_epochs_hold_every_number_of_six(
    new_run: NewRun, stop_after: StopAfter
) -> None:
    """Parameters, statistics, moments of the optimiser, history, random state: bit for bit."""
    whole, halves = new_run(epochs=6), new_run(epochs=6)
    train_here(whole)
    stop_after(halves, 3)
    assert train_here(halves).state == "stopped"
    resume_run(halves, here=True)
    assert equal(*(without_times(run.path / "last.pt") for run in (whole, halves)))
    assert equal(*(torch.load(r.path / "best.pt", weights_only=True) for r in (whole, halves)))


def test_patience_ends_a_phase_early(new_run: NewRun) -> None:
    """With a rate of next to nothing validation never gets better; the run ends and says why."""
    run = new_run(epochs=30, patience=2, learning_rate=1e-8)
    status = train_here(run)
    assert status.state == "finished"
    epochs = run.metrics()["epoch"]
    assert len(epochs) < 30
    assert epochs.iloc[-1] == status.best_epoch + 2
    assert any("Stopped early" in note for note in status.notes)
    assert status.epoch == status.epochs == 30
    assert any("stood at" in warning or "every" in warning for warning in status.warnings)


def test_parts_without_values_learn_at_the_rate_of_the_head(
    tiny_root: Path, tmp_path: Path
) -> None:
    """A file that ends before layer4 leaves random values there: nothing in them to keep."""
    torch.manual_seed(0)
    values = build_model("resnet50", 3).backbone.state_dict()
    partial = {name: value for name, value in values.items() if not name.startswith("layer4")}
    torch.save(partial, tmp_path / "values.pth")
    split = split_by_patient(PictureSource(tiny_root).usable())
    config = TrainConfig(
        str(tiny_root), "resnet50", weights=str(tmp_path / "values.pth"), phases=["finetune:1"]
    )
    run = create_run(config, split)
    trainer = Trainer(run.path, run.config, split)
    trainer.begin()
    optimiser = new_optimiser(
        trainer.model, trainer.phases[0], trainer.state.fresh, config.weight_decay
    )
    rates = {
        id(parameter): group["peak"]
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    found = {name: rates[id(value)] for name, value in trainer.model.named_parameters()}
    assert found["head.weight"] == found["backbone.layer4.0.conv1.weight"] == config.learning_rate
    assert found["backbone.conv1.weight"] == pytest.approx(config.learning_rate / 10)
    assert len(found) == len(list(trainer.model.parameters()))


@pytest.mark.usefixtures("small_resnet50")
def test_one_patient_out_runs_the_backbone_once(make_tiny: Callable[..., Path]) -> None:
    """Twelve trainings of ResNet-50's head, its backbone run once for all of them."""
    root = make_tiny(pictures=1)
    table = PictureSource(root).usable()
    folds = make_folds(table, table["patient"].nunique())
    config = TrainConfig(
        str(root), "resnet50", weights="none", schedule="linear_probe", epochs=3, batch_size=8
    )
    run = create_run(config, folds)
    assert run.status().folds == 12
    status = train_here(run)
    assert status.state == "finished", run.log()
    assert len(list(workspace.cache_home().rglob("features-*.npy"))) == 1
    assert (status.fold, status.epoch, status.epochs) == (12, 36, 36)
    predictions = run.predictions()
    assert sorted(predictions["picture"]) == sorted(table["picture"])
    assert predictions["fold"].nunique() == 12
    assert list(run.path.rglob("*.pt")) == []
    assert run.metrics().groupby("fold").size().tolist() == [3] * 12


def test_a_finished_fold_is_not_trained_again(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the second fold, the run goes on with it and keeps the first as it is."""
    config = TrainConfig(str(tiny_root), epochs=2)
    run = create_run(config, make_folds(PictureSource(tiny_root).usable(), 4))
    judge = Trainer._after_epoch

    def stop_in_second(self: Trainer, row: dict, *others: object) -> None:
        judge(self, row, *others)
        if self.folder.name == "2":
            stop_run(run)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_after_epoch", stop_in_second)
        assert train_here(run).state == "stopped"
    first = run.path / "folds" / "1" / "predictions.csv"
    written = first.stat().st_mtime_ns
    resume_run(run, here=True)
    assert run.status().state == "finished", run.log()
    assert first.stat().st_mtime_ns == written
    assert len(run.predictions()) == 36


def test_bfloat16_learns_as_well_as_float32(new_run: NewRun) -> None:
    """The number format changes the result no more than another seed does."""

    def accuracy(precision: str, seed: int) -> float:
        run = new_run(epochs=10, precision=precision, seed=seed, augmentation=[])
        assert train_here(run).state == "finished"
        predictions = run.predictions()
        return float((predictions["predicted"] == predictions["label"]).mean())

    wide = [accuracy("float32", seed) for seed in (0, 1)]
    narrow = [accuracy("bfloat16", seed) for seed in (0, 1)]
    noise = max(wide) - min(wide)
    assert abs(sum(wide) - sum(narrow)) / 2 <= max(0.15, noise)


def test_a_run_used_again_in_the_same_folder_is_listed_once(
    tiny_root: Path, tmp_path: Path
) -> None:
    """The folder was deleted and made anew: the Train page broke on its two entries."""
    split = split_by_patient(PictureSource(tiny_root).usable())
    for _ in range(2):
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        run = create_run(TrainConfig(str(tiny_root), epochs=1), split, tmp_path / "again")
    assert list_runs() == [run]
