"""The Data page: what is in the pictures, and who they are from."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lymph.data import sources
from lymph.data.parallel import Progress
from lymph.data.sources import DataSet
from lymph.errors import DataError

from .conftest import OpenPage


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
    assert metrics(app) == {"Pictures": "36", "Patients": "12", "Classes": "3", "Left out": "0"}


def test_the_first_opening_draws_the_demonstration_set(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, make_tiny: Callable[..., Path]
) -> None:
    def draw(folder: Path, seed: int = 0, progress: Progress | None = None) -> Path:
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


def test_real_pictures_carry_no_synthetic_notice(tiny: DataSet, open_page: OpenPage) -> None:
    assert not open_page("data").sidebar.caption


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
    assert metrics(app)["Left out"] == "2"
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


def test_a_pattern_of_ones_own_tells_the_patients(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_view(open_page, "names")
    app.text_input(key=f"pattern_{tiny.name}").set_value(r"(?P<patient>sj-99-\d)").run()
    assert metrics(app)["Patients"] == "3"
    app.button(key="use_pattern").click().run()
    app = open_page("data")
    assert metrics(app)["Patients"] == "3"


def test_a_bad_pattern_is_refused_and_can_be_mended(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_view(open_page, "names")
    app.text_input(key=f"pattern_{tiny.name}").set_value("(((").run()
    assert "regular expression" in app.error[0].value
    assert not [button for button in app.button if button.key == "use_pattern"]
    app.text_input(key=f"pattern_{tiny.name}").set_value(r"(?P<patient>sj-99-\d\d)").run()
    assert metrics(app)["Patients"] == "12"


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
