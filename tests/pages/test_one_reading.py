"""What every page asks for is asked for once: the database that all share, and what a run is."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lymph.data import sources
from lymph.data.sources import DataSet
from lymph.database import FILE, reading, transaction
from lymph.runs import run as run_files
from lymph.training.config import TrainConfig

from .conftest import MakeRun, OpenPage


@pytest.mark.parametrize("page", ["data", "split", "train", "runs"])
def test_a_page_opens_the_database_once(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """Regression: it was opened for every question, a dozen times a page."""
    opened: list[str] = []
    connect = sqlite3.connect

    def counted(file: Any, *given: Any, **options: Any) -> sqlite3.Connection:
        opened.append(Path(str(file)).name)
        return connect(file, *given, **options)

    app = open_page(page)
    monkeypatch.setattr(sqlite3, "connect", counted)
    app.run()
    assert not app.exception and opened.count(FILE) == 1


def test_a_page_sees_what_it_has_changed_itself(tiny_root: Path, workspace: Path) -> None:
    """Stranger: a fresh workspace has no database yet, and one in memory stands for it."""
    with reading():
        assert sources.list_data_sets() == []
        data_set = sources.add_folder(tiny_root)
        assert sources.list_data_sets() == [data_set]


def test_a_page_sees_what_others_change_meanwhile(tiny: DataSet, workspace: Path) -> None:
    """Stranger: a page is being drawn while another server writes."""
    with reading() as database:
        assert database.execute("SELECT COUNT(*) FROM data_sets").fetchone() == (1,)
        other = sqlite3.connect(workspace / FILE)
        other.execute("DELETE FROM data_sets")
        other.commit()
        other.close()
        with reading() as again:
            assert again.execute("SELECT COUNT(*) FROM data_sets").fetchone() == (0,)
        with transaction() as own:
            own.execute("INSERT INTO data_sets VALUES ('again', '/')")
        with reading() as last:
            assert last.execute("SELECT name FROM data_sets").fetchall() == [("again",)]


def test_a_configuration_is_read_again_only_when_it_has_changed(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: Results read it for the colour of every picture."""
    run, loads = make_run(), []
    load = TrainConfig.load

    def counted(path: Path) -> TrainConfig:
        loads.append(path)
        return load(path)

    monkeypatch.setattr(run_files.TrainConfig, "load", counted)
    run_files._as_seen.cache_clear()
    file = run.path / "config.json"
    long_ago = file.stat().st_mtime - 60
    os.utime(file, (long_ago, long_ago))
    assert run.classes == run.classes == run.config.classes and len(loads) == 1
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 7'))
    assert run.config.seed == 7
