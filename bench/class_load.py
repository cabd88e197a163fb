"""Thirty visitors at one server: ``make bench-class``.

A fresh server on a fresh workspace, whose demonstration set is drawn already and whose one run has
been trained, both before the clock starts; nothing of the pictures is cached. Twenty-six visitors
come over the app's own websocket, four in a real Chromium. For 80 seconds each goes from page to
page, with 1 to 4 seconds to read in between; each drops three pictures, six start a training, one
runs a lesson. Then all leave. A second fresh server gets thirty at one moment. Three more are asked
for Train in the moment in which they answer at all.

All share this machine's processors: visitors, browsers, the trainings and the server. Laptops bring
processors of their own, and four browsers that load a first page keep two processors busy for ten
seconds: here they have the priority of a training. A session's seconds end when the server has sent
the whole page and its pictures; a browser's when both are drawn.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.async_api import Browser, Page, async_playwright

from bench.serving import serving
from bench.sessions import PATIENCE_SECONDS, Session, visit
from lymph.jobs.priority import TRAININGS_NICE

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")

THINK_SECONDS = (1.0, 4.0)
LESSON = "broadcast"
PAGES = ("data", "split", "train", "results", "runs", "classify", "lessons")
TITLES = {page: page.capitalize() for page in PAGES}
# Streamlit keeps a visit that has ended for two minutes; here for less, to see what is freed.
KEPT_SECONDS = 10
# Seconds for a server to load what it loads by itself.
SETTLE_SECONDS = 60.0
P95_SECONDS, MOST_SECONDS, MOST_BYTES, MOST_LEFT = 2.0, 5.0, 1.5e9, 200e6
WORDS_OF_TROUBLE = re.compile(r"error|exception|traceback|warning", re.IGNORECASE)

# Tells when the page begins to change, then waits until it stands with all its pictures.
WATCH = """() => {
    const app = document.querySelector("[data-testid='stApp']");
    window.began = new Promise(resolve => {
        const watcher = new MutationObserver(() => {
            if (app.dataset.testScriptState !== "notRunning") {
                watcher.disconnect();
                resolve();
            }
        });
        watcher.observe(app, { attributes: true });
        setTimeout(resolve, 3000);
    });
}"""
STANDS = """() => document.querySelector("[data-testid='stApp']")?.dataset.testScriptState
    === "notRunning" && [...document.querySelectorAll("[data-testid='stMain'] img")]
    .every(image => image.complete)"""


@dataclass
class Seen:
    """What the visitors saw: seconds by who asked and for what, and what went wrong."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    exceptions: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, who: str, what: str, seconds: float) -> None:
        self.seconds[who, what].append(seconds)


def processor_seconds(process: psutil.Process) -> float:
    """Return the seconds that a process has had a processor; 0 of one that is gone."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.Error:
        return 0.0


@dataclass
class Server:
    """A server under load: its process, address and log, and what it used meanwhile."""

    process: psutil.Process
    address: str
    log: Path
    peak: int = 0

    settled: float = 0.0

    def memory(self) -> int:
        return self.process.memory_info().rss

    def processor_seconds(self) -> float:
        return processor_seconds(self.process)

    def processor_seconds_of_visitors(self) -> float:
        """Return what this process and its browser took, and nothing that the server started."""
        own = psutil.Process()
        children = {*own.children(recursive=True)} - {*self.process.children(recursive=True)}
        return sum(map(processor_seconds, [own, *children - {self.process}]))

    def trouble(self) -> list[str]:
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if WORDS_OF_TROUBLE.search(line)]


def prepare(home: str) -> None:
    """Draw the demonstration set and train a small model on it; run in a process of its own."""
    os.environ["LYMPH_HOME"] = home
    from lymph import workspace
    from lymph.data.source import PictureSource
    from lymph.data.sources import make_demonstration
    from lymph.runs import create_run, train_here
    from lymph.splits import split_by_patient
    from lymph.training.config import TrainConfig

    root = make_demonstration().path
    split = split_by_patient(PictureSource(str(root)).usable())
    ended = train_here(create_run(TrainConfig(PictureSource(str(root)), epochs=2), split))
    assert ended.state == "finished", ended.error
    shutil.rmtree(workspace.cache_home())


@contextmanager
def served(home: Path) -> Iterator[Server]:
    """Start a fresh server on a workspace, with nothing cached, and wait until it is at rest."""
    shutil.rmtree(home / "cache", ignore_errors=True)
    log = home / f"log-{time.time_ns()}.txt"
    options = [f"--server.disconnectedSessionTTL={KEPT_SECONDS}"]
    with log.open("w") as out, serving(home, options, out) as (process, address):
        server = Server(psutil.Process(process.pid), address, log)
        healthy = time.monotonic()
        _wait_until_at_rest(server)
        server.settled = time.monotonic() - healthy
        yield server
        helpers = server.process.children(recursive=True)
    psutil.wait_procs(helpers, 60)


def _wait_until_at_rest(server: Server) -> None:
    """Wait while the server and its helpers load and measure what they do by themselves."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        before = server.processor_seconds()
        time.sleep(1.0)
        if server.processor_seconds() - before < 0.1 and not server.process.children():
            return


# ---- over the websocket ------------------------------------------------------------------------


@dataclass
class Plan:
    """What one visitor does besides looking around."""

    name: int
    chance: random.Random
    trains: bool = False
    runs_lesson: bool = False
    drops: bool = True

    def pause(self) -> float:
        return self.chance.uniform(*THINK_SECONDS)

    def pages(self) -> Iterator[str]:
        """Yield every page again and again, in another order each time."""
        while True:
            yield from self.chance.sample(PAGES, len(PAGES))


async def wander(
    session: Session, plan: Plan, pictures: list[Path], seen: Seen, until: float
) -> None:
    """Go from page to page and click on each, until the time is over."""
    who = "session"

    async def pause() -> bool:
        for seconds in await session.think(plan.pause()):
            seen.add(who, "A run followed, one look", seconds)
        return time.monotonic() < until

    await asyncio.sleep(plan.pause())
    seen.add(who, "First page", await session.open("data"))
    for page in plan.pages():
        if not await pause():
            return
        seen.add(who, TITLES[page], await session.go(page))
        if not await pause():
            return
        if page == "data":
            await look_at_data(session, plan, seen, pause)
        elif page == "split":
            key = next(key for key in session.widgets if key.startswith("split_by_"))
            option = plan.chance.choice(session.options_of(key))
            seen.add(who, "Split: kind of split", await session.choose(key, option))
        elif page == "train" and plan.trains:
            plan.trains = False
            seen.add(who, "Train: start", await session.press("start_training"))
        elif page == "results":
            key = plan.chance.choice(("right_0", "wrong_0"))
            seen.add(who, "Results: pictures of a cell", await session.press(key))
        elif page == "classify" and plan.drops:
            plan.drops = False
            dropped = plan.chance.sample(pictures, 3)
            seen.add(who, "Classify: drop of three", await session.drop("classify_upload", dropped))
        elif page == "lessons":
            await look_at_lesson(session, plan, seen, pause)


async def look_at_data(session: Session, plan: Plan, seen: Seen, pause) -> None:  # noqa: ANN001
    """Filter by a class, then look at another view."""
    if classes := session.options_of("gallery_class"):
        option = plan.chance.choice(classes)
        seen.add("session", "Data: class filter", await session.choose("gallery_class", option))
    if await pause():
        option = plan.chance.choice(session.options_of("view"))
        seen.add("session", "Data: view", await session.choose("view", option))


async def look_at_lesson(session: Session, plan: Plan, seen: Seen, pause) -> None:  # noqa: ANN001
    """Open a lesson; the one who runs it guesses, goes on and starts it."""
    key = plan.chance.choice([key for key in session.widgets if key.startswith("open_")])
    if plan.runs_lesson:
        key = f"open_{LESSON}"
    seen.add("session", "Lessons: open one", await session.press(key))
    if plan.runs_lesson and await pause():
        plan.runs_lesson = False
        await session.press(f"guess_{LESSON}_0")
        await session.press("next")
        seen.add("session", "Lessons: run it", await session.press("run_lesson"))


# ---- in a browser ------------------------------------------------------------------------------


async def timed(page: Page, act) -> float:  # noqa: ANN001 - an action to await
    """Return the seconds from an action until the page and its pictures stand."""
    await page.evaluate(WATCH)
    started = time.perf_counter()
    await act()
    await page.evaluate("() => window.began")
    await page.wait_for_function(STANDS)
    return time.perf_counter() - started


async def wander_in_browser(
    page: Page, plan: Plan, pictures: list[Path], seen: Seen, address: str, until: float
) -> None:
    """Go from page to page and click on each, until the time is over."""
    who = "browser"

    async def click(what: str, selector: str) -> None:
        found = page.locator(selector)
        if count := await found.count():
            one = found.nth(plan.chance.randrange(count))
            seen.add(who, what, await timed(page, one.click))

    async def pause() -> bool:
        await page.wait_for_timeout(1000 * plan.pause())
        return time.monotonic() < until

    await page.wait_for_timeout(1000 * plan.pause())
    started = time.perf_counter()
    await page.goto(f"{address}/data")
    await page.locator(".st-key-data_numbers").wait_for()
    await page.wait_for_function(STANDS)
    seen.add(who, "First page", time.perf_counter() - started)
    for place in plan.pages():
        if not await pause():
            return
        link = page.locator("[data-testid='stSidebarNavLink']", has_text=TITLES[place])
        seen.add(who, TITLES[place], await timed(page, link.click))
        if not await pause():
            return
        if place == "data":
            await click("Data: class filter", ".st-key-gallery_class button")
        elif place == "split":
            option = "[class*='st-key-split_by_'] [data-testid=stRadioOption]"
            await click("Split: kind of split", option)
        elif place == "results":
            await click("Results: pictures of a cell", "td.cell")
        elif place == "classify" and plan.drops:
            plan.drops = False
            seen.add(who, "Classify: drop of three", await drop(page, plan, pictures))
        elif place == "lessons":
            await click("Lessons: open one", "[class*='st-key-open_'] button")


async def drop(page: Page, plan: Plan, pictures: list[Path]) -> float:
    """Drop three pictures, and return the seconds until the third is answered."""
    dropped = plan.chance.sample(pictures, 3)
    area = page.locator(".st-key-classify_upload input[type=file]")

    async def act() -> None:
        await area.set_input_files(dropped)
        await page.locator(".st-key-answer_2 img").first.wait_for()

    return await timed(page, act)


def modest_browser(home: Path) -> Path:
    """Write a command that starts a browser, in the session it is given, and lets it give way."""
    command = home / "browser"
    nice = TRAININGS_NICE
    session = f"[ -w /proc/self/autogroup ] && echo {nice} > /proc/self/autogroup"
    command.write_text(f'#!/bin/sh\n{session}\nexec nice -n {nice} "{CHROMIUM}" "$@"\n')
    command.chmod(0o755)
    return command


@asynccontextmanager
async def pages_of(browser: Browser, count: int, seen: Seen) -> AsyncIterator[list[Page]]:
    """Open pages of visitors who share nothing, and note what their consoles say."""
    opened = []
    for _ in range(count):
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        page = await context.new_page()
        page.on(
            "console",
            lambda told: (
                seen.console.append(f"{told.text} {told.location.get('url', '')}")
                if told.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: seen.console.append(str(error)))
        opened.append(page)
    yield opened
    for page in opened:
        await page.context.close()


# ---- a class -----------------------------------------------------------------------------------


@contextmanager
def told_in(seen: Seen, plan: Plan) -> Iterator[None]:
    """Note what a visitor could not do; the others go on."""
    try:
        yield
    except Exception as error:
        seen.exceptions.append(f"visitor {plan.name}: {error!r}")


async def watch_memory(server: Server) -> None:
    while True:
        server.peak = max(server.peak, server.memory())
        await asyncio.sleep(0.5)


async def class_at_work(server: Server, options: argparse.Namespace, home: Path, seen: Seen) -> str:
    """Let a class work at a server and leave; return what it used, in words."""
    started = server.memory()
    pictures = sorted((home / "data" / "demonstration").rglob("sj-*"))
    plans = [
        Plan(name, random.Random(name), name < 6, name == 6) for name in range(options.visitors)
    ]
    until = time.monotonic() + options.seconds

    async def one_session(plan: Plan) -> None:
        async with visit(server.address) as connection:
            session = Session(connection, server.address)
            with told_in(seen, plan):
                await wander(session, plan, pictures, seen, until)
            session.pictures.close()
            seen.exceptions.extend(session.exceptions)

    async def one_browser(page: Page, plan: Plan) -> None:
        with told_in(seen, plan):
            await wander_in_browser(page, plan, pictures, seen, server.address, until)

    async with async_playwright() as play, asyncio.TaskGroup() as group:
        watching = group.create_task(watch_memory(server))
        browser = await play.chromium.launch(
            executable_path=modest_browser(home), args=CHROMIUM_OPTIONS
        )
        async with pages_of(browser, options.browsers, seen) as pages:
            psutil.cpu_percent()
            clock = time.monotonic()
            used, visitors = server.processor_seconds(), server.processor_seconds_of_visitors()
            sessions = plans[: options.visitors - options.browsers]
            rest = zip(pages, plans[len(sessions) :], strict=True)
            await asyncio.gather(
                *map(one_session, sessions),
                *(one_browser(page, plan) for page, plan in rest),
            )
            busy = psutil.cpu_percent()
            clock = time.monotonic() - clock
            used = server.processor_seconds() - used
            visitors = server.processor_seconds_of_visitors() - visitors
        await browser.close()
        await asyncio.to_thread(stop_jobs, home)
        await asyncio.sleep(KEPT_SECONDS + 5)
        watching.cancel()
    left = server.memory()
    if server.peak > MOST_BYTES:
        seen.missed.append("memory at its peak")
    if left - started > MOST_LEFT:
        seen.missed.append("memory after all had left")
    count = sum(len(values) for values in seen.seconds.values())
    return (
        f"The server was at rest {server.settled:.0f} s after it answered. Its memory:"
        f" {started / 1e6:,.0f} MB then, {server.peak / 1e6:,.0f} MB at its peak,"
        f" {left / 1e6:,.0f} MB after all had left. Of {os.cpu_count()} processors for"
        f" {clock:.0f} s, {busy:.0f} % busy, the server took {used:.0f} s"
        f" ({1000 * used / count:.0f} ms for each of {count} interactions), the visitors and their"
        f" browsers {visitors:.0f} s."
    )


async def all_at_once(server: Server, options: argparse.Namespace, seen: Seen) -> None:
    """Let everybody open Train on a fresh server at one moment, then press Start at one."""
    door, ready = asyncio.Barrier(options.visitors), asyncio.Barrier(options.visitors)

    async def press() -> None:
        async with visit(server.address) as connection:
            session = Session(connection, server.address)
            await door.wait()
            seen.add("session", "All at once: open Train", await session.open("train"))
            await ready.wait()
            seen.add("session", "All at once: start", await session.press("start_training"))
            session.pictures.close()
            seen.exceptions.extend(session.exceptions)

    await asyncio.gather(*(press() for _ in range(options.visitors)))


def first_visit(home: Path, seen: Seen) -> None:
    """Open Train at a server that has just begun to answer and still loads what it needs."""

    async def open_train(address: str) -> None:
        async with visit(address) as connection:
            session = Session(connection, address)
            seen.add("session", "Train at a starting server", await session.open("train"))
            session.pictures.close()
            seen.exceptions.extend(session.exceptions)

    with serving(home) as (process, address):
        asyncio.run(open_train(address))
        helpers = psutil.Process(process.pid).children(recursive=True)
    psutil.wait_procs(helpers, 60)


def stop_jobs(home: Path) -> None:
    """Stop all that trains or waits, and wait until no process of it is left."""
    from lymph.jobs import queue
    from lymph.jobs.files import STOP

    os.environ["LYMPH_HOME"] = str(home)
    for job in queue.going():
        (job.folder / STOP).touch()
    end = time.monotonic() + 60
    while queue.going() and time.monotonic() < end:
        time.sleep(0.2)


# ---- what is told ------------------------------------------------------------------------------


def quantile(values: list[float], share: float) -> float:
    """Return the value that a share of all does not exceed, one of those that were seen."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(seen: Seen) -> str:
    """Write what was measured as a Markdown table, the sessions first."""
    lines = ["| who | what | count | p50, s | p95, s | max, s |", "|---|---|---|---|---|---|"]
    order = sorted(seen.seconds, key=lambda key: (key[0] == "browser", key[1]))
    for key in order:
        values = seen.seconds[key]
        numbers = (statistics.median(values), quantile(values, 0.95), max(values))
        figures = " | ".join(f"{value:.2f}" for value in numbers)
        lines.append(f"| {key[0]} | {key[1]} | {len(values)} | {figures} |")
    return "\n".join(lines)


def slow(seen: Seen) -> list[str]:
    """Name the interactions that miss what must be reached; browsers are told, not judged."""
    return [
        what
        for (who, what), values in seen.seconds.items()
        if who == "session" and (quantile(values, 0.95) > P95_SECONDS or max(values) > MOST_SECONDS)
    ]


def troubles(title: str, lines: list[str]) -> str:
    """Write how often something went wrong, with the most frequent words."""
    counted = sorted({line: lines.count(line) for line in lines}.items(), key=lambda pair: -pair[1])
    told = "".join(f"\n  {count} x {line[:300]}" for line, count in counted[:8])
    return f"{title}: {len(lines)}{told}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.class_load")
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--browsers", type=int, default=4, help="of the visitors")
    parser.add_argument("--seconds", type=float, default=80.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        os.environ["LYMPH_HOME"] = place
        print(f"Load before: {os.getloadavg()[0]:.1f}", flush=True)
        preparing = multiprocessing.get_context("spawn").Process(target=prepare, args=(place,))
        preparing.start()
        preparing.join()
        seen, logs = Seen(), []
        try:
            with served(home) as server:
                used = asyncio.run(class_at_work(server, options, home, seen))
                logs += server.trouble()
            with served(home) as server:
                asyncio.run(all_at_once(server, options, seen))
                stop_jobs(home)
                logs += server.trouble()
            for _ in range(3):
                first_visit(home, seen)
        finally:
            stop_jobs(home)
    print(table(seen))
    print(f"\n{used}")
    print(troubles("Server's log", logs))
    print(troubles("Exceptions on pages", seen.exceptions))
    print(troubles("Browsers' consoles", seen.console))
    missed = [*slow(seen), *seen.missed]
    print("All as wanted." if not missed else f"Not as wanted: {', '.join(missed)}.")


if __name__ == "__main__":
    main()
