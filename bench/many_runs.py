"""How long the pages take with a class's worth of runs: `python bench/many_runs.py 38 110 1000`.

One tiny model is trained; its folder is then copied, each copy with a seed and a time of its own.
Every page is opened by Streamlit's own test driver, in this process and without a browser: the
first opening reads every folder, the second is what a visitor waits for from then on.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = ("runs", "train", "results", "classify")
REPEATS = 3


def draw_set(root: Path) -> Path:
    """Draw three classes of four patients, three pictures each."""
    rng = np.random.default_rng(0)
    for number, label in enumerate(("CLL", "FL", "MCL"), start=1):
        (root / label).mkdir(parents=True)
        for patient in range(4):
            for picture in range(3):
                pixels = rng.integers(60, 70 * number, (48, 64, 3), dtype=np.uint8)
                name = f"sj-99-{number}{patient}_{picture:03}.png"
                Image.fromarray(pixels).save(root / label / name)
    return root


def copy_run(path: Path, number: int) -> None:
    """Copy a run's folder; seed and time are the copy's own."""
    copy = path.parent / f"copy-{number:05}"
    shutil.copytree(path, copy, ignore=shutil.ignore_patterns("*.pt", "features.npz"))
    for name, changes in (
        ("config.json", {"seed": number}),
        ("status.json", {"queued": 1.7e9 + 60 * number}),
    ):
        document = json.loads((copy / name).read_text())
        (copy / name).write_text(json.dumps({**document, **changes}))


def open_page(name: str) -> float:
    """Open a page in a new session and return the seconds of its run alone."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600).run()
    started = time.perf_counter()
    app = app.switch_page(f"pages/{name}.py").run()
    seconds = time.perf_counter() - started
    if app.exception:
        raise SystemExit(f"{name}: {app.exception[0].value}")
    return seconds


def main() -> None:
    """Print one line for each number of runs and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("counts", type=int, nargs="*", default=[38, 110, 1000])
    counts = sorted(parser.parse_args().counts)
    sys.path.insert(0, str(ROOT))
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as place:
        os.environ["LYMPH_HOME"] = str(Path(place) / "workspace")
        from lymph.data import sources
        from lymph.data.source import PictureSource
        from lymph.runs import create_run, train_here
        from lymph.splits import split_by_patient
        from lymph.training.config import TrainConfig

        data_set = sources.add_folder(draw_set(Path(place) / "pictures"))
        table = PictureSource(str(data_set.path)).usable()
        run = create_run(
            TrainConfig(PictureSource(str(data_set.path)), epochs=2), split_by_patient(table)
        )
        train_here(run)
        open_page("train")  # measures this machine's speed, once
        made = 1
        for count in counts:
            for number in range(made, count):
                copy_run(run.path, number)
            made = count
            for page in PAGES:
                first = open_page(page)
                later = statistics.median(open_page(page) for _ in range(REPEATS))
                print(f"{count:5} runs  {page:9} first {first:6.2f} s  then {later:6.2f} s")


if __name__ == "__main__":
    main()
