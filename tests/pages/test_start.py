"""Start: who has never seen lymph reads what it is, and has three doors."""

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lymph.data import sources
from lymph.evaluation import report
from lymph.runs import HONEST, LEAKY, ready_run, shown_first, take_in_ready_runs
from lymph.synthetic import camera
from pages.shared.frame import plain
from tests.waiting import PATIENCE

from .conftest import APP, OpenPage


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let the drawing of the demonstration set begin, and not go on; return what was started."""
    started: list[list[str]] = []
    monkeypatch.setattr(sources, "start_python", lambda arguments, _: started.append(arguments))
    return started


def accuracy(name: str) -> str:
    return f"{100 * report(ready_run(name).predictions())['pictures']['accuracy']:.0f} %"


def test_a_fresh_workspace_opens_with_three_doors(begun: list[list[str]]) -> None:
    """Nobody waits for the drawing, which begins once; the figures are those of the runs."""
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE).run()
    assert not app.exception
    assert app.title[0].value == "lymph"
    doors = [door.value for door in app.header]
    assert doors[:3] == [
        "Drop a picture",
        plain(f"See why {accuracy(LEAKY)} became {accuracy(HONEST)}"),
        "Use my own folder",
    ]
    app.run()
    assert begun == [["-m", "lymph.data.drawing", *shown_first()]]


def test_a_drawing_that_died_with_its_server_is_begun_again(begun: list[list[str]]) -> None:
    """Regression: Start showed 0 of 374 for ever."""
    sources.begin_demonstration()
    assert sources.demo_listed() and len(begun) == 1
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE).run()
    app.run()
    assert not app.exception
    assert len(begun) == 2


@pytest.mark.parametrize("name", ["classify", "results", "runs", "lessons"])
@pytest.mark.parametrize("stage", [{}, {"stage": "1"}])
def test_who_goes_on_while_the_set_is_drawn_reads_no_error(
    begun: list[list[str]], open_page: OpenPage, name: str, stage: dict[str, str]
) -> None:
    """Regression: Lessons said that there is no folder, for as long as the drawing took."""
    sources.begin_demonstration()
    app = open_page(name, **stage)
    assert not app.exception and not app.error
    if name == "lessons":
        assert sum((button.key or "").startswith("open_") for button in app.button) == 14
    assert not sources.demo_ready()


CELL = ["CLL", "MCL"]


@pytest.mark.parametrize(
    "query", [{"cell": CELL}, {"run": LEAKY, "view": "twins", "cell": CELL, "of": LEAKY}]
)
def test_results_stand_before_the_set_is_drawn_and_say_the_same_after(
    begun: list[list[str]],
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, str | list[str]],
) -> None:
    """Regression: the first matrix came when all 374 pictures were there, 21.7 s after the click.

    Only the addresses of pictures are others afterwards.
    """
    take_in_ready_runs(sources.demo_folder())
    sources.begin_demonstration()
    early = open_page("results", **query)
    assert not early.exception and not early.error and not early.warning
    assert not sources.demo_ready()
    white = np.full((3, 4, 3), 255, dtype=np.uint8)
    monkeypatch.setattr(camera, "draw_picture", lambda *_: white)
    sources.make_demonstration()
    late = open_page("results", **query)
    assert words_of(early) == words_of(late)
    assert any("called MCL: " in words for words in words_of(late)), "the cell's pictures"


def words_of(app: AppTest) -> list[str]:
    """Return all words on a page, without the addresses of its pictures."""
    assert not app.exception and not app.error
    shown = [*app.title, *app.header, *app.caption, *app.markdown]
    return [element.value for element in shown] + [
        re.sub(r'src="[^"]*"', "", element.proto.body) for element in app.get("html")
    ]


def test_the_drawn_examples_are_answered_before_the_set_is_drawn(begun: list[list[str]]) -> None:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE).run()
    app.button(key="start_examples").click().run()
    assert not app.exception
    assert app.title[0].value == "What does the model say about a new picture?"
    assert len(app.get("image")) + len(app.get("imgs")) >= 3
    assert not sources.demo_ready()


def test_who_has_a_set_of_their_own_sees_no_drawing(
    begun: list[list[str]], tiny_root: Path
) -> None:
    sources.add_folder(tiny_root)
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE).run()
    assert not app.exception
    assert begun == []
    assert [door.value for door in app.header][1] == "See how a leak inflates accuracy"
