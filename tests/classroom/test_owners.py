"""Whose things are, in the database that all share."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lymph import workspace as places
from lymph.classroom import who as who_asks
from lymph.classroom.owners import may_change, own, owner_names, owner_of, owners
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import Visitor, join, visitor_of
from lymph.database import file
from tests.test_database import held


def test_without_a_class_nothing_is_written(workspace: Path) -> None:
    who = visitor_of("any token")
    own(who, workspace / "runs" / "one")
    assert who.free and who.may_all and may_change(who, workspace / "runs" / "one")
    assert not file().exists()


def test_without_a_database_nobody_is_known(settings: ClassSettings, workspace: Path) -> None:
    """All there is is the lecturer's."""
    (workspace / "runs" / "old").mkdir(parents=True)
    assert visitor_of("a token").name == "" and owners() == owner_names() == {}
    assert owner_of(workspace / "runs" / "old") == "" and not file().exists()


def test_thirty_names_and_runs_at_once_are_all_kept(settings: ClassSettings) -> None:
    def come(number: int) -> Visitor:
        who = join(visitor_of(f"token {number}"), "Anna")
        own(who, places.runs_home() / f"{number}")
        return who

    with ThreadPoolExecutor(30) as class_:
        visitors = list(class_.map(come, range(30)))
    assert len({who.name for who in visitors}) == 30, "names tell people apart"
    assert owners() == {f"runs/{number}": who.id for number, who in enumerate(visitors)}


def test_who_is_seen_while_another_writes_goes_on(
    anna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That somebody was seen is not worth a wait."""
    monkeypatch.setattr(who_asks, "SEEN_SECONDS", -1.0)
    with held(monkeypatch):
        assert visitor_of("token of anna").name == "Anna"
