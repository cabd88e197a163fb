"""The run folder: its contract, its repeatability, and how runs end."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from lymph.data.source import PictureSource
from lymph.errors import ConfigError, LymphError, RunError, SplitError
from lymph.evaluation import report
from lymph.reports import card_markdown
from lymph.runs import (
    Run,
    create_run,
    list_runs,
    open_known,
    open_run,
    resume_run,
    start_run,
    stop_run,
    train_here,
)
from lymph.splits import Split, make_folds, split_by_patient
from lymph.training.class_weights import class_weights
from lymph.training.config import TrainConfig
from lymph.training.folder import METRIC_COLUMNS
from tests.waiting import wait_for

NewRun = Callable[..., Run]
StopAfter = Callable[[Run, int], None]


def same_values(left: Path, right: Path) -> bool:
    """Tell whether two checkpoints hold the same model, number by number."""
    one, two = (torch.load(path, weights_only=True)["model"] for path in (left, right))
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def curves(run: Run) -> pd.DataFrame:
    """Return a run's metrics without the seconds, which no two runs share."""
    return run.metrics().drop(columns="seconds")


def test_a_finished_run_has_every_file_of_the_contract(finished_run: Run) -> None:
    """The folder is what pages, commands and other machines read."""
    names = {path.name for path in finished_run.path.iterdir()}
    assert names >= {
        "config.json",
        "split.json",
        "status.json",
        "metrics.csv",
        "last.pt",
        "best.pt",
        "validation.npz",
        "predictions.csv",
        "log.txt",
        "environment.json",
    }
    assert list(finished_run.metrics().columns) == METRIC_COLUMNS
    assert list(finished_run.metrics()["epoch"]) == [1, 2]
    status = finished_run.status()
    assert (status.state, status.epoch, status.epochs) == ("finished", 2, 2)
    assert 1 <= status.best_epoch <= 2


def test_predictions_cover_every_picture_in_its_set(finished_run: Run, tiny_root: Path) -> None:
    """One row a picture, with the set that the split gave it and probabilities that sum to 1."""
    table = PictureSource(tiny_root).usable()
    predictions = finished_run.predictions().set_index("picture")
    sets = finished_run.split().assign(table).set_axis(table["picture"])
    assert len(predictions) == len(table)
    assert (predictions["set"] == sets.reindex(predictions.index)).all()
    probabilities = predictions[[f"p_{name}" for name in finished_run.classes]]
    assert probabilities.sum(axis=1).between(0.999999, 1.000001).all()


def test_the_kept_model_is_chosen_on_validation(new_run: NewRun) -> None:
    """The best epoch is one of the best by validation accuracy, never looked up on the test."""
    run = new_run(epochs=4)
    train_here(run)
    status, metrics = run.status(), run.metrics().set_index("epoch")
    predictions = run.predictions()
    validated = predictions[predictions["set"] == "val"]
    accuracy = (validated["label"] == validated["predicted"]).mean()
    assert metrics.loc[status.best_epoch, "val_accuracy"] == metrics["val_accuracy"].max()
    assert accuracy == pytest.approx(metrics["val_accuracy"].max())


def test_the_same_seed_gives_the_same_run(new_run: NewRun) -> None:
    """Bit for bit on the processor; another seed gives another run."""
    runs = [new_run(), new_run(), new_run(seed=1)]
    for run in runs:
        train_here(run)
    first, second, other = runs
    pd.testing.assert_frame_equal(curves(first), curves(second), check_exact=True)
    pd.testing.assert_frame_equal(first.predictions(), second.predictions(), check_exact=True)
    assert same_values(first.path / "last.pt", second.path / "last.pt")
    assert not same_values(first.path / "last.pt", other.path / "last.pt")


def test_three_and_three_epochs_are_six(new_run: NewRun, stop_after: StopAfter) -> None:
    """Stopped after the third epoch and resumed, a run equals one that was never stopped."""
    whole, halves = new_run(epochs=6), new_run(epochs=6)
    train_here(whole)
    stop_after(halves, 3)
    assert train_here(halves).state == "stopped"
    assert len(halves.metrics()) == 3
    resume_run(halves, here=True)
    assert halves.status().state == "finished"
    pd.testing.assert_frame_equal(curves(whole), curves(halves), check_exact=True)
    pd.testing.assert_frame_equal(whole.predictions(), halves.predictions(), check_exact=True)
    for name in ("last.pt", "best.pt"):
        assert same_values(whole.path / name, halves.path / name)
    answers = [(run.path / "validation.npz").read_bytes() for run in (whole, halves)]
    assert answers[0] == answers[1]


def test_class_weights_come_from_training_pictures_only(new_run: NewRun) -> None:
    """The weights that a run notes are those of its training rows."""
    run = new_run(class_weights="picture", epochs=1)
    train_here(run)
    table = PictureSource(run.config.data).usable()
    rows = table[run.split().assign(table) == "train"]
    expected = class_weights(rows, "picture", run.classes)
    assert run.environment()["class_weights"] == expected


@pytest.mark.usefixtures("small_resnet50")
def test_resnet50_goes_through_its_two_phases(tmp_path: Path, tiny_root: Path) -> None:
    """Whole, then head: in the second phase the backbone stays as the first one left it."""
    split = split_by_patient(PictureSource(tiny_root).usable())
    config = TrainConfig(str(tiny_root), "resnet50", epochs=2, weights="none", batch_size=12)
    run = create_run(config, split)
    status = train_here(run)
    assert status.state == "finished", status.error
    assert list(run.metrics()["phase"]) == ["finetune", "linear_probe"]
    assert any("random" in note for note in status.notes)
    checkpoint = torch.load(run.path / "last.pt", weights_only=True)
    held = [p for group in checkpoint["optimiser"]["param_groups"] for p in group["params"]]
    assert len(held) == 2


def test_stop_keeps_what_is_finished_and_resume_goes_on(new_run: NewRun) -> None:
    """Stop ends a detached run within a batch; resume finishes it."""
    run = new_run(epochs=10_000)
    start_run(run)
    wait_for(lambda: run.status().epoch >= 1)
    stop_run(run)
    wait_for(lambda: run.status().over)
    assert run.status().state == "stopped"
    done = run.status().epoch
    assert len(run.metrics()) == done
    resume_run(run)
    wait_for(lambda: run.status().epoch > done)
    stop_run(run)
    wait_for(lambda: run.status().over)
    assert list(run.metrics()["epoch"]) == list(range(1, run.status().epoch + 1))


def test_runs_wait_for_each_other_and_one_can_be_taken_out(new_run: NewRun) -> None:
    """One trains at a time, in a process of its own; a queued one that is stopped never starts."""
    first, second, third = new_run(epochs=10_000), new_run(epochs=1), new_run(epochs=1)
    start_run(first)
    wait_for(lambda: first.status().state == "running")
    for run in (second, third):
        start_run(run)
        wait_for(lambda run=run: run.status().pid > 0)
    assert second.status().state == third.status().state == "queued"
    stop_run(third)
    wait_for(lambda: third.status().state == "stopped")
    stop_run(first)
    wait_for(lambda: second.status().over)
    assert second.status().state == "finished", second.log()
    assert second.status().pid != os.getpid()
    assert third.metrics().empty


def test_cross_validation_predicts_every_picture_once(tiny_root: Path) -> None:
    """Four folds: each picture is tested by a model that never saw its patient."""
    table = PictureSource(tiny_root).usable()
    folds = make_folds(table, 4)
    run = create_run(TrainConfig(str(tiny_root), epochs=1), folds)
    assert train_here(run).state == "finished", run.log()
    predictions = run.predictions()
    assert sorted(predictions["picture"]) == sorted(table["picture"])
    for number, fold in enumerate(folds.folds, start=1):
        own = predictions["fold"] == str(number)
        assert set(predictions.loc[own, "patient"]) == set(fold)
        inner = Split.load(run.path / "folds" / str(number) / "split.json")
        # Nobody is set aside to choose an epoch: of few patients all are learned from.
        assert set(inner.sets["train"]) == set(table["patient"]) - set(fold)
        assert not inner.sets["val"]
    assert report(predictions)["pictures"]["n"] == len(table)
    assert run.status().epoch == run.status().epochs == 4
    assert "nobody validates" in card_markdown(run, report(predictions))


def test_a_fold_that_was_begun_goes_on_with_its_own_sets(tiny_root: Path) -> None:
    """Versions before set a part of the others aside to validate; its run may still be there."""
    folds = make_folds(PictureSource(tiny_root).usable(), 4)
    run = create_run(TrainConfig(str(tiny_root), epochs=1), folds)
    begun = run.path / "folds" / "1" / "split.json"
    begun.parent.mkdir(parents=True)
    train, val = folds.folds[1] + folds.folds[2], folds.folds[3]
    sets = Split("patient", 0, {"train": train, "val": val, "test": folds.folds[0]})
    sets.save(begun)
    assert train_here(run).state == "finished", run.log()
    assert Split.load(begun) == sets
    assert "best on its validation set" in card_markdown(run, report(run.predictions()))
    # What can no longer be read is left out.
    begun.write_text("{")
    assert "validation set" not in card_markdown(run, report(run.predictions()))


def test_folds_cannot_stop_early(tiny_root: Path) -> None:
    """Nobody validates there; before anything is trained it is said what to leave out."""
    folds = make_folds(PictureSource(tiny_root).usable(), 2)
    with pytest.raises(RunError, match="leave the patience out"):
        create_run(TrainConfig(str(tiny_root), patience=2), folds)


def test_a_split_for_other_data_is_refused(tiny_root: Path) -> None:
    """The difference is named before anything is trained."""
    split = Split("patient", 0, {"train": ["99-11"], "val": [], "test": ["05-6124"]})
    with pytest.raises(SplitError, match="05-6124"):
        create_run(TrainConfig(str(tiny_root)), split)


def test_a_class_without_training_pictures_is_refused(tiny_root: Path) -> None:
    """It could not be learnt."""
    train = ["99-11", "99-12", "99-21", "99-22"]
    split = Split("patient", 0, {"train": train, "val": [], "test": ["99-31"]})
    with pytest.raises(RunError, match="MCL has no training pictures"):
        create_run(TrainConfig(str(tiny_root)), split)
    everyone = sorted(PictureSource(tiny_root).usable()["patient"].unique())
    alone = [p for p in everyone if p.startswith("99-3")]
    folds = Split("patient", 0, folds=[alone, [p for p in everyone if p not in alone]])
    with pytest.raises(RunError, match="MCL has no training pictures in fold 1"):
        create_run(TrainConfig(str(tiny_root)), folds)


def test_a_split_without_validation_keeps_the_last_epoch(tiny_root: Path) -> None:
    """There is nothing to choose on; the run says so."""
    train = [f"99-{n}" for n in (11, 12, 13, 21, 22, 23, 31, 32, 33)]
    split = Split("patient", 0, {"train": train, "val": [], "test": ["99-14", "99-24", "99-34"]})
    run = create_run(TrainConfig(str(tiny_root), epochs=2), split)
    status = train_here(run)
    assert (status.state, status.best_epoch) == ("finished", 2), status.error
    assert any("validation" in note for note in status.notes)


def test_a_deleted_data_folder_ends_the_run_in_words(new_run: NewRun) -> None:
    """The run fails with a sentence, and resume says what is missing."""
    run = new_run()
    shutil.move(run.config.data, run.config.data + "-away")
    status = train_here(run)
    assert status.state == "failed"
    assert "There is no folder" in status.error
    with pytest.raises(LymphError, match="put them back"):
        resume_run(run)


def test_a_loss_that_is_not_finite_ends_the_run_in_words(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state before it is kept, and the remedy named."""
    from lymph.training import dataset

    run = new_run()
    varied = dataset.augment
    monkeypatch.setattr(dataset, "augment", lambda *given: varied(*given) * float("nan"))
    status = train_here(run)
    assert status.state == "failed"
    assert "learning rate" in status.error
    assert not (run.path / "last.pt").exists()


def test_unknown_keys_of_a_configuration_are_refused(finished_run: Run) -> None:
    """A run of a newer version is not half understood."""
    file = finished_run.path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "colour": 1}))
    with pytest.raises(ConfigError, match="colour"):
        _ = finished_run.config
    assert list_runs() == []


def test_runs_are_listed_newest_first_wherever_they_are(
    new_run: NewRun, tiny_root: Path, tmp_path: Path
) -> None:
    """A run made outside the workspace is known too; broken folders hide nothing."""
    first = new_run(epochs=1)
    split = split_by_patient(PictureSource(tiny_root).usable())
    second = create_run(TrainConfig(str(tiny_root), epochs=1), split, tmp_path / "elsewhere")
    for run in (first, second):
        train_here(run)
    (first.path.parent / "broken").mkdir()
    (first.path.parent / "broken" / "status.json").write_text("{")
    assert list_runs() == [second, first]
    assert open_run(first.id) == first
    assert open_run(second.path) == second


def test_a_run_that_moved_can_be_opened(finished_run: Run, tmp_path: Path) -> None:
    """A folder copied elsewhere reads the same."""
    copy = shutil.copytree(finished_run.path, tmp_path / "copy")
    pd.testing.assert_frame_equal(open_run(copy).predictions(), finished_run.predictions())


@pytest.mark.parametrize("name", ["", "absent", "../../etc"])
def test_a_run_that_is_not_there_is_named(name: str) -> None:
    """The message says how to list the runs."""
    with pytest.raises(RunError, match="There is no run"):
        open_run(name)


def test_an_address_reaches_known_runs_only(new_run: NewRun, tmp_path: Path) -> None:
    """By its id, and one made elsewhere by its path; no other path, however it is written."""
    own = new_run()
    split = own.split()
    elsewhere = create_run(own.config, split, tmp_path / "elsewhere")
    copy = shutil.copytree(own.path, tmp_path / "copy")
    link = own.path.parent / "linked"
    link.symlink_to(shutil.copytree(own.path, tmp_path / "target"))
    for known in (own, elsewhere, open_run(link)):
        assert open_known(known.id) == known
    assert open_known("linked") == open_run(link)
    for path in (copy, own.path):
        relative = os.path.relpath(path, own.path.parent)
        written = [str(path), f"../runs/{own.id}", f"./{own.id}/.", f"{own.id}/", "..", ".", ""]
        for name in [*written, relative if path == copy else f"x/../{own.id}", "a\0b", "\n", "~"]:
            with pytest.raises(RunError, match="There is no run"):
                open_known(name)
    with pytest.raises(RunError) as refused:
        open_known("http://a.b/\x1b" + 5000 * "x")
    assert len(str(refused.value)) < 160 and "\x1b" not in str(refused.value)


def test_an_occupied_folder_is_refused(finished_run: Run, tiny_root: Path) -> None:
    """Nothing of an earlier run is overwritten."""
    split = split_by_patient(PictureSource(tiny_root).usable())
    with pytest.raises(RunError, match="not empty"):
        create_run(TrainConfig(str(tiny_root)), split, finished_run.path)


def test_what_is_over_can_neither_be_stopped_nor_finished_twice(finished_run: Run) -> None:
    """Each gets a sentence."""
    with pytest.raises(RunError, match="not running"):
        stop_run(finished_run)
    with pytest.raises(RunError, match="finished"):
        resume_run(finished_run)
