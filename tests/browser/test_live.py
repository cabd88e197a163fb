"""A run in a real browser: curves that move by themselves, and the way to the results."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lymph.data import sources

from .conftest import LONG_PATIENCE_MS, press, set_epochs

Settle = Callable[[], None]


@pytest.fixture
def address(workspace: Path, make_tiny: Callable[..., Path], serve: Callable[[Path], str]) -> str:
    sources.add_folder(make_tiny("mine", pictures=2))
    return serve(workspace)


def start(page: Page, address: str, settle: Settle) -> None:
    page.goto(f"{address}/train")
    set_epochs(page, settle, 12)
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile("run="))


def test_a_run_is_followed_to_its_results(page: Page, address: str, settle: Settle) -> None:
    """Nobody touches anything: curves and matrix come, then the results."""
    start(page, address, settle)
    expect(page.locator(".curve svg path").first).to_be_visible(timeout=LONG_PATIENCE_MS)
    expect(page.locator(".curve.loss svg")).to_have_attribute("aria-label", re.compile("^Loss, ep"))
    expect(page.locator(".said td.cell")).to_have_count(9)
    expect(page.locator(".end")).to_contain_text(
        "Going to the results in", timeout=LONG_PATIENCE_MS
    )
    expect(page).to_have_url(re.compile(r"/results\?.*run="))
    # Who comes back stays, and looks through the epochs.
    settle()
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="See the results")).to_be_visible()
    settle()
    slider = page.get_by_label("Epoch of the matrix")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".said .epoch")).to_have_text("Epoch 1")
    expect(page.locator(".end")).to_be_hidden()
    first = page.locator(".wrong img").first
    first.scroll_into_view_if_needed()
    expect(first).not_to_have_js_property("naturalWidth", 0)


def test_on_stage_the_chart_of_a_run_grows_and_fits(
    page: Page, address: str, settle: Settle
) -> None:
    """A lecturer starts a run by the key R: its chart grows on the projector, nothing scrolls."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{address}/train?stage=1")
    settle()
    expect(page.locator(".st-key-start_training")).to_be_visible()
    press(page, "r")
    expect(page).to_have_url(re.compile("run=.*stage=1|stage=1.*run="))
    expect(page.locator(".curve svg path").first).to_be_visible(timeout=LONG_PATIENCE_MS)
    expect(page.locator(".said td.cell")).to_have_count(9)
    settle()
    slide = page.locator(".st-key-slide")
    expect(slide).to_have_js_property("scrollHeight", slide.evaluate("e => e.clientHeight"))
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_who_scrolls_is_not_taken_away(page: Page, address: str, settle: Settle) -> None:
    start(page, address, settle)
    expect(page.locator(".live .words")).not_to_be_empty()
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 300)
    expect(page.locator(".curve svg path").first).to_be_visible(timeout=LONG_PATIENCE_MS)
    expect(page.get_by_role("button", name="See the results")).to_be_visible(
        timeout=LONG_PATIENCE_MS
    )
    settle()
    expect(page.locator(".end")).to_be_hidden()
