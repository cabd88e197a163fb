"""Eight classes with long names: nothing runs under anything else, and no word is broken."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from lymph.data import sources
from lymph.data.source import PictureSource
from lymph.runs import create_run, train_here
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig

NAMES = (
    *("01_TUMOR", "02_STROMA", "03_COMPLEX", "04_LYMPHO", "05_DEBRIS", "06_MUCOSA"),
    *("07_ADIPOSE", "08_EMPTY_BACKGROUND"),
)

# Texts whose letters stand in more than one line: a name may break between its parts only, which
# are text nodes of their own.
BROKEN = """elements => elements.flatMap(element => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const broken = [];
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        if (range.getClientRects().length > 1) broken.push(walker.currentNode.data);
    }
    return broken;
})"""
# The text's own box: an element may be narrower than what it shows.
TEXT_BOXES = """elements => elements.map(element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const {left, top, right, bottom} = range.getBoundingClientRect();
    return [left, top, right, bottom];
})"""
BOXES = """elements => elements.map(element => {
    const {left, top, right, bottom} = element.getBoundingClientRect();
    return [left, top, right, bottom];
})"""

Box = list[float]
Settle = Callable[[], None]


@pytest.fixture(scope="module")
def long_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set of eight classes with long names, three patients each."""
    root = tmp_path_factory.mktemp("long") / "long"
    rng = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        (root / name).mkdir(parents=True)
        for patient in range(3):
            pixels = rng.integers(40 + 20 * number, 90 + 20 * number, (48, 64, 3), np.uint8)
            file = root / name / f"sj-99-{10 * (number + 1) + patient}_001.png"
            Image.fromarray(pixels).save(file)
    return root


@pytest.fixture(scope="module")
def address(
    serve_file: Callable[[Path], str], long_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the address of an app with these classes and one finished run."""
    home = tmp_path_factory.mktemp("names")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home))
        sources.add_folder(long_root)
        config = TrainConfig(str(long_root), epochs=1)
        train_here(create_run(config, split_by_patient(PictureSource(long_root).usable())))
    return serve_file(home)


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes share more than a pixel."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width > 1 and height > 1


def crossing(boxes: list[Box]) -> list[tuple[int, int]]:
    """Return the pairs of boxes that overlap."""
    count = range(len(boxes))
    return [(i, j) for i in count for j in range(i) if overlap(boxes[i], boxes[j])]


def whole(names: Locator, count: int) -> None:
    """Expect so many names, none of which breaks inside a part."""
    expect(names).to_have_count(count)
    assert names.evaluate_all(BROKEN) == []


def fits(page: Page) -> None:
    """Expect no page that must be moved sideways."""
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1440, 390])
def test_long_names_have_room_everywhere(
    page: Page, address: str, settle: Settle, long_root: Path, width: int
) -> None:
    """Regression: names ran under the bars of Classify and broke letter by letter in Results."""
    page.set_viewport_size({"width": width, "height": 900})
    for check in (see_results, see_data, see_split):
        check(page, settle, address)
        fits(page)
    settle()
    see_answer(page, settle, address, next((long_root / NAMES[-1]).iterdir()))
    fits(page)


def see_results(page: Page, settle: Settle, address: str) -> None:
    page.goto(f"{address}/results")
    settle()
    heads = page.locator(".lymph-matrix thead th[scope='col']")
    rows = page.locator(".lymph-matrix tbody th")
    whole(heads, 8)
    whole(rows, 8)
    assert crossing(heads.evaluate_all(TEXT_BOXES)) == []
    cells = page.locator("td.cell").evaluate_all(BOXES)
    for head in heads.evaluate_all(TEXT_BOXES):
        assert not any(overlap(head, cell) for cell in cells)
    # Numbers and shares have room in the narrowest cell.
    assert page.locator("td.cell b, td.cell small").evaluate_all(BROKEN) == []
    inner = page.locator("td.cell small")
    assert all(
        cell[0] <= text[0] and text[2] <= cell[2]
        for cell, text in zip(cells, inner.evaluate_all(BOXES), strict=True)
    )


def see_data(page: Page, settle: Settle, address: str) -> None:
    page.goto(f"{address}/data")
    settle()
    notes = page.locator(".st-key-patient_histogram .annotation-text-g")
    expect(notes).to_have_count(8)
    notes.first.scroll_into_view_if_needed()  # and until it stands still
    assert crossing(notes.evaluate_all(BOXES)) == []
    ticks = page.locator(".st-key-class_histogram .xtick text")
    expect(ticks).to_have_count(8)
    ticks.first.scroll_into_view_if_needed()
    assert crossing(ticks.evaluate_all(BOXES)) == []
    # All classes can be chosen without moving a row sideways.
    choices = page.locator(".st-key-gallery_class")
    assert choices.evaluate("e => [e, ...e.querySelectorAll('*')].every("
                            "part => part.scrollWidth <= part.clientWidth + 1 ||"
                            " getComputedStyle(part).overflowX === 'visible')")  # fmt: skip


def see_split(page: Page, settle: Settle, address: str) -> None:
    page.goto(f"{address}/split")
    settle()
    page.get_by_text("Is every class balanced across sets?").click()
    names = page.locator(".lymph-legend .lymph-badge")
    names.first.scroll_into_view_if_needed()
    whole(names, 8)
    assert crossing(names.evaluate_all(BOXES)) == []
    whole(page.locator(".tile .class"), 24)


def see_answer(page: Page, settle: Settle, address: str, picture: Path) -> None:
    page.goto(f"{address}/classify")
    settle()
    page.locator("[data-testid='stFileUploaderDropzoneInput']").set_input_files(picture)
    names = page.locator(".lymph-bar span:first-child")
    expect(names).to_have_count(8)
    settle()
    whole(names, 8)
    bars = page.locator(".lymph-bar i").evaluate_all(BOXES)
    for name, bar in zip(names.evaluate_all(TEXT_BOXES), bars, strict=True):
        assert not overlap(name, bar)
    assert len({bar[0] for bar in bars}) == 1, "all bars begin at one line"
