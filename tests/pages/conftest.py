"""The app on a tiny data set, driven without a browser, and runs whose figures are known."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from lymph.data import sources
from lymph.data.ahead import make_ahead
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.data.stamps import cache_folder
from lymph.jobs.status import write_status
from lymph.predictions import make_predictions, write_predictions
from lymph.runs import Run, create_run
from lymph.splits import Split, split_by_patient
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from tests.waiting import PATIENCE

APP = Path(__file__).parents[2] / "app.py"

SCANNED = cache(manifest_scanner.scan_component_manifests)

OpenPage = Callable[..., AppTest]
MakeRun = Callable[..., Run]


@pytest.fixture(autouse=True)
def no_cache() -> None:
    """Let no test see what another has read."""
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def new_page_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AppTest run as a server does after its first session: always through ``app.py``.

    It forgets before every run that ``st.navigation`` was called and would take ``pages/`` for the
    old page mode each time.
    """
    begin = PagesManager.__init__

    def begin_as_later(self: PagesManager, *args: object, **options: object) -> None:
        begin(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_as_later)


@pytest.fixture(autouse=True)
def components_scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AppTest look through the installed packages for components once, not for every app."""
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", SCANNED)


@pytest.fixture(scope="session")
def seen_tiny(drawn_tiny: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a server keeps of the tiny set's pictures: thumbnails and measures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(tmp_path_factory.mktemp("seen")))
        make_ahead(drawn_tiny(3), lambda *_: None)
        return cache_folder(drawn_tiny(3))


@pytest.fixture
def unread(tiny_root: Path) -> sources.DataSet:
    """Return the tiny set, registered like a user's own folder, before any picture was opened."""
    return sources.add_folder(tiny_root)


@pytest.fixture
def tiny(unread: sources.DataSet, seen_tiny: Path) -> sources.DataSet:
    """Return the tiny set as it is when its pictures were read, shrunk and measured once."""
    shutil.copytree(seen_tiny, cache_folder(unread.path), dirs_exist_ok=True)
    return unread


@pytest.fixture
def open_page() -> OpenPage:
    """Return a function that opens a page of the app, as a click in the sidebar does."""

    def open_it(name: str, **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{name}.py").run()

    return open_it


def always_fl(rows: pd.DataFrame) -> list[list[float]]:
    """Say FL of every picture of FL and of one CLL patient, else what is true."""
    mistaken = rows["patient"] == rows.loc[rows["label"] == "CLL", "patient"].iloc[0]
    said = rows["label"].where(~mistaken, "FL")
    return [[0.8 if name == label else 0.1 for name in ("CLL", "FL", "MCL")] for label in said]


@pytest.fixture
def make_run(tiny: sources.DataSet) -> MakeRun:
    """Return a maker of finished runs, written by hand: one CLL test patient is taken for FL."""

    def make(split: Split | None = None, **changes: object) -> Run:
        table = PictureSource(tiny.path).usable()
        split = split or split_by_patient(table)
        run = create_run(TrainConfig(str(tiny.path), epochs=2, **changes), split)
        rows = table.assign(set=split.assign(table), fold="")
        test = rows["set"] == "test"
        values = pd.DataFrame(0.1, index=rows.index, columns=classes_of(table))
        for name in values:
            values.loc[rows["label"] == name, name] = 0.8
        values.loc[test] = always_fl(rows[test])
        predictions = make_predictions(rows, values.to_numpy(), classes_of(table))
        write_predictions(predictions, run.path / files.PREDICTIONS)
        columns = files.METRIC_COLUMNS
        lines = [
            [1, "finetune", 1.0, 0.4, 1.1, 0.3, 1e-3, 2.0],
            [2, "finetune", 0.8, 0.6, 0.9, 0.5, 1e-3, 2.0],
        ]
        pd.DataFrame(lines, columns=columns).to_csv(run.path / files.METRICS, index=False)
        status = replace(run.status(), state="finished", epoch=2, best_epoch=2, queued=1.0)
        write_status(run.path, status)
        return run

    return make


def words(app: AppTest) -> str:
    """Return all that a page says in text, errors and captions, with spaces that may break."""
    elements = [*app.markdown, *app.error, *app.caption, *app.info, *app.success, *app.warning]
    return "\n".join(str(element.value) for element in elements).replace("\u00a0", " ")
