"""How soon the Results page answers a click: python -m bench.clicks

Two data sets are made in a temporary workspace: one with 20 runs of 374 pictures, one with a run of
20,000 pictures of 450 patients. A headless Chromium clicks every cell twice and waits until heading
and pictures stand on the page. Needs Chromium and the packages of requirements-test.txt.
"""

import os
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from bench.serving import serving
from lymph.data import sources
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.jobs.status import write_status
from lymph.predictions import make_predictions, write_predictions
from lymph.runs import create_run
from lymph.splits import make_folds
from lymph.synthetic import make_demo
from lymph.training import folder as files
from lymph.training.config import TrainConfig

ANSWERED = """([told]) => {
    const heading = document.querySelector(".st-key-cell_pictures h3");
    return heading && heading.textContent.startsWith(told)
        && document.querySelector(".st-key-cell_pictures .lymph-picture img");
}"""


def make_large(root: Path, pictures: int = 20_000, patients_a_class: int = 150) -> None:
    """Write small pictures of one colour a class; only their number matters here."""
    classes = ("CLL", "FL", "MCL")
    for place, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        Image.new("RGB", (60, 45), (90 + 40 * place, 60, 140)).save(root / f"{name}.png")
    for number in range(pictures):
        name = classes[number % 3]
        patient = 1000 + 3 * (number // 3 % patients_a_class) + number % 3
        shutil.copy(root / f"{name}.png", root / name / f"sj-98-{patient}_{number:05}.png")
    for name in classes:
        (root / f"{name}.png").unlink()


def write_run(root: Path, seed: int) -> None:
    """Write a finished cross-validation with predictions that are right now and then."""
    table, rng = PictureSource(str(root)).usable(), np.random.default_rng(seed)
    split, classes = make_folds(table, 5, "patient", seed), classes_of(table)
    run = create_run(TrainConfig(PictureSource(str(root)), seed=seed), split)
    truth = table["label"].map({name: i for i, name in enumerate(classes)}).to_numpy()
    values = np.exp(rng.normal(size=(len(table), len(classes))) + np.eye(len(classes))[truth])
    rows = table.assign(set="test", fold=split.assign(table).str.removeprefix("fold "))
    predictions = make_predictions(rows, values / values.sum(axis=1, keepdims=True), classes)
    write_predictions(predictions, run.path / files.PREDICTIONS)
    status = replace(run.status(), state="finished", epoch=1, best_epoch=1, queued=1.0 + seed)
    write_status(run.path, status)


def click_every_cell(page: Page, address: str, name: str) -> list[float]:
    """Return the seconds of each click, two rounds over all cells."""
    page.goto(f"{address}/results?data={name}")
    page.locator("td.cell").first.wait_for()
    idle = page.locator("[data-testid='stApp'][data-test-script-state='notRunning']")
    idle.wait_for()
    seconds = []
    for cell in [*page.locator("td.cell").all(), *page.locator("td.cell").all()]:
        true, predicted = (cell.get_attribute(f"data-{end}") for end in ("true", "predicted"))
        told = f"{true}{' rightly' if true == predicted else ''} called {predicted}:"
        start = time.perf_counter()
        cell.click()
        page.wait_for_function(ANSWERED, arg=[told])
        seconds.append(time.perf_counter() - start)
        idle.wait_for()
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["LYMPH_HOME"] = home
        small, large = Path(home) / "small", Path(home) / "large"
        make_demo(small)
        make_large(large)
        for root, seeds in ((small, range(20)), (large, range(1))):
            sources.add_folder(root)
            for seed in seeds:
                write_run(root, seed)
        with serving(home) as (_, address), sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            options = ["--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=chromium, args=options)
            for name, words in (("small", "20 runs of 374"), ("large", "one run of 20,000")):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(120_000)
                seconds = click_every_cell(page, address, name)
                middle = statistics.median(seconds)
                print(
                    f"{words}: first {seconds[0]:.2f} s, median {middle:.2f} s,"
                    f" slowest {max(seconds):.2f} s of {len(seconds)} clicks"
                )
            browser.close()


if __name__ == "__main__":
    main()
