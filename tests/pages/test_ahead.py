"""What a server does before anybody asks, and what pages show meanwhile."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lymph.data import ahead as helper
from lymph.data.sources import DataSet
from lymph.training import estimate, speed
from pages.shared import loading
from pages.shared.server import ahead
from tests.waiting import PATIENCE

from .conftest import OpenPage


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let helpers be started as in a server; what is known of them is this test's own."""
    monkeypatch.setattr(ahead, "_measuring", {})
    monkeypatch.setattr(ahead, "_prepared", {})
    ahead._serving.set()
    yield
    ahead._serving.clear()


@pytest.mark.parametrize(("going", "told"), [(True, "being measured"), (False, "not measured yet")])
def test_train_stands_before_the_machine_was_measured(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, going: bool, told: str
) -> None:
    """Regression: the page waited for torch and a measurement, eight seconds for a class."""
    monkeypatch.setattr(estimate, "estimate_seconds", lambda *_: None)
    monkeypatch.setattr(ahead, "measure", lambda model: going)
    app = open_page("train")
    assert not app.exception
    assert {one.label: one.value for one in app.metric}["Time it will take"] == told
    assert not app.button(key="start_training").disabled


def test_a_model_is_measured_by_one_helper(serving: None, workspace: Path) -> None:
    speed.file().unlink(missing_ok=True)
    assert ahead.measure("cnn") and ahead.measure("cnn")
    (started,) = ahead._measuring.values()
    assert started.wait(PATIENCE) == 0
    measured = speed.known("cnn")
    assert measured is not None and measured.eval_seconds > 0 and measured.train_seconds > 0
    assert not ahead.measure("cnn")


def test_without_a_server_nothing_is_started(tiny: DataSet) -> None:
    speed.file().unlink(missing_ok=True)
    assert not ahead.measure("cnn")
    ahead.prepare(tiny.path)
    assert ahead._measuring == ahead._prepared == {}


def test_who_comes_while_a_helper_reads_waits_and_reads_nothing(
    serving: None, unread: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: what one visitor read, measured and drew was done again by each other one."""
    ahead.prepare(unread.path)
    ahead.prepare(unread.path)
    (started,) = ahead._prepared.values()
    started.join()

    def read_again(*_: object) -> None:
        raise AssertionError("a picture was read again")

    monkeypatch.setattr("lymph.data.scan.read_with_notes", read_again)
    monkeypatch.setattr("lymph.data.thumbnails.read_of", read_again)
    monkeypatch.setattr("lymph.data.measure.read_of", read_again)
    for view in ("overview", "patients", "stain", "quality"):
        assert not open_page("data", view=view).exception
    assert not open_page("split").exception


def test_split_stands_before_the_pictures_were_compared(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = "Looking for near-duplicate pictures"
    monkeypatch.setattr(ahead, "preparing", lambda root: True)
    app = open_page("split")
    assert not app.exception and waiting in {caption.value for caption in app.caption}
    monkeypatch.setattr(ahead, "preparing", lambda root: False)
    assert waiting not in {caption.value for caption in app.run().caption}


def test_the_second_visitor_finds_what_the_first_one_made(
    unread: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in ("data", "split"):
        assert not open_page(page).exception

    def again(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    for name in ("table_of", "measure_all", "thumbnail_paths"):
        monkeypatch.setattr(loading, name, again)
    for name in (
        "lymph.charts.data.quiet",
        "pages.shared.data.strips.thumb",
        "lymph.splits.advice",
    ):
        monkeypatch.setattr(name, again)
    for page in ("data", "split"):
        assert not open_page(page).exception


def test_a_turn_is_given_up_once(tiny: DataSet) -> None:
    turn = loading.turn_of((helper.READ, "of this test"))
    with turn.held() as give_up:
        turn.tell(1, 2)
        give_up()
        assert not turn.lock.locked() and (turn.done, turn.total) == (0, 0)
        with turn.held():
            assert turn.lock.locked()
    assert not turn.lock.locked()


def test_what_pages_are_made_of_is_loaded_before_the_first_visit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Regression: thirty who came first waited for one another's imports, two seconds and more."""
    loaded: list[str] = []
    monkeypatch.setattr(ahead, "import_module", loaded.append)
    ahead.load_parts()
    assert {"pages.shared.lessons.scene", "lymph.charts", "pages.shared.loading"} <= set(loaded)
    assert not any("torch" in name for name in loaded)


@pytest.mark.slow
def test_no_page_waits_until_torch_is_loaded() -> None:
    """Regression: what cuts tiles brought torch into the first visit to Train, seconds of it."""
    script = "import sys; from pages.shared.server.ahead import load_parts; load_parts();"
    script += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ahead.ROOT).returncode == 0


def test_torch_is_loaded_after_the_first_page(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: who started the app waited 0.8 s longer for its first words."""
    loaded = threading.Event()
    monkeypatch.setattr(ahead, "_shown", threading.Event())
    monkeypatch.setattr(ahead, "FIRST_VISIT_SECONDS", PATIENCE)
    monkeypatch.setattr(ahead, "load_parts", lambda: None)
    monkeypatch.setattr(ahead, "load_torch", loaded.set)
    beginning = threading.Thread(target=ahead._begin)
    beginning.start()
    assert not loaded.is_set()
    app = open_page("runs")
    assert not app.exception
    assert loaded.wait(PATIENCE)
    beginning.join()


def test_the_front_page_needs_no_torch(tiny: DataSet) -> None:
    """Regression: the drawn examples brought it along, and were there two seconds later."""
    script = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f" app = AppTest.from_file('app.py', default_timeout={PATIENCE}).run();"
        " sys.exit(bool(app.exception) or 'torch' in sys.modules or not app.header)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ahead.ROOT).returncode == 0
