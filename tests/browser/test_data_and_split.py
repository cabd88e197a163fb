"""Data and Split in a real browser: charts that filter, strips, the map, moves and the meter."""

import contextlib
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, TimeoutError, expect

from .conftest import LONG_PATIENCE_MS

Settle = Callable[[], None]
# How long a chart that was just drawn anew is waited for before the hand moves again.
SHORT_PATIENCE_MS = 10_000


def click_bar(page: Page, chart: str, number: int) -> None:
    """Click a bar as a hand does, and once more where the chart was drawn anew under the hand."""
    before = page.url
    for _ in range(5):
        with contextlib.suppress(AssertionError, TimeoutError):
            move_and_click(page, chart, number)
            page.wait_for_url(lambda url: url != before, timeout=SHORT_PATIENCE_MS)
            return
    raise AssertionError(f"bar {number} of {chart} does not answer")


def move_and_click(page: Page, chart: str, number: int) -> None:
    bar = page.locator(f".st-key-{chart} .bars .point path").nth(number)
    bar.scroll_into_view_if_needed()  # and until it stands still
    box = bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    hovered = page.locator(f".st-key-{chart} .hoverlayer .hovertext").first
    expect(hovered).to_be_visible(timeout=SHORT_PATIENCE_MS)
    page.mouse.down()
    page.mouse.up()


def notes(page: Page) -> Locator:
    return page.locator("[class*=st-key-gallery_grid] .lymph-caption")


def test_the_data_answer_clicks(page: Page, demonstration: str, settle: Settle) -> None:
    page.goto(f"{demonstration}/data")
    settle()
    click_bar(page, "patient_histogram", 12)
    expect(page).to_have_url(re.compile(r"gallery_class=FL.*gallery_patient=99-"))
    patient = re.search(r"gallery_patient=([\d-]+)", page.url).group(1)  # type: ignore[union-attr]
    expect(notes(page).filter(has_not_text=f"patient {patient}")).to_have_count(0)
    expect(notes(page).first).to_have_text(f"patient {patient}")
    settle()
    # Regression: Plotly lost the second click on the same chart.
    click_bar(page, "patient_histogram", 1)
    expect(page).to_have_url(re.compile(r"gallery_class=CLL"))
    settle()
    shared = page.url
    page.goto(shared)
    expect(notes(page).first).to_be_visible()
    settle()
    expect(page).to_have_url(shared)
    view = page.locator(".st-key-view")
    view.get_by_text("Patients", exact=True).click()
    expect(view.get_by_role("radio", checked=True)).to_have_text("Patients")
    expect(page.locator(".lymph-patient")).to_have_count(29)
    expect(page.locator(".lymph-thumb img")).to_have_count(374)
    choose_in_the_map(page, settle)
    page.get_by_text("Quality", exact=True).click()
    expect(page.get_by_text("Nothing was found in 374 pictures.")).to_be_visible()
    settle()


def choose_in_the_map(page: Page, settle: Settle) -> None:
    settle()
    page.get_by_text("Stain map", exact=True).click()
    area = page.locator(".st-key-stain_map_stain_patient .nsewdrag").first
    settle()
    area.scroll_into_view_if_needed()  # and until it stands still
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.8, steps=6)
    page.mouse.up()
    expect(page.get_by_role("heading", name=re.compile(r"\d+ pictures? chosen"))).to_be_visible()
    settle()


def drag_to_test(page: Page, unseen: Locator, before: int) -> None:
    sets = page.locator(".board .group")
    sets.nth(0).locator(".tile").first.drag_to(sets.nth(2).locator(".tiles"))
    expect(unseen).to_have_text(str(before + 1))


def test_a_patient_moves_and_the_leak_is_measured(
    page: Page, demonstration: str, settle: Settle
) -> None:
    page.goto(f"{demonstration}/split")
    settle()
    unseen = page.locator("[data-testid=stMetricValue]").first
    before = int(unseen.inner_text())
    sets = page.locator(".board .group")
    # The first patient of validation goes to the test, and is followed by the focus.
    tile = sets.nth(1).locator(".tile").first
    expect(tile.locator("b")).not_to_be_empty()  # the board draws itself after the page
    name = tile.locator("b").inner_text()
    tile.focus()
    page.keyboard.press("ArrowRight")
    expect(unseen).to_have_text(str(before + 1))
    moved = sets.nth(2).locator(".tile").filter(has_text=name)
    expect(moved).to_be_focused()
    expect(page.locator(".tile")).to_have_count(29)
    expect(moved).to_have_attribute("style", re.compile("--edge"))
    settle()
    expect(page.get_by_role("radio", name="By hand")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(unseen).to_have_text(str(before))
    settle()
    drag_to_test(page, unseen, before)
    settle()
    verdict = page.locator(".st-key-split_verdict")
    for height in (900, 600):
        page.set_viewport_size({"width": 1440, "height": height})
        expect(verdict).to_be_in_viewport(ratio=0.95)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_text("Leak meter", exact=True).click()
    page.get_by_role("button", name="Measure the leak").click()
    result = page.locator(".st-key-leak_result")
    expect(result).to_contain_text("29 patients, 95 % interval", timeout=LONG_PATIENCE_MS)
    expect(result.locator(".st-key-leak_bars .js-plotly-plot")).to_be_visible()
    settle()
    page.set_viewport_size({"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    page.wait_for_function(f"{wide} <= 1")
