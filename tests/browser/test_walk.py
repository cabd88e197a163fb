"""The whole way in a real browser: from the first opening to the answer for a dropped picture."""

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from .conftest import LONG_PATIENCE_MS, set_epochs

FULL_SIZE = Path(__file__).parents[3] / "shared" / "data" / "fullsize"
CLASSES = ("CLL", "FL", "MCL")


def go_to(page: Page, title: str) -> None:
    page.get_by_role("link", name=title).click()


def test_from_the_first_opening_to_the_answer_for_a_dropped_picture(
    page: Page,
    serve: Callable[[Path], str],
    settle: Callable[[], None],
    drop: Callable[[str, list[Path]], None],
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    # A deep link as the very first request to a fresh server: Streamlit would skip app.py.
    page.goto(f"{serve(home)}/split")
    expect(page.get_by_text("Drawing the demonstration set")).to_be_visible()
    expect(page.get_by_role("progressbar").first).to_be_visible()
    # Those that are drawn are seen while one waits for the others.
    coming = page.locator(".lymph-coming img").first
    page.wait_for_function("image => image.naturalWidth > 0", arg=coming.element_handle())
    question = page.get_by_role("heading", name="Which patients does the model never see?")
    expect(question).to_be_visible(timeout=LONG_PATIENCE_MS)
    settle()

    go_to(page, "Data")
    see_the_data(page, settle)
    go_to(page, "Split")
    see_the_leak_of_a_random_split(page, settle)
    go_to(page, "Train")
    train_for_two_epochs(page, settle)
    page.get_by_role("button", name="See the results").click()
    click_a_cell(page, settle)
    go_to(page, "Classify")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"this is no picture")
    pictures = sorted((home / "data" / "demonstration").glob("*/*_001.png"))[:3]
    settle()
    drop_pictures(page, drop, [*pictures, broken])
    settle()
    drop_at_full_size(page, drop, full_size_pictures(pictures, tmp_path))


def see_the_data(page: Page, settle: Callable[[], None]) -> None:
    expect(page.get_by_text("Synthetic set").first).to_be_visible()
    for number in ("374", "29"):
        expect(page.locator("[data-testid=stMetricValue]", has_text=number).first).to_be_visible()
    settle()
    page.get_by_role("radio", name="FL", exact=True).or_(
        page.get_by_role("button", name="FL", exact=True)
    ).first.click()
    badges = page.locator(".lymph-picture .lymph-badge")
    expect(badges.filter(has_not_text="FL")).to_have_count(0)
    expect(badges.first).to_have_text("FL")
    settle()


def see_the_leak_of_a_random_split(page: Page, settle: Callable[[], None]) -> None:
    sentence = page.locator(".st-key-leak_sentence")
    expect(sentence).to_contain_text("No test picture comes from a patient")
    page.get_by_text("By picture, at random").click()
    expect(sentence).to_contain_text(re.compile(r"\d+ of \d+ test pictures come from patients"))
    page.get_by_text("By patient", exact=True).click()
    expect(sentence).to_contain_text("No test picture comes from a patient")
    settle()


def train_for_two_epochs(page: Page, settle: Callable[[], None]) -> None:
    set_epochs(page, settle, 2)
    page.get_by_role("button", name="Start training").click()
    expect(page.locator(".st-key-run_progress")).to_be_visible()
    # The run lives in a process of its own: a reload shows it again.
    expect(page).to_have_url(re.compile("run="))
    page.reload()
    expect(page.locator(".live .words")).not_to_be_empty()
    page.keyboard.press("Shift")  # Who touches anything is not taken to the results.
    expect(page.locator(".st-key-run_progress")).to_contain_text(
        "finished", timeout=LONG_PATIENCE_MS
    )
    expect(page.locator(".curve svg path").first).to_be_visible()
    settle()


def click_a_cell(page: Page, settle: Callable[[], None]) -> None:
    # The live view of Train has a matrix as well, whose cells do not answer.
    expect(page.get_by_role("heading", name="How often is it right, and for whom?")).to_be_visible()
    settle()
    # The text lies in the cell and must answer as the cell does.
    cell = page.locator("td.cell").first
    label = cell.get_by_role("button").get_attribute("aria-label") or ""
    cell.locator("b").click()
    pictures = page.locator(".st-key-cell_pictures")
    expect(pictures).to_be_visible()
    count = int(re.search(r": (\d+) pictures", label).group(1))  # type: ignore[union-attr]
    told = "1 picture" if count == 1 else f"{count} pictures"
    expect(pictures.get_by_role("heading")).to_contain_text(told)


def drop_pictures(page: Page, drop: Callable[[str, list[Path]], None], files: list[Path]) -> None:
    expect(page.get_by_text("not a medical device")).to_be_visible()
    drop("[data-testid=stFileUploaderDropzone]", files)
    expect(page.get_by_text("broken.png").last).to_be_visible()
    answers = page.locator(".st-key-answer_cards .lymph-said b")
    expect(answers).to_have_text([re.compile(f"^({'|'.join(CLASSES)})$")] * 3)


def full_size_pictures(drawn: list[Path], folder: Path) -> list[Path]:
    """Return 13 pictures of 1388 x 1040: the real ones where they are, else drawn ones enlarged."""
    real = sorted(FULL_SIZE.glob("*/*.jpeg"))
    if real:
        return real
    made = [folder / f"enlarged-{number}.jpeg" for number in range(13)]
    for number, file in enumerate(made):
        Image.open(drawn[number % len(drawn)]).resize((1388, 1040)).save(file)
    return made


def drop_at_full_size(
    page: Page, drop: Callable[[str, list[Path]], None], files: list[Path]
) -> None:
    assert len(files) == 13
    drop("[data-testid=stFileUploaderDropzone]", files)
    expect(page.locator(".st-key-answer_cards .lymph-said b")).to_have_count(3 + 13)
