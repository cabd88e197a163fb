"""Other people's folders go all the way: found, split, trained, judged, asked, and shown.

Each shape stands for somebody who brings pictures arranged in a way of their own.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lymph.cli import main
from lymph.data import sources
from lymph.data.source import PictureSource, keep_source, source_of
from lymph.data.walk import walk
from lymph.errors import ClassesUnknown, DataError
from tests.layouts import CLASSES, SHAPES, Shape, by, flat_with_table, paint
from tests.waiting import PATIENCE

APP = Path(__file__).parents[2] / "app.py"
Command = Callable[..., dict]


@pytest.fixture
def lymph(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command and returns its document."""

    def run(*words: object) -> dict:
        assert main([*map(str, words), "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.name)
def shape(request: pytest.FixtureRequest) -> Shape:
    """Return one way to arrange pictures."""
    return request.param


@pytest.fixture
def built(shape: Shape, tmp_path: Path) -> Path:
    """Return a folder arranged so."""
    root = tmp_path / shape.name
    shape.build(root)
    return root


def test_what_is_found_is_what_there_is(shape: Shape, built: Path, lymph: Command) -> None:
    """Layout, classes, patients, ready split, what is not read, and a doubt where there is one."""
    found = lymph("scan", built, *shape.options)
    assert (found["layout"], found["patients_from"]) == (shape.layout, shape.patients_from)
    assert tuple(found["classes"]) == shape.classes
    assert (found["pictures"], found["patients"]) == (shape.pictures, shape.patients)
    assert found["sets"] == shape.sets and found["problems"] == []
    assert {entry["what"]: entry["count"] for entry in found["not_read"]} == shape.not_read
    assert all(entry["reason"] for entry in found["not_read"])
    assert shape.doubt in " ".join(found["doubts"])


def test_it_goes_all_the_way_to_an_answer(
    shape: Shape, built: Path, tmp_path: Path, lymph: Command
) -> None:
    """Split, one epoch, figures and an answer by commands; then Data, Split and Results."""
    preset = ("--preset", "given") if "train" in shape.sets else ("--by", "patient")
    split = tmp_path / "split.json"
    made = lymph("split", built, *preset, "--out", split, *shape.options)
    assert made["leaked_test_share"] == 0.0
    assert ("caveat" in made) == (shape.patients_from == "none")
    run = ("--split", split, "--model", "cnn", "--epochs", 1, "--run", tmp_path / "run")
    assert lymph("train", built, *run, *shape.options)["state"] == "finished"
    figures = lymph("evaluate", tmp_path / "run")
    assert tuple(figures["classes"]) == shape.classes
    assert figures.get("patients_unknown", False) == (shape.patients_from == "none")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["source"]["patients"] == shape.patients_from and "data" not in config
    picture = built / walk(built).pictures[0]
    (answer,) = lymph("classify", tmp_path / "run", picture)
    assert answer["problem"] == "" and answer["predicted"] in shape.classes
    assert_pages_work(built, shape)


def assert_pages_work(root: Path, shape: Shape) -> None:
    """Open the set beside another one and look at three pages of it."""
    other = root.parent / "first"
    by("{label}/sj-99-{patient}_{number:03}.png")(other)
    sources.add_folder(other)
    data_set = sources.add_folder(root, "theirs")
    if shape.options:
        keep_source(PictureSource(str(data_set.path), patients="none"))
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    app.query_params["data"] = "theirs"
    app.run()
    for page in ("data", "split", "results"):
        app = app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        # Results marks figures of unknown patients in red; nothing else is an error.
        marked = bool(shape.options) and page == "results"
        assert ["are unknown" in e.value for e in app.error] == [True] * marked
        assert app.sidebar.selectbox(key="data").value == "theirs"
        metrics = {metric.label: metric.value for metric in app.metric}
        if page == "data":
            assert metrics["Pictures"] == str(shape.pictures)
            assert metrics["Patients"] == str(shape.patients)
    said = " ".join(str(e.value) for e in [*app.warning, *app.error, *app.caption, *app.markdown])
    assert ("patients unknown" in said.lower() or "are unknown" in said) == bool(shape.options)


def test_pictures_whose_classes_nothing_tells_are_opened_and_asked_about(tmp_path: Path) -> None:
    """One flat folder opens; with the user's table of labels it is a data set like any other."""
    by("img{place}{patient:02}{number}.png")(tmp_path / "flat")
    with pytest.raises(ClassesUnknown, match="table with the columns picture and label"):
        PictureSource(tmp_path / "flat").look()
    data_set = sources.add_folder(tmp_path / "flat")
    flat_with_table("excel")(tmp_path / "other")
    table = tmp_path / "other" / "labels.csv"
    keep_source(PictureSource(str(data_set.path), labels="table", labels_file=str(table)))
    assert tuple(sorted(set(source_of(data_set.path).usable()["label"]))) == CLASSES


def test_the_page_asks_for_the_classes_that_nothing_tells(tmp_path: Path) -> None:
    """A flat folder opens on a question; a table of labels from the spreadsheet answers it."""
    by("{label}/sj-99-{patient}_{number:03}.png")(tmp_path / "first")
    sources.add_folder(tmp_path / "first")
    by("img{place}{patient:02}{number}.png")(tmp_path / "flat")
    flat_with_table("excel")(tmp_path / "table")
    app = (
        AppTest.from_file(str(APP), default_timeout=PATIENCE)
        .run()
        .switch_page("pages/data.py")
        .run()
    )
    app.text_input(key="folder_path").set_value(str(tmp_path / "flat"))
    app.button(key="add_folder").click().run()
    assert not app.exception and "table with the columns picture and label" in app.error[0].value
    app.selectbox(key="correct_class").set_value(("table", 0)).run()
    app.selectbox(key="correct_patient").set_value(("table", 0)).run()
    content = (tmp_path / "table" / "labels.csv").read_bytes()
    app.file_uploader(key="correct_labels_file").upload("labels.csv", content).run()
    assert not app.error
    app.button(key="use_corrections").click().run()
    assert not app.exception and not app.error
    numbers = {metric.label: metric.value for metric in app.metric}
    assert (numbers["Pictures"], numbers["Patients"], numbers["Classes"]) == ("24", "8", "2")
    for page in ("split", "train", "lessons"):
        app = app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and not app.error


def test_a_table_that_matches_nothing_is_refused_with_a_name_of_each_side(tmp_path: Path) -> None:
    """Somebody gives last year's table: the error names the file, its row and a picture."""
    by("{label}/p{patient}_{number}.png")(tmp_path / "set")
    table = tmp_path / "last year.csv"
    table.write_text("Bild;Patient\n".replace("Bild", "image") + "other_17.png;12\n")
    with pytest.raises(DataError, match=r"last year\.csv") as refused:
        PictureSource(tmp_path / "set", patients="table", patients_file=str(table)).look()
    assert "other_17.png" in str(refused.value) and "benign/p1_1.png" in str(refused.value)


def test_what_a_zip_holds_beside_pictures_is_counted(tmp_path: Path) -> None:
    """A zip is unpacked without what nobody reads, and says how much of what that was."""
    by("{label}/p{patient}_{number}.png")(tmp_path / "set")
    archive = tmp_path / "theirs.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted((tmp_path / "set").rglob("*.png")):
            packed.write(file, f"theirs/{file.relative_to(tmp_path / 'set')}")
        for i in range(12):
            packed.writestr(f"theirs/benign/{i}.gif", b"GIF89a")
        packed.writestr("theirs/slide.svs", b"II*\0")
        packed.writestr("../evil.png", b"x")
        packed.writestr(".DS_Store", b"x")
    with archive.open("rb") as file:
        data_set = sources.add_zip(archive.name, file)
    found = source_of(data_set.path).look()
    assert {entry.what: entry.count for entry in found.not_read} == {
        ".gif": 12,
        ".svs": 1,
        "unsafe names": 1,
    }
    assert len(found.pictures) == 24


def test_a_correction_is_seen_by_everyone_and_by_the_next_run(tmp_path: Path) -> None:
    """Numbers that restart: one switch makes them two people, and the run keeps that."""
    by("{label}/{within}/{number}.png")(tmp_path / "set")
    merged = PictureSource(tmp_path / "set").look()
    assert len(set(merged.patients)) == 4 and "within the class" in " ".join(merged.doubts)
    keep_source(PictureSource(str(tmp_path / "set"), within_class=True))
    apart = source_of(tmp_path / "set").look()
    assert len(set(apart.patients)) == 8 and apart.doubts == []
    assert PictureSource.from_json(apart.source.to_json()) == apart.source


def test_a_table_among_the_pictures_moves_with_them(tmp_path: Path) -> None:
    """A run on a flat folder with a table is copied to another machine, pictures and all."""
    flat_with_table("isic")(tmp_path / "here")
    found = PictureSource(tmp_path / "here").look().source
    (tmp_path / "here").rename(tmp_path / "there")
    moved = found.moved_to(tmp_path / "there")
    assert len(moved.usable()) == 24 and moved.usable()["patient"].nunique() == 8
    assert moved.look().set_counts() == {"train": 12, "val": 6, "test": 6}


def test_an_odd_folder_among_the_classes_is_asked_about(tmp_path: Path) -> None:
    """One picture beside classes of many may be a mistake."""
    for number in range(20):
        for label in CLASSES:
            paint(tmp_path / f"set/{label}/p{number % 5}_{number}.png", 0, number % 5, number)
    paint(tmp_path / "set/leftover/p9_1.png", 0, 9, 1)
    doubts = PictureSource(tmp_path / "set").look().doubts
    assert any("leftover holds only 1 of 41 pictures" in doubt for doubt in doubts)
