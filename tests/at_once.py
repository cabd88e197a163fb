"""Many processes that do the same at one moment, as a class does at one server or several."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.waiting import PATIENCE

CLASS = 30


def at_once(work: Callable[[int], object], count: int = CLASS) -> list[int]:
    """Call ``work(0)`` to ``work(count - 1)`` in as many processes, and return how each ended.

    0 stands for a return, 1 for an exception, -9 for a process that was killed.
    """
    forking = multiprocessing.get_context("fork")
    together = forking.Barrier(count)

    def begin(number: int) -> None:
        together.wait()
        try:
            work(number)
        except Exception:
            os._exit(1)
        # Nothing of the test's own process is wound up here.
        os._exit(0)

    processes = [forking.Process(target=begin, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    return [process.exitcode for process in processes]


@contextmanager
def repeated(beside: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread again and again, as another visitor, as long as this lasts."""
    done = threading.Event()

    def go_on() -> None:
        while not done.is_set():
            beside()

    with ThreadPoolExecutor(1) as other:
        going = other.submit(go_on)
        try:
            yield
        finally:
            done.set()
        going.result()
