"""Three strangers' zips, from the drop to the answer for a picture, in a real browser."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lymph.data import sources
from tests.layouts import SHAPES, Shape, by

from .conftest import LONG_PATIENCE_MS, set_epochs

Serve = Callable[[Path], str]
Drop = Callable[[str, list[Path]], None]
Settle = Callable[[], None]

BY_NAME = {shape.name: shape for shape in SHAPES}


@pytest.fixture(scope="module")
def address(serve_file: Serve, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of an app that has another data set already; strangers share it."""
    home = tmp_path_factory.mktemp("strangers")
    by("{label}/sj-99-{patient}_{number:03}.png")(home / "first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home / "workspace"))
        sources.add_folder(home / "first")
    return serve_file(home / "workspace")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("train-val-test", "The data's own split"),
        ("wrapper", "repo/docs/ with 1 picture lies beside the classes"),
        ("table-isic", "8 patients, from a table"),
    ],
)
def test_a_zip_goes_from_the_drop_to_an_answer(
    page: Page, settle: Settle, drop: Drop, address: str, tmp_path: Path, name: str, told: str
) -> None:
    shape = BY_NAME[name]
    shape.build(tmp_path / name)
    archive = Path(shutil.make_archive(str(tmp_path / name), "zip", tmp_path / name))
    page.goto(f"{address}/data")
    settle()
    page.get_by_text("Use your own pictures").click()
    page.get_by_role("tab", name="Zip file").click()
    zone = page.locator(".st-key-zip_upload [data-testid=stFileUploaderDropzone]")
    expect(zone).to_be_visible()
    settle()
    drop(".st-key-zip_upload [data-testid=stFileUploaderDropzone]", [archive])
    page.get_by_role("button", name="Unpack and open").click()
    sees_what_was_found(page, settle, shape, told)
    settle()
    page.get_by_role("button", name="Go to the split").click()
    expect(page.locator(".st-key-leak_sentence")).to_contain_text("No test picture comes from")
    page.get_by_role("button", name="Go to training").click()
    trains_and_answers(page, settle, drop, next((tmp_path / name).rglob("*.png")), shape)


def sees_what_was_found(page: Page, settle: Settle, shape: Shape, told: str) -> None:
    """Before anything else the page says what was found, with a picture of each class."""
    expect(page.get_by_text("What was found, and is it right?")).to_be_visible()
    expect(page.get_by_text(told).first).to_be_visible()
    pictures = page.locator(".lymph-found figure")
    expect(pictures).to_have_count(len(shape.classes))
    for place, label in enumerate(shape.classes):
        expect(pictures.nth(place)).to_contain_text(label)
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(str(shape.pictures))
    settle()
    # What is doubted can be confirmed with one click.
    agree = page.get_by_role("button", name="Yes, this is right")
    if agree.count():
        agree.click()
        expect(agree).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def trains_and_answers(page: Page, settle: Settle, drop: Drop, picture: Path, shape: Shape) -> None:
    set_epochs(page, settle, 1)
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile("run="))
    expect(page.locator(".live .words")).not_to_be_empty()
    page.keyboard.press("Shift")  # Who touches anything is not taken to the results.
    page.get_by_role("button", name="See the results").click(timeout=LONG_PATIENCE_MS)
    expect(page.locator("td.cell")).to_have_count(len(shape.classes) ** 2)
    settle()
    page.get_by_role("button", name="Classify a picture").click()
    expect(page.get_by_text("not a medical device")).to_be_visible()
    settle()
    drop("[data-testid=stFileUploaderDropzone]", [picture])
    answer = page.locator(".st-key-answer_cards .lymph-said b")
    expect(answer).to_have_text(re.compile("|".join(map(re.escape, shape.classes))))
    expect(page.get_by_test_id("stException")).to_have_count(0)
