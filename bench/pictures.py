"""``python -m bench.pictures``: the pictures of the pages in docs/pictures, light and dark.

A fresh server on a fresh workspace draws the demonstration set and takes in the two runs that come
with lymph, so every picture shows computer-drawn pictures only. Needs Chromium and the packages of
requirements-test.txt.
"""

import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from bench.class_load import CHROMIUM, CHROMIUM_OPTIONS
from bench.serving import serving
from lymph.data import sources
from lymph.runs import HONEST, LEAKY, take_in_ready_runs

HOME = Path(__file__).parents[1]
SIZE = {"width": 1440, "height": 900}
COLOURS = 192
# Neither a grey bar in the place of something nor what is still measured or faded in.
STANDS = """() => !document.querySelector("[data-testid=stSkeleton], [data-stale=true]")
    && !document.querySelector("[data-testid=stMain]").innerText.includes("being measured")
    && document.getAnimations().every(one => one.playState !== "running")
    && [...document.images].every(image => image.complete)"""
# What is shown of each page, and what has to stand there before its picture is taken.
PAGES = {
    "start": ("", "What each page is for"),
    "data": ("data", "Use your own pictures"),
    "split": ("split", "Which patients does the model never see"),
    "train": ("train", "Start training"),
    "results": (f"results?run={HONEST}", "what the model says"),
    "compared": (f"results?run={LEAKY}&view=twins", "The honest run"),
    "runs": ("runs", "What has been tried"),
    "classify": (f"classify?run={HONEST}", "Drop one or many"),
    "lessons": ("lessons", "lessons"),
}


def take(page: Page, address: str, words: str, file: Path) -> None:
    """Open a page, wait until it stands, and keep what is seen of it."""
    page.goto(address)
    page.get_by_text(words).first.wait_for()
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
    page.wait_for_load_state("networkidle")
    # What a page is made of comes when the first of its kind is drawn, and charts draw themselves.
    page.wait_for_function(STANDS)
    page.wait_for_load_state("networkidle")
    shown = Image.open(io.BytesIO(page.screenshot()))
    file.parent.mkdir(parents=True, exist_ok=True)
    shown.convert("RGB").quantize(COLOURS).save(file, optimize=True)
    print(f"{file.relative_to(HOME)}: {file.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["LYMPH_HOME"] = home
        take_in_ready_runs(sources.make_demonstration().path)
        with serving(home) as (_, address), sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport=SIZE, color_scheme=scheme)
                page.set_default_timeout(120_000)
                for name, (path, words) in PAGES.items():
                    file = HOME / "docs" / "pictures" / f"{name}-{scheme}.png"
                    take(page, f"{address}/{path}", words, file)


if __name__ == "__main__":
    main()
