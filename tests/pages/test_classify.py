"""The Classify page: one answer a file, a broken one beside the good ones."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.facts import MARKER
from lymph.predictions import write_predictions
from lymph.runs import Run, create_run, train_here
from lymph.splits import make_folds, split_by_patient, split_by_picture
from lymph.text import as_cell
from lymph.training.config import TrainConfig
from lymph.training.folder import PREDICTIONS
from pages.shared.classify.pasting import decode_address

from .conftest import MakeRun, OpenPage, words


def html_of(app: AppTest) -> str:
    """Return all HTML that a page draws."""
    return "\n".join(element.proto.body for element in app.get("html"))


def upload(app: AppTest, files: list[tuple[str, bytes, str]]) -> None:
    app.file_uploader(key="classify_upload").set_value(files).run()


@pytest.fixture
def trained(tiny: DataSet) -> Run:
    config = TrainConfig(str(tiny.path), epochs=1)
    run = create_run(config, split_by_patient(PictureSource(tiny.path).usable()))
    assert train_here(run).state == "finished"
    return run


def test_a_model_of_drawings_says_so_on_every_card(tiny: DataSet, open_page: OpenPage) -> None:
    """Regression: trained on drawings it named lymphomas of real slides, patient by patient."""
    (tiny.path / MARKER).write_text("drawn by a computer")
    run = create_run(
        TrainConfig(str(tiny.path), epochs=1),
        split_by_patient(PictureSource(tiny.path).usable()),
    )
    train_here(run)
    names = ("sj-99-31_001.png", "sj-99-31_002.png")
    files = [(name, (tiny.path / "MCL" / name).read_bytes(), "image/png") for name in names]
    app = open_page("classify")
    upload(app, files)
    said = html_of(app)
    assert said.count("has only ever seen computer-drawn pictures") == 2
    assert said.count("computer-drawn pictures of") == 2 and "pictures together" not in said


def test_the_best_honest_run_answers_first(
    make_run: MakeRun, tiny: DataSet, open_page: OpenPage
) -> None:
    """A leaky run that scores more, and the one looked at last, come after it."""
    table = PictureSource(tiny.path).usable()
    leaky = make_run(split_by_picture(table))
    honest = make_run(seed=3)
    open_page("results", run=leaky.id)
    app = open_page("classify")
    assert app.selectbox(key="classify_choice").value == honest.id


def test_after_cross_validation_alone_a_split_is_asked_for(
    tiny: DataSet, open_page: OpenPage
) -> None:
    """Regression: "No model has learned from these pictures yet", where five had."""
    table = PictureSource(tiny.path).usable()
    train_here(create_run(TrainConfig(tiny.path, epochs=1), make_folds(table, 2)))
    for stage in ({}, {"stage": "1"}):
        app = open_page("classify", **stage)
        assert not app.exception and "keeps no single model to ask" in words(app)
        assert app.button(key="go_train").label == "Train a model"


def test_a_confidence_that_means_nothing_is_not_drawn(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    """Regression: the worst model on validation drew bars of 97 %."""
    table = trained.predictions()
    validated = table["set"] == "val"
    columns = [f"p_{name}" for name in trained.classes]
    table.loc[validated, columns] = [[0.97, 0.015, 0.015]] * int(validated.sum())
    table.loc[validated, "predicted"] = "CLL"
    write_predictions(table, trained.path / PREDICTIONS)
    names = ("sj-99-31_001.png", "sj-99-31_002.png")
    files = [(name, (tiny.path / "MCL" / name).read_bytes(), "image/png") for name in names]
    app = open_page("classify")
    upload(app, files)
    said = html_of(app)
    assert said.count("confidence carries no information") == 2
    assert said.count("width:33.3%") == 6 and " %</span>" not in said
    # The patient's answer names a class and no more.
    (patient,) = re.findall(r'<div class="lymph-patient">.*?</div></div>', said)
    assert "%" not in patient and "sure" not in patient


def test_the_verdict_says_how_often_it_errs(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    """Of pictures of new patients, for as many training patients."""
    file = io.BytesIO()
    Image.new("RGB", (200, 150), "white").save(file, "PNG")
    app = open_page("classify")
    upload(app, [("blank.png", file.getvalue(), "image/png")])
    said = html_of(app)
    assert "Do not trust this answer" in said
    assert "of 100 pictures of new patients it flags about" in said
    assert "after training on 6 patients" in said


def test_without_a_run_the_next_step_is_offered(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("classify")
    assert "No model has learned" in words(app)
    assert app.button(key="go_train")


def test_a_picture_is_answered_and_a_broken_file_says_so(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    good = (tiny.path / "MCL" / "sj-99-31_001.png").read_bytes()
    app = open_page("classify")
    app.file_uploader(key="classify_upload").set_value(
        [("../../[evil](x)<b>*.png", good, "image/png"), ("broken.png", b"nothing", "image/png")]
    ).run()
    assert not app.exception
    (error,) = app.error
    assert "broken" in error.value
    assert "not a PNG, JPEG" in error.value.replace("\\", "")
    said = html_of(app)
    assert "../../[evil](x)&lt;b&gt;*.png" in said and "<b>*.png" not in said
    assert any(f"<b>{name}</b>" in said for name in ("CLL", "FL", "MCL"))
    assert "1 file could not be read" in words(app)


def test_many_pictures_come_with_a_tally_patients_and_a_download(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    paths = sorted(tiny.path.rglob("*_00[12].png"))
    app = open_page("classify")
    upload(app, [(path.name, path.read_bytes(), "image/png") for path in paths])
    assert not app.exception
    assert "24 pictures classified" in words(app)
    said = html_of(app)
    assert said.count('class="lymph-patient"') == 12
    assert "2 pictures together" in said
    assert len(app.get("download_button")) == 1
    assert "learned from this very picture" in said


def test_a_zip_is_opened_and_its_bad_members_say_so(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    good = (tiny.path / "FL" / "sj-99-21_001.png").read_bytes()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/sj-99-21_001.png", good)
        archive.writestr("../out.png", good)
        archive.writestr("inner.zip", b"PK")
    app = open_page("classify")
    upload(app, [("all.zip", file.getvalue(), "application/zip")])
    assert not app.exception
    errors = "\n".join(error.value.replace("\\", "") for error in app.error)
    assert "points out of the zip" in errors and "A zip inside a zip" in errors
    assert "all.zip › folder/sj-99-21_001.png" in html_of(app)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("Where it looked", "Grad-CAM"),
        ("Tile by tile", "overlapping tiles"),
        ("Most similar", "They come from"),
        ("Inside", "Layer 3"),
    ],
)
def test_the_reasons_open_on_a_click(
    trained: Run, tiny: DataSet, open_page: OpenPage, view: str, expected: str
) -> None:
    good = (tiny.path / "FL" / "sj-99-21_001.png").read_bytes()
    app = open_page("classify")
    upload(app, [("a.png", good, "image/png")])
    app.session_state["why_view"] = view
    app.button(key=f"why_0_{trained.id}").click().run()
    assert not app.exception
    assert expected in words(app)


@pytest.mark.usefixtures("small_resnet50")
def test_the_stages_of_a_resnet_that_is_cut_off_can_be_seen(
    tiny: DataSet, open_page: OpenPage, encoder_file: Path
) -> None:
    """Regression: of the app's own ResNet-50, whose last block learns, layer3 was left out."""
    config = TrainConfig(str(tiny.path), "resnet50", weights=str(encoder_file), epochs=2)
    run = create_run(config, split_by_patient(PictureSource(tiny.path).usable()))
    assert train_here(run).state == "finished" and run.config.tunes_last_block
    good = (tiny.path / "FL" / "sj-99-21_001.png").read_bytes()
    app = open_page("classify")
    upload(app, [("a.png", good, "image/png")])
    app.session_state["why_view"] = "Inside"
    app.button(key=f"why_0_{run.id}").click().run()
    assert not app.exception
    told = words(app)
    assert all(name in told for name in ("First convolution", "layer1", "layer2", "layer3: "))


def test_synthetic_examples_come_with_one_click(trained: Run, open_page: OpenPage) -> None:
    app = open_page("classify")
    app.button(key="classify_examples").click().run()
    assert not app.exception
    assert html_of(app).count("synthetic example of") >= 3
    app.button(key="classify_forget").click().run()
    assert "synthetic example of" not in html_of(app)


def test_two_runs_answer_side_by_side(trained: Run, tiny: DataSet, open_page: OpenPage) -> None:
    config = TrainConfig(str(tiny.path), epochs=1, seed=5)
    other = create_run(config, split_by_patient(PictureSource(tiny.path).usable()))
    train_here(other)
    good = (tiny.path / "FL" / "sj-99-21_001.png").read_bytes()
    app = open_page("classify", run=other.id)
    app.selectbox(key="classify_second").set_value(trained.id).run()
    upload(app, [("a.png", good, "image/png")])
    assert not app.exception
    assert app.button(key=f"why_0_{trained.id}") and app.button(key=f"why_0_{other.id}")
    assert "seed 5" in html_of(app)


def test_the_table_is_safe_in_a_spreadsheet(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    from lymph.inference import answer_table, classify_files, load_classifier

    good = tiny.path / "FL" / "sj-99-21_001.png"
    answers = list(classify_files(load_classifier(trained), [("=cmd()|x.png", good)]))
    table = answer_table(answers, trained.classes).map(as_cell)
    assert table["picture"][0] == "'=cmd()|x.png"


def test_what_is_pasted_comes_as_bytes() -> None:
    assert decode_address("data:image/png;base64,aGk=") == b"hi"
    for wrong in (
        None,
        "",
        "data:image/png,hi",
        "data:image/png;base64,%%",
        "http://x;base64,aGk=",
    ):
        assert decode_address(wrong) is None


def test_the_model_is_judged_where_it_answers(trained: Run, open_page: OpenPage) -> None:
    said = words(open_page("classify")).replace("\\", "")
    assert "test pictures from 3 patients correctly" in said and "split by patient" in said
    assert said.count("not a medical device") == 1
