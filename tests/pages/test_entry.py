"""A class that clicks at one moment comes in one after the other, and nobody is kept out."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.shared.server.entry import Entry
from tests.waiting import PATIENCE

FOR_EVER = 1000.0


def test_of_thirty_at_once_as_many_are_within_as_there_are_places() -> None:
    entry, within, most, counting = Entry(3, FOR_EVER), set(), [], threading.Lock()
    three_within = threading.Barrier(3, timeout=PATIENCE)

    def come(visitor: int) -> None:
        with entry.passed():
            with counting:
                within.add(visitor)
                most.append(len(within))
            three_within.wait()
            with counting:
                within.remove(visitor)

    with ThreadPoolExecutor(30) as class_:
        list(class_.map(come, range(30)))
    assert len(most) == 30 and max(most) == 3


def test_who_takes_long_keeps_nobody_out() -> None:
    """A visitor whose pictures are read for minutes stands in no other's way."""
    entry, done = Entry(1, 0.05), threading.Event()

    def read_pictures() -> None:
        with entry.passed():
            began.set()
            assert done.wait(PATIENCE)

    began = threading.Event()
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(read_pictures)
        assert began.wait(PATIENCE)
        with entry.passed():
            assert not reading.done()
            done.set()
        reading.result(60)


def test_a_page_that_fails_leaves_its_place() -> None:
    entry = Entry(1, FOR_EVER)
    with pytest.raises(KeyError), entry.passed():
        raise KeyError
    with entry.passed():
        pass


def test_two_who_come_in_the_same_instant_leave_one_place_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their places end at the same time; neither may take the other's along."""
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    entry = Entry(2, FOR_EVER)
    with entry.passed():
        with entry.passed():
            pass
        assert entry._ends == [5.0 + FOR_EVER]
    assert entry._ends == []
