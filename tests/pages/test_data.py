"""The Data page: what is in the pictures, and who they are from."""

import io
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lymph.data import sources
from lymph.data.exclusions import excluded
from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.errors import DataError
from lymph.jobs.status import write_status
from lymph.parallel import Progress
from lymph.runs import create_run, list_runs
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from pages.shared import loading
from tests.waiting import PATIENCE

from .conftest import APP, MakeRun, OpenPage, words


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def open_view(open_page: OpenPage, view: str) -> AppTest:
    """Open one of the Data page's views, as a click on its name does."""
    app = open_page("data")
    return app.button_group(key="view").set_value(view).run()


def test_the_numbers_of_the_data_stand_large(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    assert not app.exception
    assert app.title[0].value == "What is in the pictures, and who are they from?"
    assert metrics(app) == {"Pictures": "36", "Patients": "12", "Classes": "3", "Excluded": "0"}


@pytest.mark.parametrize("page", ["data", "split", "train"])
def test_bars_of_the_first_run_move_nothing_in_the_next(
    tiny: DataSet, open_page: OpenPage, page: str
) -> None:
    """Regression: all moved up by the bar's place, and what a browser draws anew loses its state.

    Of the first visitor of a server the tab of zips was closed at the drop, or the drop was lost.
    """
    app = open_page(page)
    before = places_of(app)
    assert before and places_of(app.run()) == before


def places_of(app: AppTest) -> dict[str, int]:
    """Return where the page's widgets and keyed parts stand, by their ids."""
    parts = ((getattr(one.proto, "id", ""), place) for place, one in app.main.children.items())
    return {name: place for name, place in parts if name}


def test_the_first_opening_draws_the_demonstration_set(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, make_tiny: Callable[..., Path]
) -> None:
    def draw(folder: Path, progress: Progress, first: Sequence[str]) -> Path:
        assert first, "some are shown while one waits"
        make_tiny("drawn").rename(folder)
        (folder / sources.MARKER).write_text("synthetic")
        progress(1, 1)
        return folder

    sources.demo_folder().parent.mkdir(parents=True)
    monkeypatch.setattr(sources, "make_demo", draw)
    app = open_page("data")
    assert not app.exception
    assert metrics(app)["Pictures"] == "36"
    assert "computer drawn" in "".join(element.value for element in app.sidebar.caption)


def test_a_set_that_an_earlier_version_drew_is_drawn_anew_on_request(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, make_tiny: Callable[..., Path]
) -> None:
    """Regression: an existing workspace kept its old set for ever, and nobody was told."""
    folder = sources.demo_folder()

    def draw(name: str, drawing: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        make_tiny(name, pictures=drawing).rename(folder)
        (folder / sources.MARKER).write_text(f"synthetic\nDrawing: {drawing}\n")

    draw("old", 1)
    monkeypatch.setattr(sources, "make_demo", lambda *_, **__: draw("new", sources.DRAWING))
    app = open_page("data")
    assert metrics(app)["Pictures"] == "12" and "keep their figures" in words(app)
    table = PictureSource(folder).usable()
    run = create_run(TrainConfig(str(folder)), split_by_patient(table))
    app.run()
    assert app.button(key="draw_anew").disabled and "when it is over" in words(app)
    write_status(run.path, replace(run.status(), state="stopped"))
    app.run().button(key="draw_anew").click().run()
    assert not app.exception
    assert metrics(app)["Pictures"] == "24"
    assert "draw_anew" not in {button.key for button in app.button}
    assert list_runs() == [run]


def test_real_pictures_carry_no_synthetic_notice(tiny: DataSet, open_page: OpenPage) -> None:
    assert not open_page("data").sidebar.caption


def test_an_address_that_names_a_set_that_is_not_here_says_so(
    tiny: DataSet, make_tiny: Callable[..., Path]
) -> None:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    app.query_params["data"] = "els*where"
    app.run()
    assert "no data set named els\\*where here" in app.warning[0].value
    app.run()
    assert app.warning, "it stays until another set is chosen"
    sources.add_folder(make_tiny("second"), "another")
    app.run()
    app.sidebar.selectbox(key="data").set_value("another").run()
    assert not any("els" in warning.value for warning in app.warning)


def test_the_gallery_filters_by_class_and_patient(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    shown = [button for button in app.button if button.key.startswith("gallery_open")]
    assert len(shown) == 24
    app.button_group(key="gallery_class").set_value("FL").run()
    assert len([b for b in app.button if b.key.startswith("gallery_open")]) == 12
    assert app.selectbox(key="gallery_patient").options == [
        "All",
        "99-21",
        "99-22",
        "99-23",
        "99-24",
    ]
    app.selectbox(key="gallery_patient").set_value("99-22").run()
    names = [b.label for b in app.button if b.key.startswith("gallery_open")]
    assert names == [rf"sj\-99\-22\_00{i}" for i in (1, 2, 3)]


def test_a_click_opens_the_picture_at_full_size(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    app.button(key="gallery_open_0").click().run()
    assert not app.exception
    assert "CLL/sj-99-11_001.png" in app.text[0].value
    assert "64 x 48 pixels" in app.text[0].value


def test_broken_pictures_are_listed_with_their_reason(tiny: DataSet, open_page: OpenPage) -> None:
    (tiny.path / "CLL" / "sj-99-11_009.png").write_bytes(b"no picture")
    (tiny.path / "FL" / "holiday.png").write_bytes((tiny.path / "FL/sj-99-21_001.png").read_bytes())
    app = open_page("data")
    assert metrics(app)["Excluded"] == "2"
    assert metrics(app)["Pictures"] == "36"
    problems = app.dataframe[0].value
    assert list(problems["picture"]) == ["CLL/sj-99-11_009.png", "FL/holiday.png"]
    assert "patient" in problems["problem"].iloc[1]


def test_a_folder_path_becomes_the_data_set(
    tiny: DataSet, make_tiny: Callable[..., Path], open_page: OpenPage
) -> None:
    other = make_tiny("other", pictures=2)
    app = open_page("data")
    app.text_input(key="folder_path").set_value(str(other))
    app.button(key="add_folder").click().run()
    assert not app.exception
    assert app.sidebar.selectbox(key="data").value == "other"
    assert metrics(app)["Pictures"] == "24"


def test_a_wrong_folder_is_refused_in_words(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    app.text_input(key="folder_path").set_value("/nowhere/at_all")
    app.button(key="add_folder").click().run()
    assert "no folder" in app.error[0].value
    assert metrics(app)["Pictures"] == "36"


def test_a_zip_becomes_the_data_set(tiny: DataSet, open_page: OpenPage) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in tiny.path.rglob("*_001.png"):
            archive.write(path, path.relative_to(tiny.path))
    app = open_page("data")
    app.file_uploader(key="zip_upload").upload("mine.zip", file.getvalue()).run()
    app.button(key="add_zip").click().run()
    assert not app.exception
    assert app.sidebar.selectbox(key="data").value == "mine"
    assert metrics(app)["Pictures"] == "12"


def test_kaggle_out_of_reach_tells_the_way_by_hand(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise DataError("The real set could not be fetched. By hand: open kaggle.com.")

    monkeypatch.setattr(sources, "fetch_kaggle", refuse)
    app = open_page("data")
    assert sources.KAGGLE_SIZE in app.button(key="add_kaggle").label
    app.button(key="add_kaggle").click().run()
    assert "By hand" in app.error[0].value


def patients_said(app: AppTest) -> str:
    """Return what the page says the patients would be."""
    return next(e.value for e in app.markdown if e.value.startswith("**Patients**"))


def test_a_pattern_of_ones_own_tells_the_patients(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_view(open_page, "names")
    app.text_input(key="correct_pattern").set_value(r"(?P<patient>sj-99-\d)").run()
    assert "3 patients, from the file names" in patients_said(app)
    assert metrics(app)["Patients"] == "12", "nothing is kept before it is asked for"
    app.button(key="use_corrections").click().run()
    assert metrics(app)["Patients"] == "3"
    assert metrics(open_page("data"))["Patients"] == "3"


def test_a_bad_pattern_is_refused_and_can_be_corrected(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_view(open_page, "names")
    app.text_input(key="correct_pattern").set_value("(((").run()
    assert "regular expression" in app.error[0].value
    assert not [button for button in app.button if button.key == "use_corrections"]
    app.text_input(key="correct_pattern").set_value(r"(?P<patient>sj-99-\d\d)").run()
    assert not app.error and "12 patients" in patients_said(app)


def test_a_pattern_that_never_ends_stops_nobody(tiny: DataSet, open_page: OpenPage) -> None:
    """Regression: one typed pattern froze every visitor of the server for 20 s."""
    app = open_view(open_page, "names")
    app.text_input(key="correct_pattern").set_value(r"(?P<patient>(([\w-]+)+)+)!").run()
    assert not app.exception
    assert app.error or "12 patients" not in patients_said(app)


def test_unknown_patients_are_one_choice_that_is_said_from_then_on(
    tiny: DataSet, open_page: OpenPage
) -> None:
    for number, file in enumerate(sorted(tiny.path.rglob("*.png"))):
        file.rename(file.with_name(f"{number:04}.png"))
    app = open_view(open_page, "names")
    assert metrics(app)["Pictures"] == "0"
    app.button(key="correct_now_Patients").click().run()
    assert metrics(app)["Pictures"] == "36"
    app = open_page("split")
    assert not app.exception and not app.success
    assert any("patients are unknown" in warning.value for warning in app.warning)


def test_a_folder_that_went_away_is_said(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    for path in tiny.path.rglob("*.png"):
        path.unlink()
    app.run()
    assert "does not hold" in app.error[0].value


@pytest.mark.parametrize("step", ["split", "train", "results", "classify"])
def test_every_page_opens_on_fresh_data(tiny: DataSet, open_page: OpenPage, step: str) -> None:
    app = open_page(step)
    assert not app.exception
    assert app.title[0].value.endswith("?")


def shown_names(app: AppTest) -> list[str]:
    return [b.label for b in app.button if b.key.startswith("gallery_open")]


def test_filters_can_be_taken_away_at_once(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    app.button_group(key="gallery_class").set_value("FL").run()
    app.selectbox(key="gallery_patient").set_value("99-22").run()
    assert len(shown_names(app)) == 3
    assert any("3 pictures of 36" in element.value for element in app.markdown)
    app.button(key="clear_filters").click().run()
    assert len(shown_names(app)) == 24 and not app.exception


def test_sizes_and_kinds_are_a_filter_where_they_differ(tiny: DataSet, open_page: OpenPage) -> None:
    assert not [s for s in open_page("data").selectbox if s.key == "gallery_kind"]
    Image.new("L", (20, 10)).save(tiny.path / "FL" / "sj-99-21_009.png")
    app = open_page("data")
    assert app.selectbox(key="gallery_kind").options == [
        "All",
        "20 x 10, L, png",
        "64 x 48, RGB, png",
    ]
    app.selectbox(key="gallery_kind").set_value("20 x 10, L, png").run()
    assert shown_names(app) == [r"sj\-99\-21\_009"]


def test_a_patients_strip_holds_all_its_pictures(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_view(open_page, "patients")
    assert not app.exception
    body = "".join(element.proto.body for element in app.get("html"))
    assert body.count("<img") == 36 and body.count('class="lymph-patient"') == 12
    order = [body.index(f"<b>{patient}</b>") for patient in ("99-11", "99-21", "99-34")]
    assert order == sorted(order)


def test_the_stain_map_opens_and_its_selection_shows_pictures(
    tiny: DataSet, open_page: OpenPage
) -> None:
    app = open_view(open_page, "stain")
    assert not app.exception
    assert any("the nearest neighbour is of the same patient" in m.value for m in app.markdown)
    assert any("Macenko" in caption.value for caption in app.caption)
    point = {"customdata": ["FL/sj-99-22_001.png", "FL", "99-22"]}
    app.session_state["stain_map_stain_patient"] = {"selection": {"points": [point]}}
    app.run()
    assert any("1 picture chosen" in s.value for s in app.header)
    assert [b.label for b in app.button if b.key.startswith("stain_gallery_open")] == [
        r"sj\-99\-22\_001"
    ]


def test_a_finding_is_left_out_and_taken_back(tiny: DataSet, open_page: OpenPage) -> None:
    whole = (tiny.path / "FL" / "sj-99-21_001.png").read_bytes()
    (tiny.path / "FL" / "sj-99-21_009.png").write_bytes(whole)
    app = open_view(open_page, "quality")
    assert not app.exception
    app.button_group(key="quality_kind").set_value("same").run()
    app.button(key="exclude_all").click().run()
    assert metrics(app) == {"Pictures": "36", "Patients": "12", "Classes": "3", "Excluded": "1"}
    assert any("Excluded by you (1)" in s.value for s in app.header)
    app.button(key="include_all").click().run()
    assert metrics(app)["Pictures"] == "37"


def test_the_viewer_goes_on_shows_stains_and_leaves_out(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("data")
    app.button(key="gallery_open_2").click().run()
    assert app.text[0].value.startswith("3 of 36: CLL/sj-99-11_003.png")
    for way in ("haematoxylin", "eosin", "cnn", "resnet50"):
        app.session_state["viewer_way"] = way
        app.button(key="gallery_open_2").click().run()
        assert not app.exception and app.button_group(key="viewer_way").value == way
    app.button(key="viewer_exclude").click().run()
    assert "CLL/sj-99-11_003.png" in excluded(tiny.path)
    assert metrics(app)["Pictures"] == "35"


def test_a_table_of_patients_takes_the_patterns_place(tiny: DataSet, open_page: OpenPage) -> None:
    names = sorted(p.relative_to(tiny.path).as_posix() for p in tiny.path.rglob("*.png"))
    rows = "".join(f"{name};who-{i % 4}\n" for i, name in enumerate(names[:-1]))
    app = open_view(open_page, "names")
    app.selectbox(key="correct_patient").set_value(("table", 0)).run()
    assert "No table tells the patients" in app.error[0].value
    table = app.file_uploader(key="correct_patients_file")
    table.upload("p.csv", f"File;Patient ID\n{rows}".encode("utf-16")).run()
    assert not app.error and "4 patients, from a table" in patients_said(app)
    app.button(key="use_corrections").click().run()
    assert not app.exception
    assert metrics(app)["Patients"] == "4" and metrics(app)["Excluded"] == "1"
    assert any("p\\.csv" in warning.value for warning in app.warning), "the user's own file"
    app.selectbox(key="correct_patient").set_value(("name", 0)).run()
    app.button(key="use_corrections").click().run()
    assert metrics(app)["Patients"] == "12"


def test_a_large_set_is_shown_by_its_headers_first(
    unread: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pages.shared import loading

    monkeypatch.setattr(loading, "DECODED_AT_ONCE", 10)
    file = unread.path / "FL" / "sj-99-21_001.png"
    file.write_bytes(file.read_bytes()[:-200])
    app = open_page("data")
    assert metrics(app)["Excluded"] == "0"
    app.button(key="read_pixels").click().run()
    assert metrics(app)["Excluded"] == "1"
    assert not [b for b in app.button if b.key == "read_pixels"]


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder that is closed to all")
def test_a_workspace_that_cannot_be_written_to_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: the first page of a read-only workspace was a traceback."""
    monkeypatch.setenv("LYMPH_HOME", "/sys/lymph")
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE).run()
    assert not app.exception
    (error,) = app.error
    assert "cannot be written to" in error.value.replace("\\", "")


def test_a_data_set_is_renamed_and_links_with_its_former_name_lead_there(
    tiny: DataSet, make_tiny: Callable[..., Path], make_run: MakeRun, open_page: OpenPage
) -> None:
    """A stranger's folder called "images" is renamed; the address in the lecture notes stays."""
    sources.add_folder(make_tiny("first", 1), "first")
    run = make_run()
    app = open_page("data", data="tiny")
    app.text_input(key="name_tiny").set_value("First")
    app.button(key="rename").click().run()
    assert "already a data set named First" in app.error[0].value
    app.text_input(key="name_tiny").set_value(" Our *slides* ")
    app.button(key="rename").click().run()
    assert not app.exception and app.sidebar.selectbox(key="data").value == "Our *slides*"
    linked = open_page("results", data="tiny", run=run.id)
    assert not linked.exception and linked.sidebar.selectbox(key="data").value == "Our *slides*"
    assert not any("no data set named" in warning.value for warning in linked.warning)
    assert linked.metric, "the run is still known to be of these pictures"


def test_a_page_that_is_open_elsewhere_stays_with_a_renamed_set(
    tiny: DataSet, make_tiny: Callable[..., Path], open_page: OpenPage
) -> None:
    """Another visitor renames the set: nobody who looks at it is thrown onto the first one."""
    other = sources.add_folder(make_tiny("other", 2), "other")
    app = open_page("data", data="other")
    sources.rename_data_set(other, "theirs")
    app.run()
    assert app.sidebar.selectbox(key="data").value == "theirs" and metrics(app)["Pictures"] == "24"


def test_a_folder_of_one_class_offers_the_folder_above(
    tiny: DataSet, make_tiny: Callable[..., Path], open_page: OpenPage
) -> None:
    """Regression: who picked the folder CLL was told to make class folders, which were there."""
    other = make_tiny("other", pictures=2)
    app = open_page("data")
    app.text_input(key="folder_path").set_value(str(other / "CLL"))
    app.button(key="add_folder").click().run()
    assert "holds CLL, FL and MCL" in words(app)
    app.button(key="open_above").click().run()
    assert not app.exception and app.sidebar.selectbox(key="data").value == "other"
    assert metrics(app)["Pictures"] == "24"
    assert [one.name for one in sources.list_data_sets()] == ["tiny", "other"]


def test_reading_a_folder_again_reads_nobody_elses(
    tiny: DataSet, make_tiny: Callable[..., Path], open_page: OpenPage
) -> None:
    """Regression: one click cleared what thirty students had read of every other data set."""
    other = sources.add_folder(make_tiny("other", 2), "other")
    kept, before = loading.folder_stamp(other.path), loading.folder_stamp(tiny.path)
    table = loading.picture_table(other)
    open_page("data").button(key="read_again").click().run()
    assert loading.folder_stamp(other.path) == kept and loading.found(other) is loading.found(other)
    assert loading.folder_stamp(tiny.path) != before
    pd.testing.assert_frame_equal(loading.picture_table(other), table)
