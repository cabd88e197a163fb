"""Compare recipes on the Train page: what is offered, the job that all follow, and the table."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lymph.data import sources
from lymph.data.source import PictureSource, keep_source
from lymph.data.sources import DataSet
from lymph.jobs import queue, start
from lymph.jobs.status import change_status, own_process
from lymph.recipes import list_comparisons
from tests.measured_recipes import write_comparison

from .conftest import OpenPage, words

VIEW = "Compare recipes"


@pytest.fixture(autouse=True)
def none_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let jobs wait in the queue; no ImageNet weights are here, whatever is."""
    monkeypatch.setattr(start, "start_detached", lambda module, folder: None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def open_recipes(open_page: OpenPage) -> AppTest:
    """Open the view of the Train page that compares recipes."""
    return open_page("train").button_group(key="train_view").set_value(VIEW).run()


def test_what_is_here_is_offered_with_its_time(tiny: DataSet, open_page: OpenPage) -> None:
    """Without ImageNet weights colours and CNN, and a sentence how to have the others."""
    app = open_recipes(open_page)
    assert not app.exception
    assert {box.label: box.value for box in app.checkbox} == {
        "Colours alone": True,
        "Small CNN": True,
        "Small CNN, tiles of 128 px": False,
    }
    assert "About" in words(app) and "a Quick training downloads them" in words(app)
    assert app.number_input(key="recipe_folds_12").value == 5
    assert app.number_input(key="recipe_folds_12").max == 12


def test_two_browsers_follow_one_comparison(tiny: DataSet, open_page: OpenPage) -> None:
    """The second finds the job that is there, may stop it, and is offered no other one."""
    first, second = (open_recipes(open_page) for _ in range(2))
    first.checkbox(key="recipe_cnn").uncheck()
    first.number_input(key="recipe_folds_12").set_value(4)
    first.button(key="compare_recipes").click().run()
    assert not first.exception
    second.button(key="compare_recipes").click().run()
    assert len(queue.going()) == 1
    (comparison,) = list_comparisons(PictureSource(str(tiny.path)).look().source)
    assert comparison.config.recipes == ["colours"] and comparison.config.folds == 4
    for app in (first, second):
        assert [button.key for button in app.button if "recipes" in button.key] == ["stop_recipes"]
    change_status(comparison.path, state="running", step="Colours alone", **own_process())
    assert not second.run().exception
    second.button(key="stop_recipes").click().run()
    assert (comparison.path / "stop").exists()


def test_the_table_says_what_may_be_believed(tiny: DataSet, open_page: OpenPage) -> None:
    """A row a recipe with interval, verdict, whom it beats, and what a random split would claim."""
    write_comparison(tiny.path)
    app = open_recipes(open_page)
    assert not app.exception
    (table,) = app.dataframe
    colours, cnn = table.value.to_dict("records")
    assert cnn["Recipe"] == "B · Small CNN" and cnn["Patients apart"] == "100 %"
    assert cnn["Better than"] == "the largest class, A" and colours["Better than"] == "none of them"
    assert cnn["May it be stated?"] == "✕ Cannot be stated"
    assert "⚠ leaky split" in colours["At random"] and cnn["Time"] == "2 min"
    assert "‘Small CNN’ is highest" in words(app)
    (chart,) = app.get("plotly_chart")
    assert "Small CNN: 100 % with patients apart" in chart.proto.alt
    assert app.button(key="compare_recipes")


def test_a_link_leads_to_the_comparison(tiny: DataSet, open_page: OpenPage) -> None:
    """Regression: which view of Train was open was not in its address."""
    write_comparison(tiny.path)
    app = open_page("train", train_view=VIEW)
    assert not app.exception and "‘Small CNN’ is highest" in words(app)
    assert "train_view" not in open_page("train").query_params


def test_the_stage_shows_what_was_compared_last(tiny: DataSet, open_page: OpenPage) -> None:
    """The slide has sentence and chart of the last one that has finished; there is none without."""
    app = open_page("train", stage="1", slide="99")
    assert not app.exception and app.title[0].value == "How well does it learn?"
    write_comparison(tiny.path, ("colours",))
    write_comparison(tiny.path, state="stopped", cells=1)
    app = open_page("train", stage="1", slide="99")
    assert not app.exception and "‘Colours alone’ is highest" in words(app)
    assert len(app.get("plotly_chart")) == 1 and not app.dataframe


def test_one_that_was_killed_can_be_resumed(tiny: DataSet, open_page: OpenPage) -> None:
    """What is done is shown, and the rest goes on from there."""
    comparison = write_comparison(tiny.path, state="stopped", cells=1)
    app = open_recipes(open_page)
    assert "Stopped after 1 of 4 cells" in words(app) and len(app.dataframe[0].value) == 1
    app.button(key="resume_recipes").click().run()
    assert not app.exception and comparison.status().state == "queued"


def test_earlier_comparisons_can_be_chosen(tiny: DataSet, open_page: OpenPage) -> None:
    write_comparison(tiny.path, ("colours",))
    write_comparison(tiny.path)
    app = open_recipes(open_page)
    chooser = app.selectbox(key="comparison")
    assert len(app.dataframe[0].value) == 2 and "2 recipes, 5 folds" in chooser.options[0]
    chooser.select_index(1).run()
    assert not app.exception and len(app.dataframe[0].value) == 1


def test_where_folds_cannot_be_made_the_page_says_why(
    make_tiny: Callable[..., Path], open_page: OpenPage
) -> None:
    """A class with one patient, and patients that nobody knows: a sentence, no button."""
    root = make_tiny("single", pictures=1)
    for file in [*root.glob("FL/*2[2-4]_*.png")]:
        file.unlink()
    data_set = sources.add_folder(root)
    app = open_recipes(open_page)
    assert not app.exception and "FL has no training pictures" in words(app)
    assert "compare_recipes" not in [button.key for button in app.button]
    source = PictureSource(str(data_set.path))
    keep_source(replace(source, patients="none"))
    app = open_recipes(open_page)
    assert not app.exception and "nobody knows the patients" in words(app)
