"""The Classify page: one answer a file, a broken one beside the good ones."""

import pytest

from lymph.data.scan import scan, usable
from lymph.data.sources import DataSet
from lymph.runs import Run, create_run, train_here
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig

from .conftest import OpenPage, words


@pytest.fixture
def trained(tiny: DataSet) -> Run:
    config = TrainConfig(str(tiny.path), epochs=1)
    run = create_run(config, split_by_patient(usable(scan(tiny.path))))
    assert train_here(run).state == "finished"
    return run


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
        [("../../[evil](x)*.png", good, "image/png"), ("broken.png", b"nothing", "image/png")]
    ).run()
    assert not app.exception
    assert "broken" in app.error[0].value
    assert "not a PNG, JPEG" in app.error[0].value.replace("\\", "")
    assert app.text[0].value == "../../[evil](x)*.png"
    (metric,) = app.metric
    assert metric.value.split(",")[0] in ("CLL", "FL", "MCL")


def test_many_pictures_come_with_a_table_and_a_download(
    trained: Run, tiny: DataSet, open_page: OpenPage
) -> None:
    files = [(p.name, p.read_bytes(), "image/png") for p in sorted(tiny.path.rglob("*_001.png"))]
    app = open_page("classify")
    app.file_uploader(key="classify_upload").set_value(files).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["picture"]) == [name for name, *_ in files]
    assert len(app.get("download_button")) == 1
    assert len(app.metric) == 12


def test_the_model_is_judged_where_it_answers(trained: Run, open_page: OpenPage) -> None:
    said = words(open_page("classify")).replace("\\", "")
    assert "test pictures" in said
    assert "3 patients, split by patient" in said
    assert said.count("not a medical device") == 1
