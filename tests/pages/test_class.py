"""A class at one server: nobody's click is lost, and everyone follows what is theirs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lymph import runs
from lymph.data.sources import DataSet

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
