"""The map of a run's pictures, drawn by itself."""

from streamlit.testing.v1 import AppTest

from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.runs import create_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.training.config import TrainConfig
from tests.waiting import PATIENCE


def draw(run_id: str) -> None:
    from lymph.runs import open_run
    from pages.shared.results.map import show_embedding

    show_embedding(open_run(run_id), "map")


def test_the_map_comes_with_the_number_that_matters(tiny: DataSet) -> None:
    table = PictureSource(tiny.path).usable()
    run = create_run(TrainConfig(str(tiny.path), epochs=1), split_by_patient(table))
    train_here(run)
    app = AppTest.from_function(draw, kwargs={"run_id": run.id}, default_timeout=PATIENCE).run()
    assert not app.exception
    assert [metric.value.endswith("%") for metric in app.metric] == [True] * 3
    assert "36 pictures" in app.caption[-1].value


def test_a_cross_validation_says_that_it_has_no_map(tiny: DataSet) -> None:
    folds = make_folds(PictureSource(tiny.path).usable(), 2, "patient", 0)
    run = create_run(TrainConfig(str(tiny.path), epochs=1), folds)
    app = AppTest.from_function(draw, kwargs={"run_id": run.id}, default_timeout=PATIENCE).run()
    assert not app.exception
    assert "a feature space each" in app.error[0].value
