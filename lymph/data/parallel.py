"""Reading many files at once: Pillow decodes outside Python's lock, so threads are enough."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]


def map_in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Result]:
    """Yield ``work(item)`` in the order of ``items``; ``progress(done, total)`` follows it.

    Only a few results wait at any time, so memory does not grow with the number of items.
    """
    workers = max(2, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(work, item) for item in items[: 4 * workers]]
        for done in range(len(items)):
            result = pending[done].result()
            pending[done] = None  # type: ignore[call-overload]
            if (following := done + 4 * workers) < len(items):
                pending.append(pool.submit(work, items[following]))
            if progress:
                progress(done + 1, len(items))
            yield result
