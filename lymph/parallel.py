"""Reading many files at once: Pillow decodes outside Python's lock, so threads are enough."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]


def map_in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Result]:
    """Yield ``work(item)`` in the order of ``items``; ``progress(done, total)`` follows it.

    Only a few results wait at any time, so memory does not grow with the number of items. Many
    items go to the threads in small packs, since handing each over costs as much as a small file.
    """
    workers = max(2, os.cpu_count() or 1)
    size = max(1, min(32, len(items) // 1000))
    packs = [items[start : start + size] for start in range(0, len(items), size)]
    done = 0
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[list[Result]]] = deque()
        for pack in packs[: 4 * workers]:
            pending.append(pool.submit(_work_all, work, pack))
        for following in range(4 * workers, len(packs) + 4 * workers):
            if not pending:
                break
            results = pending.popleft().result()
            if following < len(packs):
                pending.append(pool.submit(_work_all, work, packs[following]))
            for result in results:
                done += 1
                if progress:
                    progress(done, len(items))
                yield result


def _work_all(work: Callable[[Item], Result], pack: Sequence[Item]) -> list[Result]:
    return [work(item) for item in pack]
