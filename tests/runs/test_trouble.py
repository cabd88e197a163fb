"""Impossible to lose: each way in which a run is hurt, with a real process and a real signal."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from lymph import __version__
from lymph.data.source import PictureSource
from lymph.errors import ConfigError, LymphError
from lymph.facts import PATIENT_PATTERN
from lymph.inference import load_classifier
from lymph.runs import (
    Run,
    create_run,
    list_runs,
    move_data,
    open_run,
    queue,
    resume_run,
    start_run,
    train_here,
)
from lymph.splits import split_by_patient
from lymph.training.config import UNNAMED_AUGMENTATION, TrainConfig
from tests.waiting import wait_for

NewRun = Callable[..., Run]
StopAfter = Callable[[Run, int], None]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of eight megabytes, or skip where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(file: Path) -> None:
    """Write zeros until the disk is full."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as opened:
        while opened.write(bytes(4096)):
            pass


def test_kill_in_mid_epoch_loses_nothing_that_was_finished(
    new_run: NewRun, stop_after: StopAfter
) -> None:
    """SIGKILL between two steps: the folder tells the epochs that its checkpoint holds."""
    run = new_run(epochs=2_000, batch_size=1)
    start_run(run)
    wait_for(lambda: run.status().epoch >= 1)
    os.kill(run.status().pid, signal.SIGKILL)
    wait_for(lambda: run.status().state == "lost")
    kept = torch.load(run.path / "last.pt", weights_only=True)
    assert kept["epoch"] == len(kept["history"]) >= run.status().epoch
    assert "resume" in run.status().error
    stop_after(run, kept["epoch"] + 1)
    resume_run(run, here=True)
    assert (run.status().state, run.status().epoch) == ("stopped", kept["epoch"] + 1)
    assert list(run.metrics()["epoch"]) == list(range(1, run.status().epoch + 1))


def test_a_full_disk_ends_the_run_in_words_and_keeps_the_last_state(
    tiny_root: Path, small_disk: Path, stop_after: StopAfter
) -> None:
    """The checkpoint that did not fit leaves the one before whole; with space it goes on."""
    split = split_by_patient(PictureSource(tiny_root).usable())
    run = create_run(TrainConfig(str(tiny_root), epochs=3_000), split, small_disk / "run")
    start_run(run)
    wait_for(lambda: run.status().epoch >= 1)
    filler = small_disk / "filler"
    fill(filler)
    wait_for(lambda: run.status().over)
    status = run.status()
    assert status.state == "failed"
    assert "disk is full" in status.error
    done = torch.load(run.path / "last.pt", weights_only=True)["epoch"]
    assert done >= 1
    filler.unlink()
    stop_after(run, done + 1)
    resume_run(run, here=True)
    assert (run.status().state, run.status().epoch) == ("stopped", done + 1)


def test_pictures_deleted_during_a_run_end_it_in_words(
    new_run: NewRun, stop_after: StopAfter
) -> None:
    """Training needs them again at the end only; put back, the run is finished by resuming it."""
    run = new_run(epochs=10_000)
    start_run(run)
    wait_for(lambda: run.status().epoch >= 1)
    away = shutil.move(run.config.data, run.config.data + "-away")
    os.kill(run.status().pid, signal.SIGTERM)
    wait_for(lambda: run.status().over)
    assert run.status().state == "stopped"
    with pytest.raises(LymphError, match="--data FOLDER"):
        resume_run(run)
    assert train_here(run).state == "failed"
    assert "There is no folder" in run.status().error
    shutil.move(away, run.config.data)
    done = len(run.metrics())
    stop_after(run, done + 1)
    resume_run(run, here=True)
    assert (run.status().state, len(run.metrics())) == ("stopped", done + 1)


def test_a_run_goes_on_on_another_machine(
    new_run: NewRun, tmp_path: Path, stop_after: StopAfter
) -> None:
    """Folder and pictures copied elsewhere, the workspace new: it opens, resumes and classifies."""
    run = new_run(epochs=4)
    stop_after(run, 2)
    assert train_here(run).state == "stopped"
    halfway = run.metrics()["train_loss"].tolist()
    data = shutil.move(run.config.data, tmp_path / "moved-pictures")
    copy = open_run(shutil.move(run.path, tmp_path / "moved-run"))
    move_data(copy, Path(data))
    assert copy.metrics()["train_loss"].tolist() == halfway
    resume_run(copy, here=True)
    assert copy.status().state == "finished"
    assert len(copy.metrics()) == 4
    assert load_classifier(copy).classes == copy.classes


def test_a_run_of_an_older_version_opens_and_goes_on(new_run: NewRun, tmp_path: Path) -> None:
    """Before the ways of augmentation had names there was one switch; nothing else was written."""
    run = new_run(epochs=1)
    file = run.path / "config.json"
    older = {"model", "epochs", "batch_size", "learning_rate", "weight_decay"}
    older |= {"class_weights", "schedule", "weights", "seed", "classes"}
    document = {key: value for key, value in json.loads(file.read_text()).items() if key in older}
    told = {"data": run.config.data, "pattern": PATIENT_PATTERN, "patients_csv": ""}
    document |= told
    file.write_text(json.dumps({**document, "augment": True}))
    assert run.config.augmentation == list(UNNAMED_AUGMENTATION)
    assert train_here(run).state == "finished"
    file.write_text(json.dumps({**document, "augment": False}))
    assert run.config.augmentation == []
    assert run.config.source.tells_as(PictureSource.from_older(*told.values()))
    table = tmp_path / "patients.csv"
    table.write_text("picture,patient\nFL/sj-99-21_001.png,ann\n")
    file.write_text(json.dumps({**document, "augment": False, "patients_csv": str(table)}))
    sound = run.config.source.table().query("problem == ''")
    assert sound["patient"].tolist() == ["ann"]


def test_a_run_of_a_newer_version_names_its_version(new_run: NewRun) -> None:
    """What it cannot understand it says, with both versions."""
    run = new_run()
    file = run.path / "config.json"
    document = {**json.loads(file.read_text()), "lymph": "99.1", "colour": 1}
    file.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match=rf"made by lymph 99\.1; .*lymph {__version__}"):
        _ = run.config


class Trap:
    """A pickle that runs a command when it is loaded."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return (os.system, (f"touch {self.proof}",))


@pytest.mark.parametrize("name", ["best.pt", "last.pt"])
def test_a_strangers_run_cannot_execute_code(new_run: NewRun, tmp_path: Path, name: str) -> None:
    """A checkpoint that is a trap is refused, whether it is classified with or resumed."""
    run = new_run(epochs=1)
    train_here(run)
    proof = tmp_path / "trapped"
    with (run.path / name).open("wb") as file:
        pickle.dump({"model": Trap(proof)}, file)
    if name == "best.pt":
        with pytest.raises(LymphError, match="damaged or not a checkpoint"):
            load_classifier(run)
    else:
        status = run.path / "status.json"
        status.write_text(json.dumps({**json.loads(status.read_text()), "state": "stopped"}))
        resume_run(run, here=True)
        assert "damaged or not a checkpoint" in run.status().error
    assert not proof.exists()
    torch.save({"model": Trap(proof)}, run.path / name)
    with pytest.raises(LymphError):
        load_classifier(run) if name == "best.pt" else open_run("absent")
    assert not proof.exists()


@pytest.mark.parametrize(
    "text", ["[]", "{}", "null", '{"state": 3}', '{"state": "running", "pid": "x"}']
)
def test_a_mangled_status_hides_no_other_run(new_run: NewRun, text: str) -> None:
    """The list shows what can be read."""
    good, bad = new_run(epochs=1), new_run(epochs=1)
    (bad.path / "status.json").write_text(text)
    assert good in list_runs()


def test_the_queue_is_in_order_and_survives_whoever_started_it(new_run: NewRun) -> None:
    """Runs started by a process that is gone wait for each other, the first come the first."""
    runs = [new_run(epochs=2_000), new_run(epochs=1), new_run(epochs=1)]
    start = "import sys; from lymph.runs import open_run, start_run\n"
    start += "for path in sys.argv[1:]: start_run(open_run(path))"
    subprocess.run([sys.executable, "-c", start, *(run.path for run in runs)], check=True)
    first, second, third = runs
    wait_for(lambda: first.status().state == "running")
    assert queue() == [second, third]
    wait_for(lambda: second.status().pid > 0)
    os.kill(second.status().pid, signal.SIGKILL)
    wait_for(lambda: queue() == [third])
    os.kill(first.status().pid, signal.SIGKILL)
    wait_for(lambda: third.status().over)
    assert third.status().state == "finished", third.log()
    assert (first.status().state, second.status().state) == ("lost", "lost")
