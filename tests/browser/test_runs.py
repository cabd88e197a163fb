"""The Runs page in a real browser: what its table shows without being moved sideways."""

import re

from playwright.sync_api import Page, expect


def test_a_phone_shows_the_accuracy_of_each_run_at_once(page: Page, with_runs: str) -> None:
    """Regression: the table had to be moved sideways before any accuracy was seen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{with_runs}/runs")
    table = page.locator(".st-key-runs_table canvas").first
    # For those who cannot see a canvas it holds a table of what is in sight.
    heads, cells = table.locator("th"), table.locator("td")
    expect(cells.first).to_have_text(re.compile(r"^A · +\d+ % ⚠$"))
    # What begins to its right is in sight as well, so the accuracy is in sight as a whole.
    expect(heads).to_contain_text(["Test", "Name"])
    box = table.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    # The name gives way, or nothing but the name would be seen wherever the table is moved to.
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(350, 0)
    expect(heads.filter(has_text="Leaks")).to_have_count(1)
    expect(heads.filter(has_text="Test")).to_have_count(0)
