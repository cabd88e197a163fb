"""A page on a projector: what is on a slide fits, keys and a clicker lead through it."""

import contextlib
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from lymph.lessons.catalogue import LESSONS

from .conftest import LONG_PATIENCE_MS, TWO_FRAMES, press

LARGE, SMALL = {"width": 1920, "height": 1080}, {"width": 1280, "height": 720}
# What does not fit: the page scrolls, the slide had to be made smaller, something is cut.
FAULTS = """() => {
  const main = document.querySelector("[data-testid=stMain]");
  const slide = document.querySelector(".st-key-slide");
  const keys = document.querySelector(".st-key-lesson_keys").getBoundingClientRect();
  const root = document.documentElement;
  const over = (e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1;
  const faults = [];
  if (root.scrollHeight > innerHeight || root.scrollWidth > innerWidth) faults.push("page");
  if (over(main)) faults.push("main");
  if (over(slide)) faults.push("slide");
  if (slide.style.zoom) faults.push(`made smaller, ${slide.style.zoom}`);
  if (keys.bottom > innerHeight + 1 || keys.right > innerWidth + 1) faults.push("keys");
  for (const code of slide.querySelectorAll("pre")) if (over(code)) faults.push("code");
  return faults;
}"""


# What does not fit on a slide of a page's own figures: as above, and type made smaller than this.
SMALLEST = 0.75
# In pixels of 1280 x 720: what is smaller cannot be read from the last row.
SMALLEST_TYPE = 12
PAGE_FAULTS = """([smallest, type]) => {
  const faults = [];
  const slide = document.querySelector(".st-key-slide");
  const keys = document.querySelector(".st-key-slide_keys").getBoundingClientRect();
  const root = document.documentElement;
  const main = document.querySelector("[data-testid=stMain]");
  const over = (e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1;
  if (root.scrollHeight > innerHeight || root.scrollWidth > innerWidth) faults.push("page");
  if (over(main)) faults.push("main");
  if (over(slide)) faults.push("slide");
  if (Number(slide.style.zoom || 1) < smallest) faults.push(`made smaller, ${slide.style.zoom}`);
  if (keys.bottom > innerHeight + 1 || keys.right > innerWidth + 1) faults.push("keys");
  if (document.querySelector("[data-testid=stException]")) faults.push("an exception");
  const texts = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), place = texts.currentNode.parentElement;
    const size = parseFloat(getComputedStyle(place).fontSize) * (slide.style.zoom || 1);
    const seen = text && place.getBoundingClientRect().width;
    if (seen && size < type) faults.push(`${size} px: ${text}`);
  }
  return faults;
}"""
PAGES = ("", "data", "split", "train", "results", "runs", "classify", "lessons")


def turn(page: Page, settle: Callable[[], None]) -> None:
    """Press the clicker; the next slide is there with its keys, and what it holds was measured."""
    before = page.evaluate("location.href")
    press(page, "PageDown")
    page.wait_for_function("before => location.href !== before", arg=before)
    settle()


def slides(page: Page, settle: Callable[[], None]) -> Iterator[str]:
    """Go from a lesson's first slide to its last by the clicker; yield each address."""
    settle()
    address = page.evaluate("location.search")
    lesson = address.split("lesson=")[1].split("&")[0]
    while f"lesson={lesson}" in address:
        yield address
        turn(page, settle)
        address = page.evaluate("location.search")


def faults(page: Page, script: str, arg: object = None) -> list[str]:
    """Return what does not fit once the slide had time to be made smaller."""
    with contextlib.suppress(TimeoutError):
        page.wait_for_function(f"arg => ({script})(arg).length === 0", arg=arg, timeout=2_000)
    return page.evaluate(script, arg)


def both_sizes(page: Page) -> Iterator[None]:
    """Go on at the size that a slide was drawn for, and then at the other, where the page stays."""
    for size in (LARGE, SMALL) if page.viewport_size == LARGE else (SMALL, LARGE):
        page.set_viewport_size(size)
        page.evaluate(TWO_FRAMES)
        yield


@pytest.mark.slow
def test_no_slide_of_any_lesson_scrolls(
    page: Page, demonstration: str, settle: Callable[[], None]
) -> None:
    """Regression: answers were 1,086 to 1,693 pixels high and ran out of every projector."""
    page.set_viewport_size(SMALL)
    found, count = [], 0
    for lesson in LESSONS:
        page.goto(f"{demonstration}/lessons?lesson={lesson.slug}&stage=1&prepared=1")
        expect(page.locator(".st-key-slide")).to_be_visible()
        for address in slides(page, settle):
            count += 1
            for _ in both_sizes(page):
                found += [f"{address}: {fault}" for fault in faults(page, FAULTS)]
    assert found == [] and count > 5 * len(LESSONS)


@pytest.mark.slow
def test_no_slide_of_any_page_scrolls(
    page: Page, with_runs: str, settle: Callable[[], None]
) -> None:
    """Regression: pages on stage were as long as elsewhere, and no clicker led through them."""
    page.set_viewport_size(SMALL)
    page.goto(f"{with_runs}/?stage=1")
    found, seen = [], []
    for _ in range(30):
        expect(page.locator(".st-key-slide_keys")).to_be_visible()
        settle()
        address = page.evaluate("location.pathname + location.search")
        seen.append(address.split("?")[0].strip("/"))
        for _ in both_sizes(page):
            least = [SMALLEST, SMALLEST_TYPE]
            found += [f"{address}: {fault}" for fault in faults(page, PAGE_FAULTS, least)]
        if seen[-1] == "lessons":
            break
        turn(page, settle)
    assert found == [] and list(dict.fromkeys(seen)) == list(PAGES)
    assert seen.count("results") >= 8, "every view of the results"


def test_keys_lead_through_a_lesson_and_off_the_stage(
    page: Page, demonstration: str, settle: Callable[[], None]
) -> None:
    """A clicker sends PageUp and PageDown; R runs, and is not Streamlit's own R; Escape leaves."""
    page.set_viewport_size(SMALL)
    page.goto(f"{demonstration}/lessons?lesson=coverage&stage=1")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.locator(".st-key-stage_header")).to_contain_text("Lessons")
    expect(page.locator(".st-key-stage_header")).to_contain_text("Demonstration set")
    settle()
    size = page.locator(".st-key-slide p").first.evaluate("e => getComputedStyle(e).fontSize")
    assert float(size.removesuffix("px")) >= 28, "the last row cannot read it"
    for key, wanted in (("PageDown", "slide=2"), ("ArrowRight", "step=2"), ("PageUp", "step=1")):
        settle()
        press(page, key)
        page.wait_for_url(f"**{wanted}**")
    settle()
    page.get_by_role("button", name="2 Run").click()
    expect(page.get_by_role("button", name="Run it live")).to_be_visible()
    settle()
    press(page, "r")
    expect(page.get_by_role("button", name="Run it live")).to_be_hidden()
    again = page.get_by_role("button", name="Run it again")
    expect(again).to_be_visible(timeout=LONG_PATIENCE_MS)
    settle()
    press(page, "Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    expect(page).not_to_have_url(re.compile("stage"))


# Charts that are larger than their place on the slide, and so are cut.
CUT = """() => {
  const slide = document.querySelector(".st-key-slide").getBoundingClientRect();
  const bottom = document.querySelector(".st-key-next").getBoundingClientRect().top;
  return [...document.querySelectorAll(".st-key-slide .main-svg")].filter((chart) => {
    const drawn = chart.getBoundingClientRect();
    return drawn.right > innerWidth - slide.left + 2 || drawn.bottom > bottom + 2;
  }).length;
}"""


@pytest.mark.parametrize(
    "address", ["data?", "results?slide=6&", "lessons?lesson=coverage&step=3&slide=2&prepared=1&"]
)
def test_charts_fit_their_place_on_a_large_projector(
    page: Page, with_runs: str, settle: Callable[[], None], address: str
) -> None:
    """Regression: on 1920 x 1080 pixels each chart was half as large again as its place."""
    page.set_viewport_size(LARGE)
    page.goto(f"{with_runs}/{address}stage=1")
    charts = page.locator(".st-key-slide .js-plotly-plot .main-svg")
    expect(charts.first).to_be_visible()
    settle()
    page.wait_for_function(f"() => ({CUT})() === 0")


CLICK_TWICE = "() => [1, 2].forEach(() => document.querySelector('.st-key-next button').click())"

# A page gives way to the next piece by piece: for a moment nothing marks a place.
PRESS_WHILE_NO_PLACE_IS_THERE = """() => {
    const press = () => window.dispatchEvent(new KeyboardEvent("keydown", { key: "PageDown" }));
    press();
    document.querySelectorAll(".lymph-place").forEach((one) => one.remove());
    press();
}"""


def test_each_of_quick_presses_counts(
    page: Page, browser: Browser, with_runs: str, settle: Callable[[], None]
) -> None:
    """Regression: two quick presses led on by one slide, and "On to" skipped what it led to."""
    other = browser.new_page()
    for one in (page, other):
        one.set_viewport_size(SMALL)
        one.goto(f"{with_runs}/data?stage=1")
        expect(one.locator(".st-key-slide_keys")).to_contain_text("Slide 1 of 5")
    settle()

    def expect_slide(address: str, place: int) -> None:
        expect(page).to_have_url(re.compile(rf"/{address}\?"))
        expect(page.locator(".st-key-slide_keys")).to_contain_text(f"Slide {place} of")
        settle()
        expect(page.locator(".st-key-slide_keys")).to_contain_text(f"Slide {place} of")

    for keys, address, place in (
        (["PageDown"] * 3, "data", 4),
        (["ArrowRight"] * 3, "split", 2),
        (["PageUp"] * 2 + ["ArrowLeft"], "data", 4),
        (["ArrowLeft"] * 2, "data", 2),
    ):
        for key in keys:
            press(page, key)
        expect_slide(address, place)
    page.evaluate(CLICK_TWICE)
    expect_slide("data", 4)
    page.evaluate(PRESS_WHILE_NO_PLACE_IS_THERE)
    expect_slide("split", 1)
    expect(other.locator(".st-key-slide_keys")).to_contain_text("Slide 1 of 5")
    other.close()
