"""One damaged file costs one run: every page keeps answering and says what to do."""

import shutil
from pathlib import Path

import pytest
import streamlit as st

from lymph import database
from lymph.data.decisions import name_of
from lymph.data.sources import DataSet
from lymph.runs import Run, open_run
from lymph.splits import list_splits
from lymph.training import folder as files
from lymph.training.summary import write_summary
from tests.damage import WHOLE
from tests.test_database import held

from .conftest import MakeRun, OpenPage, words

PAGES = ("data", "split", "train", "results", "runs", "classify")
OF_A_RUN = (
    files.STATUS,
    files.CONFIG,
    files.SPLIT,
    files.PREDICTIONS,
    files.METRICS,
    files.ABOUT,
    files.SUMMARY,
)
# A folder in the place of a file is covered where the files are read.
DAMAGES = [name for name in WHOLE if name != "folder"]


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    run = make_run()
    (run.path / files.ABOUT).write_text('{"name": "mine", "note": "", "archived": false}')
    write_summary(run.path)
    return run


def hurt(run: Run, name: str, damage: str) -> Run:
    """Return a copy of a run with one damaged file."""
    copy = Path(shutil.copytree(run.path, run.path.parent / f"{damage}-{name}"))
    WHOLE[damage](copy / name)
    return Run(copy)


@pytest.mark.parametrize("page", ["train", "results", "runs", "classify"])
def test_fifty_damaged_runs_cost_no_page(run: Run, open_page: OpenPage, page: str) -> None:
    """Regression: one damaged status.json broke every page for everyone."""
    for name in OF_A_RUN:
        for damage in DAMAGES:
            hurt(run, name, damage)
    app = open_page(page)
    assert not app.exception
    said = words(app)
    assert "cannot be read in full" in "\n".join(one.label for one in app.expander)
    for name in (files.STATUS, files.CONFIG, files.SPLIT, files.ABOUT):
        for damage in ("empty", "cut", "random"):
            assert f"{damage}-{name}" in said.replace("\\", ""), (name, damage)
    if page == "runs":
        assert "mine" in set(app.dataframe[0].value["Name"])
    if page in ("results", "classify"):
        # The sound run, and those without whose damaged file there still is a result.
        choices = app.selectbox(key=f"{page}_choice").options
        assert "mine" in choices and len(set(choices)) == len(choices)
        harmless = (files.METRICS, files.ABOUT, files.SUMMARY)
        assert len(choices) == 1 + len(harmless) * len(DAMAGES)


@pytest.mark.parametrize("page", ["train", "results"])
@pytest.mark.parametrize(
    ("name", "damage"),
    list(zip(OF_A_RUN, ("null", "cut", "random", "empty", "list", "object", "cut"), strict=True)),
)
def test_a_damaged_run_in_the_address_gets_a_sentence(
    run: Run, open_page: OpenPage, page: str, name: str, damage: str
) -> None:
    bad = hurt(run, name, damage)
    app = open_page(page, run=bad.path.name)
    assert not app.exception
    if name in (files.STATUS, files.CONFIG, files.SPLIT):
        assert any(name in one.value.replace("\\", "") for one in app.error)
    if name == files.METRICS and page == "train":
        assert any(name in one.value.replace("\\", "") for one in app.error)
        assert app.button(key="see_results")


def test_damaged_curves_of_a_chosen_run_get_a_sentence(run: Run, open_page: OpenPage) -> None:
    WHOLE["random"](run.path / files.METRICS)
    app = open_page("runs")
    app.session_state["runs_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    assert any(files.METRICS in one.value.replace("\\", "") for one in app.error)
    assert app.button(key=f"delete_{run.path.name}")


@pytest.mark.parametrize("text", ["", '{"a": 1, "b": ["x"]}', "[1]"])
def test_damaged_lists_of_an_earlier_version_cost_no_page(
    run: Run, tiny: DataSet, open_page: OpenPage, workspace: Path, text: str
) -> None:
    """data-sets.json, elsewhere.json and the decisions about the pictures."""
    data = workspace / "data"
    shutil.copytree(tiny.path, data / "demonstration")
    (data / "demonstration" / "SYNTHETIC.txt").write_text("drawn")
    (data / "choices").mkdir()
    of_tiny = data / "choices" / f"{name_of(tiny.path)}.json"
    for file in (data / "data-sets.json", run.path.parent / "elsewhere.json", of_tiny):
        file.write_text(text)
    database._sound.clear()
    for page in ("data", "runs"):
        app = open_page(page)
        assert not app.exception
        assert any("older/" in one.value for one in app.sidebar.warning)
    assert open_run(run.path) == run


def test_a_locked_database_is_a_sentence(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages show what they showed; who saves a split is told, and nothing is lost."""
    app = open_page("split")
    with held(monkeypatch):
        app.text_input(key="split_name").set_value("mine")
        app.button(key="save_split").click().run()
        assert not app.exception and "Another program is using" in app.error[0].value
    app.button(key="save_split").click().run()
    assert not app.exception and list(list_splits(tiny.path)) == ["mine"]


def test_visitors_see_no_traceback() -> None:
    """What a program error says stands in the log; the page offers no search for it elsewhere."""
    assert st.get_option("client.showErrorDetails") == "none"
    assert st.get_option("client.showErrorLinks") is False
