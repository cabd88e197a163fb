"""Data and Split in a real browser: charts that filter, strips, the map, moves and the meter."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

Settle = Callable[[], None]


def click_bar(page: Page, chart: str, number: int) -> None:
    """Click a bar as a hand does: the mouse moves there first."""
    bar = page.locator(f".st-key-{chart} .bars .point path").nth(number)
    bar.wait_for()
    box = bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    expect(page.locator(f".st-key-{chart} .hoverlayer .hovertext").first).to_be_visible()
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
    assert page.url == shared
    settle()
    page.get_by_text("Patients", exact=True).last.click()
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
    area.wait_for()
    settle()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.8, steps=6)
    page.mouse.up()
    expect(page.get_by_role("heading", name=re.compile(r"\d+ pictures? chosen"))).to_be_visible()
    settle()


def test_a_patient_moves_and_the_leak_is_measured(
    page: Page, demonstration: str, settle: Settle
) -> None:
    page.goto(f"{demonstration}/split")
    settle()
    page.get_by_text("By hand", exact=True).click()
    expect(page.get_by_role("heading", name="Move patients with a click")).to_be_visible()
    settle()
    unseen = page.locator("[data-testid=stMetricValue]").first
    before = int(unseen.inner_text())
    page.locator(".st-key-hand_train button").first.click()
    expect(unseen).to_have_text(str(before + 1))
    settle()
    page.get_by_role("button", name="Measure the leak").click()
    result = page.locator(".st-key-leak_result")
    expect(result).to_contain_text("29 patients, 95 % interval", timeout=240_000)
    expect(result.locator(".js-plotly-plot")).to_be_visible()
    settle()
    page.set_viewport_size({"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 1
