"""How long a folder of 100,000 small pictures takes: scanning, starting again, and the pages.

    python bench/scan.py FOLDER [--pictures 100000]

The folder is made when it is not there. Each time is two figures: wall-clock seconds and the
processor's seconds, which say more on a busy machine. Memory is the peak of the process. The second
start is measured in a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
CLASSES = ("CLL", "FL", "MCL")
SIDE = 32
A_PATIENT = 40


def make_folder(folder: Path, pictures: int) -> None:
    """Write small pictures of three classes, forty a patient, each with noise of its own."""
    rng = np.random.default_rng(0)
    for label in CLASSES:
        (folder / label).mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        patient = number // A_PATIENT
        label = CLASSES[patient % len(CLASSES)]
        ground = np.array([150 + patient % 50, 90 + patient % 70, 150 + patient % 30])
        noise = rng.integers(-60, 60, (SIDE, SIDE, 3))
        pixels = np.clip(ground + noise, 0, 255).astype(np.uint8)
        name = f"sj-99-{patient + 1:05}_{number % A_PATIENT + 1:03}.png"
        Image.fromarray(pixels).save(folder / label / name, compress_level=1)


def peak_mb() -> float:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(name: str, found: dict[str, Any], work: Callable[[], Any]) -> Any:
    """Run something and keep its seconds, wall and processor, under a name."""
    start, busy = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - start, time.process_time() - busy
    found[name] = [round(wall, 2), round(cpu, 2)]
    return result


def scan_once(folder: Path) -> dict[str, Any]:
    """Scan by headers, then count."""
    found: dict[str, Any] = {}
    module = timed("imports", found, lambda: import_module("lymph.data.source"))
    from lymph.data.scan import summary

    table = timed("scan", found, lambda: module.PictureSource(folder).table(decode=False))
    found["pictures"] = timed("summary", found, lambda: summary(table))["pictures"]
    return {**found, "peak_mb": round(peak_mb())}


def open_pages(folder: Path) -> dict:
    """Open the pages without a browser and run each again, as every click does."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from lymph.data import sources

    sources.add_folder(folder, "large")
    found: dict[str, Any] = {}
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=1200)
    timed("first run", found, app.run)
    timed("data, first", found, lambda: app.switch_page("pages/data.py").run())
    timed("data, again", found, app.run)
    timed("data, class", found, lambda: app.button_group(key="gallery_class").set_value("FL").run())
    views = ("patients", "names")
    for view in views:
        chosen = app.button_group(key="view").set_value(view)
        timed(f"{view}, first", found, chosen.run)
        timed(f"{view}, again", found, app.run)
    timed("split, first", found, lambda: app.switch_page("pages/split.py").run())
    timed("split, again", found, app.run)
    assert not app.exception, app.exception
    st.cache_data.clear()
    return {**found, "peak_mb": round(peak_mb())}


PARTS = {"scan": scan_once, "pages": open_pages}


def run_part(part: str, folder: Path) -> dict:
    """Run a part in a process of its own and return what it found."""
    command = [sys.executable, __file__, str(folder), "--part", part]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Make the folder and print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--part", choices=PARTS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.folder)))
        return
    if not options.folder.is_dir():
        make_folder(options.folder, options.pictures)
    for name, part in (("first start", "scan"), ("second start", "scan"), ("pages", "pages")):
        print(f"{name}: {json.dumps(run_part(part, options.folder))}", flush=True)


if __name__ == "__main__":
    main()
