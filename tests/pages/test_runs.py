"""The Runs page: every run in one table, named, put away and deleted."""

from streamlit.testing.v1 import AppTest

from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.evaluation import report
from lymph.runs import list_runs, read_about
from lymph.splits import split_by_patient, split_by_picture

from .conftest import MakeRun, OpenPage, words


def choose(app: AppTest, *rows: int) -> AppTest:
    chosen = {"rows": list(rows), "columns": [], "cells": []}
    app.session_state["runs_table"] = {"selection": chosen}
    return app.run()


def test_without_a_run_the_next_step_is_offered(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("runs")
    assert "No model has learned" in words(app)
    assert app.button(key="go_train")


def test_every_run_stands_in_the_table(make_run: MakeRun, open_page: OpenPage) -> None:
    first = make_run()
    make_run(seed=7)
    app = open_page("runs")
    assert not app.exception
    table = app.dataframe[0].value
    assert sorted(table["Seed"]) == [0, 7]
    assert list(table.columns[:2]) == ["Test", "Name"]
    figures = report(first.predictions())
    assert set(table["Test"]) == {f"A · {100 * figures['pictures']['accuracy']:3.0f} %"}
    assert set(table["Patients right"]) == {"2 of 3"}
    assert set(table["Validation"]) == {"B · 100 %"}
    assert set(table["May it be stated?"]) == {"✕ Cannot be stated"}


def test_figures_of_other_pictures_have_another_letter(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """Sorting by a figure sorts by its letter first, so different tests are never ranked."""
    table = PictureSource(tiny.path).usable()
    make_run(), make_run(seed=1), make_run(split_by_patient(table, seed=5), seed=2)
    app = open_page("runs")
    shown = app.dataframe[0].value
    letters = shown.set_index("Seed")["Test"].str[0]
    assert letters[0] == letters[1] != letters[2]
    row = {seed: place for place, seed in enumerate(shown["Seed"])}
    assert "validated on different pictures" in words(choose(app, row[0], row[2]))
    assert "validated on different pictures" not in words(choose(app, row[0], row[1]))


def test_a_leaky_run_is_marked(tiny: DataSet, make_run: MakeRun, open_page: OpenPage) -> None:
    make_run(split_by_picture(PictureSource(tiny.path).usable()))
    row = open_page("runs").dataframe[0].value.iloc[0]
    assert row["Leaks"] == "⚠ leaky split"
    assert row["95 % interval"].endswith("⚠") and row["Test"].endswith("% ⚠")


def test_a_run_gets_a_name_and_a_note(make_run: MakeRun, open_page: OpenPage) -> None:
    run = make_run()
    app = choose(open_page("runs"), 0)
    app.text_input(key=f"name_{run.id}").set_value(" baseline ")
    app.text_area(key=f"note_{run.id}").set_value("the first")
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    about = read_about(run)
    assert (about.name, about.note) == ("baseline", "the first")
    assert app.dataframe[0].value["Name"].iloc[0] == "baseline"
    results = open_page("results")
    assert results.selectbox(key="results_choice").options[0] == "baseline"


def test_an_archived_run_leaves_the_lists_and_comes_back(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    first, second = make_run(), make_run(seed=1)
    app = choose(open_page("runs"), 0)
    archived = second if any(b.key == f"archive_{second.id}" for b in app.button) else first
    app.button(key=f"archive_{archived.id}").click().run()
    assert read_about(archived).archived
    assert len(app.dataframe[0].value) == 1
    assert len(open_page("results").selectbox(key="results_choice").options) == 1
    app.toggle(key="show_archived").set_value(True).run()
    assert len(app.dataframe[0].value) == 2


def test_deleting_asks_first(make_run: MakeRun, open_page: OpenPage) -> None:
    run = make_run()
    app = choose(open_page("runs"), 0)
    app.button(key=f"delete_{run.id}").click().run()
    assert run.path.exists()
    assert "deleted for good" in words(app)
    app.button(key="delete_for_good").click().run()
    assert not app.exception
    assert not run.path.exists()
    assert list_runs() == []


def test_two_runs_are_overlaid_and_led_to_the_comparison(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run(), make_run(seed=1)
    app = choose(open_page("runs"), 0, 1)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    app.button(key="compare_runs").click().run()
    assert not app.exception
    parts = [part.proto.component_name for part in app.get("bidi_component")]
    assert parts.count("lymph.matrix") == 2
