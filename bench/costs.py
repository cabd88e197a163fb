"""What a click costs the server in processor time: ``python -m bench.costs``.

One visitor after the other goes through every page, twice; nothing else asks meanwhile. Seconds on
the clock depend on what else the machine does, processor time hardly does: what a change gains or
costs can be told on a busy machine, too. A class of thirty asks about twelve times a second, so
what takes 40 ms each time takes half of the one processor that Python uses.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

from bench.class_load import PAGES, TITLES, Server, prepare, served
from bench.sessions import Session, visit

# The server's own reckoning counts in hundredths of a second: only means of several tell.
Costs = dict[tuple[str, bool], list[float]]
Click = tuple[str, Awaitable[float]]


async def clicks_on(page: str, session: Session, pictures: list[Path]) -> AsyncIterator[Click]:
    """Yield what is done on a page, each in words and as what asks for it."""
    if page == "data":
        for option in session.options_of("gallery_class"):
            yield "Data: class filter", session.choose("gallery_class", option)
        for option in session.options_of("view"):
            yield "Data: view", session.choose("view", option)
    elif page == "split":
        key = next(key for key in session.widgets if key.startswith("split_by_"))
        for option in session.options_of(key):
            yield "Split: kind of split", session.choose(key, option)
    elif page == "results":
        for key in ("right_0", "wrong_0"):
            yield "Results: pictures of a cell", session.press(key)
    elif page == "classify" and pictures:
        yield "Classify: drop of three", session.drop("classify_upload", pictures)
    elif page == "lessons":
        key = next(key for key in session.widgets if key.startswith("open_"))
        yield "Lessons: open one", session.press(key)


async def go_through(server: Server, costs: Costs, pictures: list[Path], first: bool) -> None:
    """Go through every page twice, and note what each click costs."""

    async def note(what: str, asks: Awaitable[float], cold: bool) -> None:
        before = server.processor_seconds()
        await asks
        costs[what, cold].append(server.processor_seconds() - before)

    async with visit(server.address) as connection:
        session = Session(connection, server.address)
        await note("First page", session.open("data"), first)
        for again in (False, True):
            for page in PAGES:
                await note(TITLES[page], session.go(page), first and not again)
                dropped = [] if again else pictures
                async for what, asks in clicks_on(page, session, dropped):
                    await note(what, asks, first and not again)
        session.pictures.close()
        assert not session.exceptions, session.exceptions


def table(costs: Costs) -> str:
    """Write what was measured as a Markdown table."""
    lines = ["| what | first time on a server, ms | later, ms | of so many |", "|---|---|---|---|"]
    for what in dict.fromkeys(name for name, _ in costs):
        cold, later = (costs.get((what, first), []) for first in (True, False))
        told = [
            f"{1000 * statistics.mean(values):.0f}" if values else "" for values in (cold, later)
        ]
        lines.append(f"| {what} | {' | '.join(told)} | {len(later)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.costs")
    parser.add_argument("--visitors", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["LYMPH_HOME"] = place
        preparing = multiprocessing.get_context("spawn").Process(target=prepare, args=(place,))
        preparing.start()
        preparing.join()
        pictures = sorted((Path(place) / "data" / "demonstration").rglob("sj-*"))
        costs: Costs = defaultdict(list)
        with served(Path(place)) as server:
            for number in range(options.visitors):
                dropped = pictures[3 * number : 3 * number + 3]
                asyncio.run(go_through(server, costs, dropped, number == 0))
    print(table(costs))
    later = [one for (_, first), values in costs.items() if not first for one in values]
    print(f"\nLater, on the whole: {1000 * statistics.mean(later):.0f} ms of {len(later)} clicks.")


if __name__ == "__main__":
    main()
