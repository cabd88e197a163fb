"""Two servers on one workspace, as of a lecturer and an assistant: one class, one queue."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lymph import runs
from lymph.classroom.settings import ClassSettings
from lymph.classroom.votes import vote_on
from lymph.classroom.who import join, visitor_of
from lymph.data import sources
from lymph.data.exclusions import exclude
from lymph.data.sources import DataSet
from lymph.jobs import queue

from .test_kills import kill
from .visitors import QUEUED, Visitor, served, visit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills so here"),
]
LECTURER, ANNA = "l" * 40, "a" * 40


@contextmanager
def two_servers(home: Path) -> Iterator[tuple[str, str]]:
    """Serve the workspace twice, and see that neither had anything to complain of."""
    logs = [home / f"log-{number}.txt" for number in (1, 2)]
    with ExitStack() as stack:
        yield tuple(stack.enter_context(served(log, QUEUED)) for log in logs)
    assert not any("Traceback" in log.read_text() for log in logs)


def stands(visitor: Visitor, words: str) -> bool:
    """Tell whether words stand on a page when it is looked at again; nothing may go wrong on it."""
    found = any(words in text for text in visitor.look_again())
    assert visitor.exceptions == []
    return found


def test_runs_of_two_servers_wait_in_one_queue_and_outlive_either(
    tiny: DataSet, tmp_path: Path
) -> None:
    """Stranger: a second server is started on the workspace, and the first one is killed."""
    with two_servers(tmp_path) as (one, two):
        with visit(one, "train") as first, visit(two, "train") as second:
            first.press("start_training")
            assert stands(second, "1 run ahead of a new one")
            second.press("start_training")
            assert first.run and second.run and first.run != second.run
            # The one that was started first stands before the other, whoever asks.
            assert stands(second, "1. Small CNN") and not stands(first, "1. Small CNN")
            assert [job.folder.name for job in queue.going()] == [first.run, second.run]
            kill(one)
        with visit(two, "train", query=f"run={first.run}") as other:
            assert other.run == first.run
            other.press("stop_run")
            assert other.exceptions == []
        assert (runs.open_run(first.run).path / "stop").exists()
        with visit(two, "train") as third:
            third.press("start_training")
            assert third.run and third.alerts == []
    assert len(runs.read_catalogue().records) == 3 == len(queue.going())


def test_what_another_process_excludes_and_adds_stands_at_both_servers(
    make_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    """Stranger: what a page has read before is kept in the memory of each server."""
    root = make_tiny("first")
    sources.add_folder(root)
    with two_servers(tmp_path) as (one, two), visit(one, "data") as first:
        with visit(two, "data") as second:
            assert stands(first, "Excluded 0") and stands(second, "Excluded 0")
            picture = sorted(root.rglob("*.png"))[0].relative_to(root).as_posix()
            exclude(root, {picture: "blurred"})
            assert stands(first, "Excluded 1") and stands(second, "Excluded 1")
        sources.add_folder(make_tiny("later", pictures=2))
        for address in (one, two):
            with visit(address, "data", query="data=later") as visitor:
                assert stands(visitor, "Pictures 24")


def test_a_vote_that_one_server_opens_is_counted_at_the_other(
    tiny: DataSet, tmp_path: Path, in_class: Callable[..., ClassSettings]
) -> None:
    """Stranger: half of the class has the address of the other server."""
    settings = in_class()
    join(visitor_of(LECTURER), "Lecturer", settings.key)
    join(visitor_of(ANNA), "Anna")
    with two_servers(tmp_path) as (one, two), ExitStack() as visits:
        lecturer = visits.enter_context(visit(one, "lessons", LECTURER, "lesson=leak"))
        with visit(two, "vote", ANNA) as anna:
            assert stands(anna, "Keep this page open")
            lecturer.press("vote_open")
            anna.look_again()
            anna.press("vote_leak_0")
            assert stands(anna, "You guessed A")
        assert stands(lecturer, "<b>1</b> guess")
        kill(two)
        lecturer.press("vote_close")
        assert lecturer.exceptions == []
    vote = vote_on(visitor_of(ANNA), "leak", 3)
    assert vote is not None and not vote.open and vote.own == 0 and vote.total == 1


def test_nothing_of_the_workspace_is_held_by_a_server_that_was_killed(
    tiny: DataSet, tmp_path: Path
) -> None:
    """Stranger: both servers are killed, one is started, and all is as it was."""
    with two_servers(tmp_path) as (one, two), visit(one, "train") as visitor:
        visitor.press("start_training")
        started = visitor.run
        for address in (one, two):
            kill(address)
    with served(tmp_path / "next.txt", QUEUED) as address, visit(address, "train") as visitor:
        assert stands(visitor, "1 run ahead of a new one")
        visitor.press("start_training")
        assert {record.id for record in runs.read_catalogue().records} == {started, visitor.run}
    assert "Traceback" not in (tmp_path / "next.txt").read_text()
