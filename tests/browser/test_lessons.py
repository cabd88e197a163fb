"""A lesson in a real browser: guessed, run live, seen, and opened by a second one."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from lymph.data import sources

from .conftest import LONG_PATIENCE_MS, PATIENCE_MS

LARGE = re.compile(r"^(4[1-9]|[5-9]\d|\d{3,})")  # in pixels


def test_a_lesson_is_guessed_run_and_shown_to_a_second_browser(
    page: Page,
    browser: Browser,
    serve: Callable[[Path], str],
    settle: Callable[[], None],
    workspace: Path,
    tiny_root: Path,
) -> None:
    sources.add_folder(tiny_root)
    address = serve(workspace)
    # A deep link as the very first request to a fresh server.
    page.goto(f"{address}/lessons?lesson=broadcast")
    expect(page.get_by_role("heading", name="How can an accuracy be larger")).to_be_visible()
    settle()
    expect(page.get_by_role("button", name="Guess first")).to_be_disabled()
    page.get_by_text("Every picture is compared with a whole row").click()
    expect(page.get_by_role("button", name="Next", exact=False).first).to_be_enabled()
    settle()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Run it live").click()
    again = page.get_by_role("button", name="Run it again")
    expect(again).to_be_visible(timeout=LONG_PATIENCE_MS)
    settle()
    page.keyboard.press("PageDown")
    expect(page.get_by_text("You guessed it:")).to_be_visible()
    expect(page.get_by_text("152.94").first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    settle()
    page.keyboard.press("Home")
    expect(page.get_by_role("button", name="Guess first")).to_be_visible()
    see_the_lecture(browser, address)


def see_the_lecture(browser: Browser, address: str) -> None:
    """Open the same lesson elsewhere: its figures are there, its type is large, no sidebar."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    second = context.new_page()
    second.goto(f"{address}/lessons?lesson=broadcast&step=3&stage=1")
    expect(second.get_by_text("152.94").first).to_be_visible()
    expect(second.get_by_test_id("stSidebar")).to_be_hidden()
    figure = second.get_by_text("152.94 %", exact=True)
    expect(figure).to_have_css("font-size", LARGE)
    second.get_by_role("button", name="Back").click()
    expect(second.get_by_role("button", name="Run it again")).to_be_visible()
    expect(second.locator(".js-plotly-plot")).to_have_count(1)
    context.close()
