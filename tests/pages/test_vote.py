"""The vote of a class: what phones see, and what the lecturer's page shows."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lymph.classroom.settings import ClassSettings
from lymph.classroom.votes import guess, open_vote, vote_on
from lymph.classroom.who import join, visitor_of
from lymph.data.sources import DataSet
from lymph.lessons.catalogue import lesson_of
from pages.shared import visitor
from tests.waiting import PATIENCE

from .conftest import APP, OpenPage, words

LESSON = lesson_of("leak")


@pytest.fixture
def lecturer(
    in_class: Callable[..., ClassSettings], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Return a function that makes who opens the next page the lecturer; before, it is a phone."""
    settings = in_class()
    monkeypatch.setattr(visitor, "_token", lambda: "token of a phone")
    join(visitor_of("token of the lecturer"), "Dr. Meier", settings.key)
    return lambda: monkeypatch.setattr(visitor, "_token", lambda: "token of the lecturer")


def open_vote_page() -> AppTest:
    return (
        AppTest.from_file(str(APP), default_timeout=PATIENCE)
        .run()
        .switch_page("pages/vote.py")
        .run()
    )


def test_without_a_class_the_vote_says_how_to_start_one(tiny: DataSet) -> None:
    app = open_vote_page()
    assert not app.exception and "python -m lymph serve" in words(app)


def test_a_phone_guesses_without_a_name_and_changes_its_mind(
    lecturer: Callable[[], None], tiny: DataSet
) -> None:
    app = open_vote_page()
    assert app.title[0].value == "The vote has not begun" and not app.button
    open_vote(visitor_of("token of the lecturer"), LESSON.slug)
    app.run()
    assert app.title[0].value == LESSON.question and len(app.button) == len(LESSON.choices)
    for place in (0, 2):
        app.button(key=f"vote_leak_{place}").click().run()
    assert "You guessed C." in words(app)
    assert vote_on(visitor_of("token of a phone"), "leak", 3).counts == (0, 0, 1)


def test_the_lecturer_opens_shows_the_bars_and_clears(
    lecturer: Callable[[], None], tiny: DataSet, open_page: OpenPage
) -> None:
    lecturer()
    app = open_page("lessons", lesson="leak", slide="2", stage="1")
    app.button(key="vote_open").click().run()
    assert not app.exception and len(app.get("image")) == 1
    guess(visitor_of("token of a phone"), "leak", 1, 3)
    app.button(key="vote_close").click().run()
    bars = [one.proto.body for one in app.get("html") if one.proto.body.startswith("<ul")]
    assert len(bars) == 1 and "100 %" in bars[0]
    app.button(key="vote_clear").click().run()
    assert app.button(key="vote_open") and app.button(key="guess_leak_0")
