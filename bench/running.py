"""Rows that look at a run from outside: what an open page costs it, and the memory it takes."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
from PIL import Image

from bench.measure import Row
from bench.serving import serving
from lymph import workspace
from lymph.data.source import PictureSource
from lymph.data.sources import add_folder
from lymph.runs import Run, create_run, start_run, stop_run
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from lymph.training.folder import METRICS
from lymph.training.precision import precision_here

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Short and often: a machine's speed wanders by some per cent within minutes all by itself.
WATCHED_SECONDS = 20.0
TURNS = 3
# Loading the page is paid once; what counts is that it stays open.
LOADING_SECONDS = 10.0
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)


def wait_until(holds: Callable[[], object], seconds: float = 180.0, every: float = 0.2) -> None:
    """Look now and then, five times a second by default, until something holds.

    Raises
    ------
    TimeoutError
        When it does not in time.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("A process that the benchmark needs did not come up.")
        time.sleep(every)


def _end_of(run: Run) -> None:
    stop_run(run)
    wait_until(lambda: run.status().over)


def _speed(run: Run) -> float:
    """Return a run's epochs a second over some time, between two moments of which it tells."""
    start, first = _position(run)
    time.sleep(WATCHED_SECONDS)
    end, last = _position(run)
    return (last - first) / (end - start)


def _position(run: Run) -> tuple[float, float]:
    """Return when the run last told of itself, in seconds, and the epochs it had done by then."""
    status = run.status()
    return status.updated, status.epoch + status.share


def open_page(root: Path, repeats: int) -> list[Row]:
    """Measure how much an open Train page slows a run; server and browser share its processors.

    A repeat is the mean of ``TURNS`` openings of the page, each between two measurements without
    it, so that a slow drift of the machine falls out.
    """
    from playwright.sync_api import sync_playwright

    add_folder(root)
    split = split_by_patient(PictureSource(str(root)).usable())
    run = create_run(TrainConfig(PictureSource(str(root)), epochs=9_999), split)
    start_run(run)
    with serving(workspace.home()) as (server, address), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        wait_until(lambda: run.status().epoch >= 2)
        # The first opening compiles much, once.
        _speed_watched(run, browser, address, server.pid)
        before = _speed(run)
        turns, taken = [], []
        for _ in range(repeats * TURNS):
            watched, processor = _speed_watched(run, browser, address, server.pid)
            taken.append(100 * processor)
            after = _speed(run)
            turns.append(100 * ((before + after) / 2 / watched - 1))
            before = after
        browser.close()
    _end_of(run)
    slowed = [statistics.fmean(turns[at : at + TURNS]) for at in range(0, len(turns), TURNS)]
    seconds = f"{WATCHED_SECONDS:.0f} s"
    note = (
        f"small CNN, mean of {TURNS} times {seconds} with the page, each between twice {seconds}"
        " without; browser included"
    )
    return [
        Row("An open Train page slows the run by", "less than 5 %", slowed, "%", note),
        Row("An open Train page takes of one processor", "", taken, "%", "server and browser"),
    ]


def _processor_seconds(server: int) -> float:
    """Return the processor time that server and browser have taken so far, in seconds."""
    children = psutil.Process().children(recursive=True)
    ours = [one for one in children if one.pid == server or "chrom" in one.name()]
    return sum(one.cpu_times().user + one.cpu_times().system for one in ours)


def _speed_watched(run: Run, browser: "Browser", address: str, server: int) -> tuple[float, float]:
    """Return a run's epochs a second while its page is open and has been loaded.

    The second number is the processor time that server and browser take a second meanwhile.
    """
    page = browser.new_page()
    page.goto(f"{address}/train?run={run.id}")
    page.get_by_text("running").first.wait_for(timeout=60_000)
    time.sleep(LOADING_SECONDS)
    before, start = _processor_seconds(server), time.monotonic()
    speed = _speed(run)
    taken = (_processor_seconds(server) - before) / (time.monotonic() - start)
    page.close()
    return speed, taken


# Notes in the browser when a newer epoch has been drawn.
NOTE_DRAWN = """() => {
    const find = (root) => root.querySelector(".live") ?? [...root.querySelectorAll("*")]
        .map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
    const view = find(document);
    window.drawn = [];
    new MutationObserver(() => {
        const epoch = Number(view.dataset.epoch);
        const note = () => window.drawn.push([epoch, Date.now() / 1000]);
        requestAnimationFrame(() => setTimeout(note));
    }).observe(view, { attributes: true, attributeFilter: ["data-epoch"] });
}"""


def lag(root: Path, repeats: int) -> list[Row]:
    """Measure how long after an epoch's row is written its point is on the screen."""
    from playwright.sync_api import sync_playwright

    add_folder(root)
    split = split_by_patient(PictureSource(str(root)).usable())
    run = create_run(TrainConfig(PictureSource(str(root)), epochs=9_999), split)
    start_run(run)
    with serving(workspace.home()) as (_, address), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        wait_until(lambda: run.status().epoch >= 2)
        page = browser.new_page()
        page.goto(f"{address}/train?run={run.id}")
        page.locator(".curve svg path").first.wait_for(timeout=60_000)
        page.evaluate(NOTE_DRAWN)
        written = _epochs_written(run, WATCHED_SECONDS * repeats)
        page.wait_for_timeout(2_000)
        drawn = page.evaluate("window.drawn")
        browser.close()
    _end_of(run)
    seen = [min((t for e, t in drawn if e >= epoch), default=None) for epoch in written]
    lags = [t - at for t, at in zip(seen, written.values(), strict=True) if t is not None]
    note = f"small CNN, {len(lags)} epochs; browser and server on the same machine"
    return [Row("An epoch is on the screen after", "less than 1.5 s", lags, "s", note)]


def _epochs_written(run: Run, seconds: float) -> dict[int, float]:
    """Watch a run's curves and return when each of their last epochs was written."""
    file, written = run.path / METRICS, {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        at = file.stat().st_mtime
        if at not in written.values():
            written[int(run.metrics()["epoch"].iloc[-1])] = at
        time.sleep(0.1)
    return dict(list(written.items())[1:])


def memory(repeats: int) -> list[Row]:
    """Measure the private memory of a run on few pictures and on eight times as many."""
    grown = []
    few, many = 200, 1_600
    precision_here("cnn")  # Its measurement takes memory too, once.
    for repeat in range(repeats):
        peaks = [_peak_of_run(count, repeat) for count in (few, many)]
        grown.append((peaks[1] - peaks[0]) / (many - few) / 1024)
    note = f"private memory at its peak, {few} and {many} pictures of 16 kB at working size each"
    return [Row("Memory of a run, for each further picture", "below 16 kB", grown, "kB", note)]


def _peak_of_run(count: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        draw_set(root, count, seed)
        run = create_run(
            TrainConfig(PictureSource(str(root)), epochs=2),
            split_by_patient(PictureSource(str(root)).usable()),
        )
        start_run(run)
        peak = 0
        while not run.status().over:
            peak = max(peak, private_memory(run.status().pid))
            time.sleep(0.05)
        return peak


def draw_set(root: Path, count: int, seed: int = 0) -> None:
    """Write pictures of noise, three classes of four patients each."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        label, patient = number % 3, number % 12
        folder = root / "ABC"[label]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(60 * label, 60 * label + 90, (128, 128, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"sj-99-{patient + 10}_{number:05}.png")


def private_memory(pid: int) -> int:
    """Return the bytes that a process has to itself, without files mapped into memory."""
    try:
        return sum(part.anonymous for part in psutil.Process(pid).memory_maps()) if pid else 0
    except psutil.Error:
        return 0
