"""Markup in every name, in a real browser: nothing is rendered, and nothing is asked for.

The page of these tests fails where any request leaves 127.0.0.1.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from lymph.runs import Run
from tests.hostile import LONG, hostile_run, hostile_set

Serve = Callable[[Path], str]
Settle = Callable[[], None]

# Every element that the names' markup made: a word of theirs that stands alone, an address, maths,
# an icon.
RENDERED = """() => {
    const alone = element => /^Zq[a-z]*$/.test(element.textContent.trim());
    const made = "a[href*='127.0.0.2'], img[src*='127.0.0.2'], a[href^='mailto:'], .katex,"
        + " [role=img][aria-label='home icon']";
    return [...document.querySelectorAll("body *")]
        .filter(element => alone(element) || element.matches(made)
            || element.getAttributeNames().some(name => name.includes("href")
                && element.getAttribute(name).includes("127.0.0.2")))
        .map(element => element.outerHTML.slice(0, 200));
}"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a finished run whose every name is markup."""
    return hostile_run(hostile_set(tmp_path / "set"))


def test_no_name_is_rendered_on_any_page(
    page: Page, settle: Settle, serve: Serve, workspace: Path, run: Run
) -> None:
    """Every page and view, with a cell opened, runs chosen, a picture asked, and addresses."""
    faults: dict[str, list[str]] = {}

    def look(where: str) -> None:
        settle()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        if found := page.evaluate(RENDERED):
            faults[where] = found

    address = serve(workspace)

    def visit(path: str, **query: str) -> None:
        page.goto(f"{address}/{path}?{urlencode(query)}")
        page.locator("[data-testid=stSidebar] [data-testid=stSelectbox]").wait_for()
        look(f"{path} {str(query)[:80]}")

    for view in ("overview", "patients", "stain", "quality", "names"):
        visit("data", view=view)
    visit("split")
    for way in ("At random", "By hand"):
        choice = page.locator("[data-testid=stRadio] label").filter(has_text=way)
        if choice.count():
            choice.first.click()
            look(f"split {way}")
    visit("train")
    visit("train", run=run.id)
    visit("results", run=run.id)
    page.locator("td.cell button").first.click()
    look("results, a cell")
    parts = page.locator(".st-key-part").get_by_role("radio")
    expect(parts.first).to_be_visible()
    for part in parts.all():
        part.click()
        look(f"results, {part.inner_text()}")
    visit("runs")
    visit("lessons")
    visit("lessons", lesson=LONG[:300])
    visit("classify")
    for path in ("results", "train"):
        visit(path, run=f"{LONG}\x00\x1b")
        expect(page.get_by_text("There is no run").first).to_be_visible()
    visit("data", data=LONG, view=LONG[:200])
    expect(page.get_by_text("There is no data set named").first).to_be_visible()
    assert faults == {}
