"""A class at one server: nobody's click is lost, and everyone follows what is theirs."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from lymph import runs
from lymph.data.sources import DataSet
from pages.shared import loading

from .visitors import served, visit

VISITORS = 30


def test_thirty_presses_are_thirty_runs_and_each_visitor_follows_their_own(
    tiny: DataSet, tmp_path: Path
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
        assert seen.get(timeout=30) == (3, 10)
        visitor = threading.Thread(target=second)
        visitor.start()
        assert seen.get(timeout=30) == (3, 10)
        order.append("first")
    visitor.join(30)
    assert order == ["first", "second"]
