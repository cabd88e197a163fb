"""The way from page to page in a real browser: every large button, links, Back, odd names."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from lymph.data import sources
from lymph.data.source import PictureSource
from lymph.runs import Run, create_run, list_runs
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from pages.shared.frame import plain

from ..pages.parameters import bound_in_source
from .conftest import LONG_PATIENCE_MS, PATIENCE_MS, TWO_FRAMES, set_epochs

Settle = Callable[[], None]

QUESTIONS = {
    "data": "What is in the pictures",
    "split": "Which patients does the model never see",
    "train": "How well does it learn",
    "results": "How often is it right",
    "runs": "What has been tried",
    "classify": "What does the model say",
}
FIRST, OWN = "Demonstration set", "a&b #1 ü (2) 50% <b>x</b>"
# Back is over when the browser says so: an address that a page still writes does not count.
GO_BACK = """() => new Promise(done => {
    addEventListener("popstate", () => done(location.pathname.slice(1)), {once: true});
    history.back();
})"""


class Visitor:
    """Someone at the browser who looks at each page that opens."""

    def __init__(self, page: Page, address: str, settle: Settle) -> None:
        self.page, self.address, self.settle = page, address, settle
        self.touched: set[str] = set()

    def follow(self, link: str) -> None:
        self.page.goto(self.address + link)

    def sees(self, name: str, data_set: str = OWN) -> None:
        """Make sure that a page is open without an exception, on the data set that was chosen."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(QUESTIONS[name])
        expect(self.page.get_by_role("combobox", name="Data set", exact=True)).to_have_value(
            data_set
        )
        self.settle()
        expect(self.page.get_by_test_id("stException")).to_have_count(0)
        expect(self.page).to_have_url(re.compile(rf"//[^/]+/{name}(\?|$)"))
        self.says("data", [] if data_set == FIRST else [data_set])

    def says(self, key: str, values: list[str]) -> None:
        """Make sure that the address holds these values of a parameter, and no other."""
        self.page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get(key, []) == values)

    def press(self, label: str, leads_to: str) -> None:
        self.page.get_by_role("button", name=label).click()
        self.sees(leads_to)

    def back(self, to: str, data_set: str = OWN) -> None:
        """Go back until a page is open; on no step of the way is another data set chosen."""
        opened = ""
        while opened != to:
            opened = self.go_back()
            self.sees(opened, data_set)

    def go_back(self) -> str:
        """Go one step back and return the page that it led to."""
        return self.page.evaluate(GO_BACK)

    def press_and_return(self, label: str, leads_to: str, start: str) -> None:
        self.press(label, leads_to)
        self.back(start)

    def choose(self, field: Locator, label: str) -> None:
        """Open a list and choose; it closes when the page moves, and is opened again then."""
        option = self.page.get_by_role("option", name=label, exact=True)
        for patience in (10_000, 10_000, PATIENCE_MS):
            # The scrolling must be over before it opens.
            field.scroll_into_view_if_needed()
            self.page.evaluate(TWO_FRAMES)
            if not option.is_visible():
                field.click()
            try:
                option.click(timeout=patience)
                return
            except PlaywrightTimeout:
                if patience == PATIENCE_MS:
                    raise

    def touch(self, key: str, label: str) -> None:
        """Choose a label of a bound control, and make sure that the address says so."""
        control = self.page.locator(f".st-key-{key}")
        field = control.get_by_role("combobox")
        # What a control is made of is loaded when the first of its kind is drawn.
        expect(field.or_(control.get_by_role("radio")).first).to_be_visible()
        if field.count():
            self.choose(field, label)
        else:
            control.get_by_text(label, exact=True).click()
        expect(self.page).to_have_url(re.compile(rf"\b{key}={re.escape(quote_plus(label))}"))
        self.settle()
        expect(self.page.get_by_test_id("stException")).to_have_count(0)
        self.touched.add(key)


def furnish(make_tiny: Callable[..., Path]) -> None:
    """Give the workspace a small demonstration set and, second, a set of an odd name."""
    demonstration = sources.demo_folder()
    demonstration.parent.mkdir(parents=True, exist_ok=True)
    make_tiny("drawn", pictures=1).rename(demonstration)
    (demonstration / sources.MARKER).write_text("synthetic")
    own = make_tiny("own", pictures=2)
    first = next((own / "CLL").iterdir())
    first.rename(first.with_name("sj-99-11-R2_001.png"))
    (own / "MCL").rename(own / "a&b #1 ü (2)")
    sources.add_folder(own, OWN)


@pytest.fixture
def visitor(page: Page, shared: str, settle: Settle, make_tiny: Callable[..., Path]) -> Visitor:
    """Return someone at an app with these two sets."""
    if not sources.demo_folder().exists():
        furnish(make_tiny)
    return Visitor(page, shared, settle)


def test_every_large_button_of_the_way_keeps_the_data_set(visitor: Visitor) -> None:
    page = visitor.page
    visitor.follow("/results")
    visitor.sees("results", FIRST)
    visitor.touch("data", OWN)
    visitor.sees("results")
    for empty in ("results", "runs", "classify"):
        page.get_by_role("link", name=empty.capitalize()).click()
        visitor.sees(empty)
        visitor.press_and_return("Train a model", "train", empty)
    page.get_by_role("link", name="Data", exact=True).click()
    from_the_data(visitor)
    page.get_by_role("link", name="Change the split").click()
    visitor.sees("split")
    visitor.back("train")
    train(visitor)
    visitor.press_and_return("See the results", "results", "train")
    visitor.press("See the results", "results")
    from_the_results(visitor)
    visitor.press("Classify a picture", "classify")
    page.get_by_role("button", name="Try three synthetic examples").click()
    page.get_by_role("link", name="The run that answered").click()
    visitor.sees("results")
    visitor.back("classify")
    compare_runs(visitor)
    assert visitor.touched == bound_in_source() - {"gallery_kind"}


def from_the_data(visitor: Visitor) -> None:
    """Go to the split untouched, and after each control of the page was touched."""
    controls = [
        {},
        {"gallery_class": "CLL", "gallery_patient": "99-11", "gallery_slide": "99-11-R2"},
        {"view": "Stain map", "stain_axes": "Hue and brightness", "stain_by": "Class"},
        {"view": "Patients"},
    ]
    visitor.sees("data")
    for chosen in controls:
        for key, label in chosen.items():
            visitor.touch(key, label)
        visitor.press_and_return("Go to the split", "split", "data")
    visitor.press("Go to the split", "split")
    visitor.press("Go to training", "train")


def train(visitor: Visitor) -> Run:
    """Start a training of one epoch and wait for its end."""
    page = visitor.page
    visitor.touch("train_view", "Compare recipes")
    page.locator(".st-key-train_view").get_by_text("Train a model", exact=True).click()
    set_epochs(page, visitor.settle, 1)
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile("run="))
    expect(page.locator(".live .words")).not_to_be_empty()
    page.keyboard.press("Shift")  # Who touches anything is not taken to the results.
    expect(page.get_by_role("button", name="See the results")).to_be_visible(
        timeout=LONG_PATIENCE_MS
    )
    visitor.sees("train")
    return list_runs()[0]


def from_the_results(visitor: Visitor) -> None:
    """Go to a picture after each control of the page was touched, and after a cell was chosen."""
    visitor.press_and_return("Classify a picture", "classify", "results")
    visitor.touch("set_name", "Train")
    visitor.touch("level", "Per patient")
    visitor.touch("mode", "Share of the true class")
    visitor.touch("part", "Pictures")
    visitor.page.get_by_role("button", name="All correct").click()
    expect(visitor.page).to_have_url(re.compile("cell=right"))
    visitor.press_and_return("Classify a picture", "classify", "results")


def compare_runs(visitor: Visitor) -> None:
    """Compare two runs from the table, and go on after the measure was chosen."""
    run = list_runs()[0]
    page, path = visitor.page, sources.list_data_sets()[1].path
    split = split_by_patient(PictureSource(path).usable())
    other = create_run(TrainConfig(str(path), epochs=1, seed=1), split)
    for file in run.path.iterdir():
        if file.name not in ("config.json", "split.json"):
            (other.path / file.name).write_bytes(file.read_bytes())
    page.get_by_role("link", name="Runs").click()
    visitor.sees("runs")
    table = page.get_by_test_id("stDataFrame").first
    expect(table.get_by_test_id("data-grid-canvas")).to_be_visible()
    learned = page.get_by_role("heading", name="How it learned")
    for row, told in ((1, learned), (2, page.get_by_role("button", name="Compare 2 runs"))):
        # The table waits a moment before it says what was chosen.
        table.click(position={"x": 15, "y": 35 * row + 17})
        expect(told).to_be_visible()
        visitor.settle()
    visitor.press("Compare 2 runs", "results")
    visitor.touch("compare_by", "Macro F1")
    visitor.press("Classify a picture", "classify")
    visitor.back("runs")


def test_links_open_what_they_name(visitor: Visitor) -> None:
    name, label = quote_plus(OWN), quote_plus(plain("a&b #1 ü (2)"))
    visitor.follow(f"/data?data={name}")
    visitor.sees("data")
    visitor.page.reload()
    visitor.sees("data")
    visitor.press_and_return("Go to the split", "split", "data")
    # A label as the page writes it, and a word that is none.
    for view, kept in (("Patients", ["Patients"]), ("patients", [])):
        visitor.follow(f"/data?data={name}&view={view}")
        visitor.sees("data")
        visitor.says("view", kept)
        visitor.press_and_return("Go to the split", "split", "data")
    everything = f"/data?data={name}&gallery_class={label}&gallery_patient=99-32"
    visitor.follow(everything)
    visitor.sees("data")
    expect(visitor.page).to_have_url(visitor.address + everything)
    chosen = visitor.page.locator(".st-key-gallery_class").get_by_role("radio", checked=True)
    expect(chosen).to_have_text("a&b #1 ü (2)")
    expect(visitor.page.locator("[class*=st-key-gallery_grid] .lymph-caption").first).to_have_text(
        "patient 99-32"
    )
    visitor.press_and_return("Go to the split", "split", "data")
    # The step that was left comes back with its filters; one without them lies before it.
    visitor.go_back()
    visitor.sees("data")
    expect(visitor.page).to_have_url(visitor.address + everything)
