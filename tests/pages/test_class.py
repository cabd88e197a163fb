"""A class at one server: nobody's click is lost, and everyone follows what is theirs."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from lymph import runs
from lymph.classroom.owners import owner_names
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import join, visitor_of
from lymph.data.sources import DataSet
from pages.shared import loading
from tests.waiting import PATIENCE

from .visitors import QUEUED, served, visit

VISITORS = 30


def test_thirty_presses_are_thirty_runs_and_each_visitor_follows_their_own(
    unread: DataSet, tmp_path: Path
) -> None:
    """Regression: fourteen made a run, sixteen saw another's run in place of the form."""
    together = threading.Barrier(VISITORS)

    def press_start(address: str) -> tuple[str, list[str]]:
        with visit(address, "train") as visitor:
            assert visitor.run == ""
            together.wait()
            visitor.press("start_training")
            return visitor.run, visitor.exceptions

    with served(tmp_path / "log.txt") as address, ThreadPoolExecutor(VISITORS) as class_:
        told = list(class_.map(press_start, [address] * VISITORS))
    followed = [run for run, _ in told]
    assert [problems for _, problems in told] == [[]] * VISITORS
    assert "" not in followed and len(set(followed)) == VISITORS
    records = runs.read_catalogue().records
    assert {record.id for record in records} == set(followed)
    assert {record.status.state for record in records} == {"queued"}


def test_each_of_a_class_has_three_jobs_of_their_own_and_no_fourth(
    tiny: DataSet, tmp_path: Path, in_class: Callable[..., ClassSettings]
) -> None:
    """Four at once, each pressing four times in a browser that keeps who it is."""
    in_class()
    tokens = {f"{'a' * 40}{number}": f"Visitor {number}" for number in range(4)}
    for token, name in tokens.items():
        join(visitor_of(token), name)

    def press_four_times(address: str, token: str) -> tuple[list[str], list[str], list[str]]:
        with visit(address, "train", token) as visitor:
            followed = []
            for _ in range(4):
                visitor.press("start_training")
                followed.append(visitor.run)
            return followed, visitor.alerts, visitor.exceptions

    with served(tmp_path / "log.txt", QUEUED) as address, ThreadPoolExecutor(4) as class_:
        told = list(class_.map(press_four_times, [address] * 4, tokens))
    names = owner_names()
    for (followed, alerts, problems), name in zip(told, tokens.values(), strict=True):
        assert problems == [] and len(set(followed)) == 3 and followed[2] == followed[3]
        assert {names[f"runs/{run}"] for run in followed} == {name}
        assert any("one running and two waiting" in alert for alert in alerts)
    assert len(names) == 12 == len(runs.list_runs())


def test_who_waits_for_anothers_reading_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: what each of thirty visitors read or measured was read thirty times at once."""
    seen: queue.Queue[tuple[int, int]] = queue.Queue()

    @contextmanager
    def bar(_: str) -> Iterator[loading.Progress]:
        yield lambda done, total: seen.put((done, total))

    monkeypatch.setattr(loading, "progress_bar", bar)
    order: list[str] = []

    def second() -> None:
        with loading.in_turn("Reading pictures", ("read", "a folder")):
            order.append("second")

    with loading.in_turn("Reading pictures", ("read", "a folder")) as tell:
        tell(3, 10)
        assert seen.get(timeout=PATIENCE) == (3, 10)
        visitor = threading.Thread(target=second)
        visitor.start()
        assert seen.get(timeout=PATIENCE) == (3, 10)
        order.append("first")
    visitor.join(PATIENCE)
    assert order == ["first", "second"]
