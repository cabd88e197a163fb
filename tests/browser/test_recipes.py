"""Compare recipes in real browsers: one job for all who look, and a table that comes by itself."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from lymph.data import sources

from .conftest import LONG_PATIENCE_MS


def test_two_browsers_follow_one_comparison(
    page: Page,
    browser: Browser,
    workspace: Path,
    make_tiny: Callable[..., Path],
    serve: Callable[[Path], str],
    settle: Callable[[], None],
) -> None:
    """One starts it; to the other, who came before or comes later, rows come without a click."""
    sources.add_folder(make_tiny("mine", pictures=2))
    address = f"{serve(workspace)}/train"
    other = browser.new_context()
    later = other.new_page()
    page.goto(address)
    page.locator(".st-key-train_view").get_by_text("Compare recipes", exact=True).click()
    settle()
    page.locator(".st-key-recipe_choice").get_by_text("Small CNN", exact=True).click()
    settle()
    page.locator(".st-key-compare_recipes button").click()
    expect(page.locator(".st-key-recipes_progress, .st-key-recipes_result").first).to_be_visible()
    later.goto(address)
    later.locator(".st-key-train_view").get_by_text("Compare recipes", exact=True).click()
    for one in (page, later):
        told = one.locator(".st-key-recipes_result")
        highest = "With patients apart ‘Colours alone’ is highest"
        expect(told).to_contain_text(highest, timeout=LONG_PATIENCE_MS)
        expect(one.locator(".st-key-compare_again")).to_be_visible(timeout=LONG_PATIENCE_MS)
        expect(told).to_contain_text("Under random folds it would seem to reach")
        expect(one.locator(".st-key-recipes .js-plotly-plot")).to_be_visible()
    other.close()
