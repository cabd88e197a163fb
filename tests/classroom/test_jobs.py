"""Runs, measurements and lessons of a class: whose they are, and how many at once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lymph import leak, recipes, runs
from lymph.classroom import jobs
from lymph.classroom.owners import own, owner_names, owner_of, thing_of, whose_words
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import FREE, Visitor
from lymph.data.source import PictureSource
from lymph.errors import ClassError
from lymph.jobs import files, queue, start
from lymph.jobs.start import enter_queue
from lymph.jobs.status import Status, change_status, own_process
from lymph.leak import MeterConfig
from lymph.models.encoder_files import folder_of
from lymph.runs import Run
from lymph.splits import Split, split_by_patient
from lymph.training.config import TrainConfig
from tests.measured_recipes import write_comparison

Train = Callable[..., Run]


@pytest.fixture(autouse=True)
def none_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs wait in the queue: no process is started for them."""
    monkeypatch.setattr(start, "start_detached", lambda module, folder: None)


@pytest.fixture
def split(tiny_root: Path) -> Split:
    """Return a split of the tiny set."""
    return split_by_patient(PictureSource(str(tiny_root)).usable())


@pytest.fixture
def train(tiny_root: Path, split: Split) -> Train:
    """Return a function that starts a run as a visitor."""

    def begin(who: Visitor, **options: object) -> Run:
        return jobs.start_training(who, TrainConfig(str(tiny_root), **options), split)

    return begin


def test_a_run_is_its_starters(
    train: Train, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    """Others neither stop nor rename, archive nor delete it; the sentence says whose it is."""
    run = train(anna)
    assert owner_names() == {thing_of(run.path): "Anna"}
    for action, options in (
        (runs.stop_run, {}),
        (runs.change_about, {"name": "mine now"}),
        (runs.change_about, {"archived": True}),
        (runs.delete_run, {}),
    ):
        with pytest.raises(ClassError, match="Anna started this; only Anna and the lecturer"):
            jobs.change_job(ben, run.path, action, run, **options)
    assert not (run.path / files.STOP).exists() and runs.read_about(run).name == ""
    jobs.change_job(anna, run.path, runs.change_about, run, name="hers")
    jobs.change_job(lecturer, run.path, runs.stop_run, run)
    assert (run.path / files.STOP).exists() and runs.read_about(run).name == "hers"


def test_a_run_from_before_the_class_is_the_lecturers(
    train: Train, anna: Visitor, lecturer: Visitor
) -> None:
    run = train(FREE)
    assert owner_of(run.path) == "" and "the lecturer's" in whose_words(run.path)
    with pytest.raises(ClassError, match="the lecturer's: nobody else"):
        jobs.change_job(anna, run.path, runs.stop_run, run)
    jobs.change_job(lecturer, run.path, runs.stop_run, run)


def test_a_deleted_run_is_forgotten(train: Train, anna: Visitor) -> None:
    """A later run of the same folder's name is nobody's by chance."""
    run = train(anna)
    change_status(run.path, state="stopped")
    jobs.change_job(anna, run.path, runs.delete_run, run)
    assert not run.path.exists() and owner_of(run.path) == ""


def test_three_jobs_at_once_and_no_fourth(
    train: Train, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    """One that runs and two that wait; others and the lecturer have room of their own."""
    own = [train(anna) for _ in range(3)]
    with pytest.raises(ClassError, match="one running and two waiting"):
        train(anna)
    assert len(runs.list_runs()) == 3, "what is refused leaves no folder"
    train(ben)
    for _ in range(4):
        train(lecturer)
    change_status(own[0].path, state="stopped")
    train(anna)
    with pytest.raises(ClassError, match="three jobs"):
        jobs.restart_job(anna, own[0].path, runs.resume_run, own[0])


def test_others_resume_nothing(train: Train, anna: Visitor, ben: Visitor) -> None:
    run = train(anna)
    change_status(run.path, state="stopped")
    with pytest.raises(ClassError, match="Anna started this"):
        jobs.restart_job(ben, run.path, runs.resume_run, run)
    jobs.restart_job(anna, run.path, runs.resume_run, run)
    assert run.status().state == "queued" and owner_of(run.path) == anna.id


def test_of_one_visitor_one_job_runs_at_a_time(train: Train, anna: Visitor, ben: Visitor) -> None:
    """On two graphics cards the second place is the next visitor's, not the same one's again."""
    queue.tell_places(2)
    first, second, third = train(anna), train(anna), train(ben)
    with queue.take_place(first.path) or pytest.fail("the first waits for nobody"):
        change_status(first.path, state="running", **own_process())
        assert queue.take_place(second.path) is None
        assert [job.folder for job in queue.ahead_of(second.path)] == [first.path]
        (queue.take_place(third.path) or pytest.fail("a place is free")).release()
    change_status(first.path, state="finished")
    (queue.take_place(second.path) or pytest.fail("it is her turn again")).release()


def test_weights_are_the_lecturers_files(
    train: Train, anna: Visitor, in_class: Callable[..., ClassSettings], tmp_path: Path
) -> None:
    named, other = tmp_path / "named.pth", tmp_path / "other.pth"
    in_class(weights=(str(named),))
    with pytest.raises(ClassError, match=r"lecturer's files here \(named\.pth\)"):
        train(anna, model="resnet50", weights=str(other))
    assert train(anna, model="resnet50", weights=str(named)).config.weights == str(named)
    train(anna, model="resnet50", weights="none")
    source = PictureSource("anywhere")
    for asked in ({"weights": str(other)}, {"encoder": str(tmp_path / "encoder")}):
        with pytest.raises(ClassError, match="lecturer's files"):
            jobs.start_measurement(anna, MeterConfig(source, "imagenet", **asked))


def test_encoders_are_the_lecturers_files_or_in_the_workspace(
    train: Train,
    anna: Visitor,
    in_class: Callable[..., ClassSettings],
    tiny_encoder: Path,
    tmp_path: Path,
) -> None:
    """A path of the server is nobody's to name; what lies in the workspace is everybody's."""
    other = shutil.copytree(tiny_encoder, tmp_path / "other")
    shutil.copytree(tiny_encoder, folder_of("phikon"))
    named = str(tiny_encoder / "model.safetensors")
    in_class(weights=(named,))
    with pytest.raises(ClassError, match=r"lecturer's files here \(model\.safetensors\)"):
        train(anna, model="linear-probe", encoder=str(other))
    assert train(anna, model="linear-probe", encoder=named).config.weights == named
    assert train(anna, model="linear-probe", encoder="phikon").config.weights == "published"


def test_who_follows_a_measurement_does_not_own_it(
    tiny_root: Path, anna: Visitor, ben: Visitor
) -> None:
    """Of many who ask for the same one starts it; it counts as a job of that one only."""
    config = MeterConfig(PictureSource(str(tiny_root)))
    measurement = jobs.start_measurement(anna, config)
    assert jobs.start_measurement(ben, config).path == measurement.path
    assert owner_of(measurement.path) == anna.id
    with pytest.raises(ClassError, match="Anna started this"):
        jobs.change_job(ben, measurement.path, leak.stop_measurement, measurement)
    jobs.change_job(anna, measurement.path, leak.stop_measurement, measurement)
    assert (measurement.path / files.STOP).exists()


def test_a_lesson_is_whose_who_started_it_last(
    workspace: Path, anna: Visitor, ben: Visitor
) -> None:
    """Its folder is everybody's: once a lesson was stopped, the next visitor may start it."""
    folder = workspace / "lessons" / "set" / "luck"

    def begin() -> bool:
        return enter_queue(folder, "Lesson", lambda before: Status("queued"), queue.SHORT)

    assert jobs.start_job(anna, folder, begin)
    assert not jobs.start_job(ben, folder, begin), "it goes on, and stays hers"
    assert owner_of(folder) == anna.id
    change_status(folder, state="stopped")
    assert jobs.start_job(ben, folder, begin) and owner_of(folder) == ben.id


def test_a_class_follows_one_comparison_of_recipes(
    tiny_root: Path, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    """A second press, with other recipes too, finds the one that goes on; only hers to stop."""
    source = PictureSource(str(tiny_root))
    comparison = jobs.start_comparison(anna, recipes.make_config(source, ["colours"]))
    other = jobs.start_comparison(ben, recipes.make_config(source, ["cnn"]))
    assert other == comparison and owner_of(comparison.path) == anna.id
    assert len(queue.going()) == 1
    with pytest.raises(ClassError, match="Anna started this"):
        jobs.change_job(ben, comparison.path, recipes.stop_comparison, comparison)
    jobs.change_job(lecturer, comparison.path, recipes.stop_comparison, comparison)
    assert (comparison.path / files.STOP).exists()
    change_status(comparison.path, state="stopped")
    assert jobs.start_comparison(ben, comparison.config) == comparison
    assert owner_of(comparison.path) == ben.id, "he goes on with what she has stopped"


def test_a_finished_comparison_is_looked_at_and_not_started(
    tiny_root: Path, anna: Visitor, ben: Visitor
) -> None:
    comparison = write_comparison(tiny_root)
    own(anna, comparison.path)
    assert jobs.start_comparison(ben, comparison.config) == comparison
    assert owner_of(comparison.path) == anna.id and not queue.going()


def test_recipes_take_no_file_that_the_lecturer_did_not_name(
    tiny_root: Path, tmp_path: Path, anna: Visitor
) -> None:
    """Neither ResNet-50's values nor an encoder by a path of the server."""
    config = recipes.make_config(
        PictureSource(str(tiny_root)), ["resnet50"], weights=str(tmp_path / "values.pth")
    )
    with pytest.raises(ClassError, match="Weights come from the lecturer's files"):
        jobs.start_comparison(anna, config)
