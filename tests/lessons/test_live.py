"""A lesson runs in a process of its own, once for all who open it."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError
from lymph.jobs.status import Status, write_status
from lymph.jobs.worker import run_job
from lymph.lessons import live, live_process
from lymph.lessons.live import FIGURES, REQUEST, LiveRun, live_run, start_lesson, stop_lesson
from tests.waiting import wait_for


def is_over(run: LiveRun) -> bool:
    status = run.status()
    return status is not None and status.over


@pytest.fixture
def table(tiny_root: Path) -> pd.DataFrame:
    return PictureSource(tiny_root).table()


@pytest.fixture
def asked(tiny_root: Path, table: pd.DataFrame) -> LiveRun:
    """Return a lesson that is asked for and not started, to be worked in this process."""
    run = live_run("colour", PictureSource(tiny_root), table)
    request = {"lesson": "colour", "source": {"root": str(tiny_root), "pattern": "x"}}
    workspace.write_json(run.folder / REQUEST, request)
    write_status(run.folder, Status("queued", queued=time.time()))
    return run


def test_thirty_browsers_start_one_run_and_its_figures_are_kept(
    tiny_root: Path, table: pd.DataFrame
) -> None:
    def open_and_run(_: int) -> bool:
        return start_lesson(
            live_run("broadcast", PictureSource(tiny_root), table), PictureSource(tiny_root)
        )

    with ThreadPoolExecutor(30) as browsers:
        started = list(browsers.map(open_and_run, range(30)))
    assert sum(started) == 1
    run = live_run("broadcast", PictureSource(tiny_root), table)
    wait_for(lambda: is_over(run))
    status = run.status()
    assert status.state == "finished", run.lines(30)
    assert status.pid != os.getpid() and status.seconds > 0
    figures = run.figures()
    assert figures["pictures"] > 0 and len(figures["broken"]) == len(figures["fixed"])
    assert any("epoch 1 of" in line for line in run.lines(30))
    assert run.when() > 0
    # Whoever comes later sees the same figures; only an explicit wish runs it again.
    assert not start_lesson(
        live_run("broadcast", PictureSource(tiny_root), table), PictureSource(tiny_root)
    )
    assert run.figures() == figures


def test_other_pictures_make_another_run(tiny_root: Path, table: pd.DataFrame) -> None:
    first = live_run("leak", PictureSource(tiny_root), table)
    assert live_run("leak", PictureSource(tiny_root), table.copy()).folder == first.folder
    changed = table.assign(bytes=table["bytes"] + 1)
    assert live_run("leak", PictureSource(tiny_root), changed).folder != first.folder
    assert live_run("luck", PictureSource(tiny_root), table).folder != first.folder


def test_figures_of_an_older_version_are_not_shown_with_new_words(
    tiny_root: Path, table: pd.DataFrame
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "VERSION", live.VERSION - 1)
        old = live_run("depth", PictureSource(tiny_root), table)
        workspace.write_json(old.folder / FIGURES, {"plain": {}, "residual": {}})
        assert old.figures() is not None
    assert live_run("depth", PictureSource(tiny_root), table).figures() is None


def test_a_lesson_that_does_not_exist_is_refused(tiny_root: Path, table: pd.DataFrame) -> None:
    with pytest.raises(LymphError, match="choose one of leak"):
        live_run("../evil", PictureSource(tiny_root), table)


def test_a_run_that_vanished_can_be_started_again(tiny_root: Path, table: pd.DataFrame) -> None:
    run = live_run("broadcast", PictureSource(tiny_root), table)
    gone = replace(Status("running", pid=2**22 + 1), host=socket.gethostname())
    write_status(run.folder, gone)
    assert run.status().state == "lost"
    assert start_lesson(run, PictureSource(tiny_root))
    wait_for(lambda: is_over(run))
    assert run.status().state == "finished"


def test_data_that_cannot_serve_end_in_a_sentence(asked: LiveRun) -> None:
    run_job(asked.folder, live_process.work)
    assert asked.status().state == "failed"
    assert asked.status().error
    assert not (asked.folder / FIGURES).exists()


def test_stop_ends_a_lesson(asked: LiveRun) -> None:
    stop_lesson(asked)
    run_job(asked.folder, live_process.work)
    assert asked.status().state == "stopped"
