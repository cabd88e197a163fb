"""A class on the pages: what a student and the lecturer see, and what each may change."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lymph import runs, splits
from lymph.classroom import jobs
from lymph.classroom.owners import owner_names, owners, thing_of
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import Visitor, join, visitor_of
from lymph.data import sources
from lymph.data.exclusions import exclude, excluded
from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.database import file
from lymph.jobs import start
from lymph.jobs.queue import going
from lymph.jobs.status import change_status
from lymph.leak import Measurement
from lymph.lessons.live import live_run
from lymph.runs import Run
from lymph.splits import split_by_patient
from lymph.training import estimate
from lymph.training.config import TrainConfig
from pages.shared.visitor import TOKEN_KEY
from tests.conftest import write_tiny
from tests.waiting import PATIENCE

from .conftest import APP, words

OpenAs = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def settings(in_class: Callable[..., ClassSettings]) -> ClassSettings:
    """Turn the class on."""
    return in_class()


@pytest.fixture(autouse=True)
def none_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs wait in the queue, and measure no speed."""
    monkeypatch.setattr(start, "start_detached", lambda module, folder: None)
    monkeypatch.setattr(estimate, "estimate_seconds", lambda *_: 150.0)


@pytest.fixture
def anna() -> Visitor:
    """Return a student."""
    return join(visitor_of("anna"), "Anna *A*")


@pytest.fixture
def ben() -> Visitor:
    """Return another student."""
    return join(visitor_of("ben"), "Ben")


@pytest.fixture
def lecturer(settings: ClassSettings) -> Visitor:
    """Return the lecturer."""
    return join(visitor_of("lecturer"), "Dr. Meier", settings.key)


@pytest.fixture
def open_as() -> OpenAs:
    """Return a function that opens a page in the browser that keeps a token."""

    def open_it(token: str, page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
        app.session_state[TOKEN_KEY] = token
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{page}.py").run()

    return open_it


def train(who: Visitor, data_set: DataSet) -> Run:
    split = split_by_patient(PictureSource(str(data_set.path)).usable())
    return jobs.start_training(who, TrainConfig(str(data_set.path)), split)


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def open_view(app: AppTest, view: str) -> AppTest:
    return app.button_group(key="view").set_value(view).run()


def test_a_name_is_asked_for_once(tiny: DataSet, open_as: OpenAs) -> None:
    """And the address that a QR code named is still there when it was given."""
    app = open_as("new", "train", run="some-run")
    assert app.title[0].value == "Welcome to the class" and "start_training" not in keys(app)
    assert not app.sidebar.selectbox
    app.text_input(key="visitor_name").set_value("Cleo")
    app.button(key="join").click().run()
    assert not app.exception and app.title[0].value == "How well does it learn?"
    assert app.query_params["run"] in ("some-run", ["some-run"])
    assert visitor_of("new").name == "Cleo" and not visitor_of("new").lecturer
    assert open_as("new", "runs").title[0].value != "Welcome to the class"


def test_a_class_begins_on_a_fresh_workspace(
    open_as: OpenAs, anna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the first page that needs no pictures found an empty list of data sets."""
    monkeypatch.setattr(sources, "start_python", lambda *_: None)
    app = open_as("anna", "lessons")
    assert not app.exception
    assert app.sidebar.selectbox[0].value == sources.DEMO_NAME


def test_a_wrong_key_and_no_name_are_sentences(tiny: DataSet, open_as: OpenAs) -> None:
    app = open_as("new", "data")
    app.button(key="join").click().run()
    assert "Give a name of 1 to 40 letters" in words(app)
    app.text_input(key="visitor_name").set_value("Dr. Meier")
    app.text_input(key="visitor_key").set_value("ABCD-EFGH-XXXX")
    app.button(key="join").click().run()
    assert "This is not the lecturer's key" in words(app) and not visitor_of("new").name


def test_a_student_becomes_the_lecturer_by_the_key(
    tiny: DataSet, open_as: OpenAs, settings: ClassSettings, anna: Visitor
) -> None:
    app = open_as("anna", "data")
    assert "invite" not in keys(app)
    app.text_input(key="visitor_key").set_value(settings.key)
    app.button(key="join").click().run()
    assert not app.exception and "invite" in keys(app)
    app.button(key="invite").click().run()
    assert any(settings.address in html.proto.body for html in app.get("html"))


def test_a_page_opens_on_another_device_as_it_stands(
    tiny: DataSet, open_as: OpenAs, settings: ClassSettings, anna: Visitor
) -> None:
    run = train(anna, tiny)
    app = open_as("anna", "train", run=run.id)
    app.button(key="page_link").click().run()
    address = f"{settings.address}/train?run={run.id}"
    assert any(address in html.proto.body for html in app.get("html"))
    app = open_as("anna", "train", strange="x" * 5_000)
    app.button(key="page_link").click().run()
    assert not app.exception and "too long for a QR code" in words(app)


def test_a_press_is_ones_own_run_and_the_fourth_is_a_sentence(
    tiny: DataSet, open_as: OpenAs, anna: Visitor
) -> None:
    app = open_as("anna", "train")
    for count in range(1, 4):
        app.button(key="start_training").click().run()
        assert not app.exception and len(runs.list_runs()) == count
    assert set(owner_names().values()) == {"Anna *A*"}
    app.button(key="start_training").click().run()
    assert "one running and two waiting" in words(app) and len(runs.list_runs()) == 3


def test_anothers_run_is_a_line_with_a_name_and_cannot_be_stopped(
    tiny: DataSet, open_as: OpenAs, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    run = train(anna, tiny)
    app = open_as("ben", "train")
    assert "start_training" in keys(app) and "stop_run" not in keys(app)
    assert r"Anna \*A\* · Small CNN" in app.button(key=f"show_{run.id}").label
    opened = open_as("ben", "train", run=run.id)
    assert "stop_run" not in keys(opened) and "start_training" in keys(opened)
    assert r"Anna \*A\* started this; only Anna \*A\* and the lecturer" in words(opened)
    assert "yours · " in open_as("anna", "train").button(key=f"show_{run.id}").label
    for token in ("anna", "lecturer"):
        assert "stop_run" in keys(open_as(token, "train", run=run.id))
    later = train(ben, tiny)
    waiting = open_as("ben", "train", run=later.id)
    assert f"out_{run.id}" not in keys(waiting)
    waiting = open_as("lecturer", "train", run=later.id)
    waiting.button(key=f"out_{run.id}").click().run()
    assert (run.path / "stop").exists()


def test_names_stand_on_the_runs_and_others_cannot_change_them(
    tiny: DataSet, open_as: OpenAs, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    run = train(anna, tiny)
    change_status(run.path, state="stopped")
    table = open_as("ben", "runs").dataframe[0].value
    assert list(table["Started by"]) == ["Anna *A*"]
    chosen = {"selection": {"rows": [0], "columns": [], "cells": []}}
    stem = run.path.name
    for token, may in (("ben", False), ("anna", True), ("lecturer", True)):
        app = open_as(token, "runs")
        app.session_state["runs_table"] = chosen
        app.run()
        assert not app.exception
        assert (f"delete_{stem}" in keys(app)) == (f"archive_{stem}" in keys(app)) == may
        assert bool([one for one in app.text_input if one.key == f"name_{stem}"]) == may


def test_a_students_exclusion_makes_a_copy_and_leads_there(
    tiny: DataSet, open_as: OpenAs, anna: Visitor, ben: Visitor
) -> None:
    exclude(tiny.path, {"CLL/sj-99-11_001.png": "by the lecturer"})
    app = open_view(open_as("anna", "data"), "quality")
    assert "goes to a copy of your own" in words(app)
    app.button(key="include_all").click().run()
    assert not app.exception and app.sidebar.selectbox[0].value == "tiny, Anna *A*’s"
    assert "Your change is in a copy of your own" in app.toast[0].value
    assert excluded(tiny.path) and "goes to a copy" not in words(app)
    assert {metric.label: metric.value for metric in app.metric}["Excluded"] == "0"
    other = open_as("ben", "data")
    assert list(other.sidebar.selectbox[0].options) == ["tiny"]
    assert {metric.label: metric.value for metric in other.metric}["Excluded"] == "1"


def test_a_students_saved_split_and_patients_are_in_one_copy(
    tiny: DataSet, open_as: OpenAs, anna: Visitor
) -> None:
    app = open_as("anna", "split")
    app.radio(key="split_by_tiny").set_value("picture").run()
    app.text_input(key="split_name").set_value("mine")
    app.button(key="save_split").click().run()
    assert not app.exception and app.sidebar.selectbox[0].value == "tiny, Anna *A*’s"
    assert app.radio(key="split_by_tiny, Anna *A*’s").value == "picture", "the split came along"
    app = open_view(open_as("anna", "data"), "names")
    app.selectbox(key="correct_patient").set_value(("none", 0)).run()
    app.button(key="use_corrections").click().run()
    assert not app.exception and "patients are unknown" in words(app).lower()
    own = next(one for one in sources.list_data_sets() if one.name == "tiny")
    assert splits.list_splits(own.path) == {} and PictureSource(str(own.path)).look().patients[0]


def test_an_upload_is_seen_by_its_visitor_and_the_lecturer(
    tiny: DataSet, tiny_root: Path, open_as: OpenAs, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for picture in tiny_root.rglob("*.png"):
            archive.write(picture, picture.relative_to(tiny_root).as_posix())
    app = open_as("anna", "data")
    assert "the lecturer can see it and other students cannot" in words(app)
    app.file_uploader(key="zip_upload").upload("mine.zip", packed.getvalue()).run()
    app.button(key="add_zip").click().run()
    assert not app.exception and app.sidebar.selectbox[0].value == "mine"
    assert list(open_as("ben", "data").sidebar.selectbox[0].options) == ["tiny"]
    assert list(open_as("lecturer", "data").sidebar.selectbox[0].options) == ["tiny", "mine"]
    linked = open_as("ben", "data", data="mine")
    assert "There is no data set named mine here" in words(linked)


def test_removing_asks_first_and_only_of_ones_own(
    tiny: DataSet,
    make_tiny: Callable[..., Path],
    open_as: OpenAs,
    ben: Visitor,
    lecturer: Visitor,
) -> None:
    sources.add_folder(make_tiny("another", 1))  # where none is left the demonstration is drawn
    assert "remove_data_set" not in keys(open_as("ben", "data"))
    app = open_as("lecturer", "data")
    app.button(key="remove_data_set").click().run()
    assert tiny in sources.list_data_sets(), "nothing is removed by one click"
    app.button(key="remove_for_good").click().run()
    assert not app.exception and tiny not in sources.list_data_sets()


def test_only_named_folders_open_and_only_the_lecturer_downloads(
    tiny: DataSet, open_as: OpenAs, in_class: Callable[..., ClassSettings], tmp_path: Path
) -> None:
    in_class(folders=(str(tmp_path / "*named*"),))
    join(visitor_of("ben"), "Ben")
    app = open_as("ben", "data")
    assert r"\*named\*" in words(app) and "add_kaggle" not in keys(app)
    app.text_input(key="folder_path").set_value("/etc")
    app.button(key="add_folder").click().run()
    assert "Only folders at or below" in words(app) and not app.exception


def test_weights_are_chosen_from_the_lecturers_files(
    tiny: DataSet, open_as: OpenAs, in_class: Callable[..., ClassSettings], tmp_path: Path
) -> None:
    named = str(tmp_path / "resnet50.pth")
    in_class(weights=(named,))
    join(visitor_of("ben"), "Ben")
    app = open_as("ben", "train")
    app.radio(key="model").set_value("resnet50").run()
    app.radio(key="values").set_value("file").run()
    assert app.selectbox(key="values_named").options == ["resnet50.pth"]
    assert not [one for one in app.text_input if one.key == "values_file"]
    app.button(key="start_training").click().run()
    assert not app.exception and [run.config.weights for run in runs.list_runs()] == [named]


def test_the_leak_meter_asks_for_an_encoder_only_where_the_lecturer_named_one(
    tiny: DataSet, open_as: OpenAs, in_class: Callable[..., ClassSettings], tiny_encoder: Path
) -> None:
    join(visitor_of("ben"), "Ben")
    app = open_as("ben", "split")
    app.radio(key="leak_features").set_value("imagenet").run()
    assert not app.exception
    assert "leak_encoder" not in {each.key for each in app.selectbox}
    named = str(tiny_encoder / "model.safetensors")
    in_class(weights=(named,))
    app.run()
    app.selectbox(key="leak_encoder").set_value("own file").run()
    assert app.selectbox(key="leak_encoder_named").options == [named]
    app.button(key="measure_leak").click().run()
    (job,) = going()
    assert not app.exception and Measurement(job.folder).config.encoder == named


def test_a_lesson_is_stopped_and_repeated_by_who_started_it(
    tiny: DataSet, open_as: OpenAs, anna: Visitor, ben: Visitor
) -> None:
    app = open_as("anna", "lessons", lesson="luck", step="2")
    app.button(key="run_lesson").click().run()
    assert not app.exception and "stop_lesson" in keys(app)
    source = PictureSource(str(tiny.path))
    folder = live_run("luck", source.look().source, source.table()).folder
    assert owner_names()[thing_of(folder)] == "Anna *A*"
    other = open_as("ben", "lessons", lesson="luck", step="2")
    assert r"Started by Anna \*A\*" in words(other)
    assert not {"stop_lesson", "run_lesson"} & keys(other)


def test_a_measurement_is_stopped_by_who_started_it(
    tiny: DataSet, open_as: OpenAs, anna: Visitor, ben: Visitor
) -> None:
    app = open_as("anna", "split")
    app.button(key="measure_leak").click().run()
    assert not app.exception and "stop_leak" in keys(app)
    other = open_as("ben", "split")
    assert r"Started by Anna \*A\*" in words(other)
    assert not {"stop_leak", "measure_leak"} & keys(other)


def test_a_damaged_database_is_a_sentence_for_the_lecturer(
    tiny: DataSet, open_as: OpenAs, anna: Visitor, settings: ClassSettings
) -> None:
    """The class goes on: everybody gives their name once more."""
    # The list of sets is lost as well; what is opened then need not be drawn first.
    write_tiny(sources.demo_folder(), pictures=1)
    (sources.demo_folder() / sources.MARKER).write_text("synthetic")
    file().write_bytes(b"no database at all " * 100)
    for end in ("-wal", "-shm"):
        file().with_name(file().name + end).unlink(missing_ok=True)
    app = open_as("anna", "data")
    assert "is damaged. A copy is kept" in words(app).replace("\\", "") and not app.exception
    assert app.run().title[0].value == "Welcome to the class"
    app.text_input(key="visitor_name").set_value("Dr. Meier")
    app.text_input(key="visitor_key").set_value(settings.key)
    app.button(key="join").click().run()
    assert "shared\\.sqlite3\\.damaged" in words(app)


def test_without_a_class_nobody_is_asked(
    tiny: DataSet, open_as: OpenAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LYMPH_CLASS")
    app = open_as("anybody", "train")
    assert app.title[0].value == "How well does it learn?" and "join" not in keys(app)
    app.button(key="start_training").click().run()
    assert "stop_run" in keys(app) and owners() == {}
    assert "Started by" not in open_as("anybody", "runs").dataframe[0].value
