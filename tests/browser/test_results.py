"""The matrix in a real browser: every cell answers on its text and on its edge."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from lymph import reports
from lymph.data import sources
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.jobs.status import write_status
from lymph.predictions import make_predictions, write_predictions
from lymph.runs import Run, create_run
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig

from .conftest import PATIENCE_MS, press

EDGE = 2


def counts_of(size: int) -> np.ndarray:
    """Return a matrix whose cells hold 0, 1 or 2 pictures, each row and column differently."""
    rows, columns = np.mgrid[:size, :size]
    return (rows * 2 + columns + rows * columns) % 3


def finished_run(root: Path, classes: list[str]) -> Run:
    """Draw the pictures of a known matrix and write a run that judged them so."""
    counts = counts_of(len(classes))
    said = {}
    for i, true in enumerate(classes):
        (root / true).mkdir(parents=True)
        # The last two pictures train and validate; the others fill the row of the matrix.
        wanted = [*np.repeat(classes, counts[i]), true, true]
        for place, predicted in enumerate(wanted):
            name = f"{true}/sj-99-{100 * (i + 1) + place}_001.png"
            Image.new("RGB", (64, 48), (90, 40 + 30 * i, 120)).save(root / name)
            said[name] = predicted
    if root.name in [known.name for known in sources.list_data_sets()]:
        sources.remove_data_set(root.name)  # the test before this one named its own so
    data_set = sources.add_folder(root)
    table = PictureSource(data_set.path).usable()
    last = table.groupby("label")["patient"].apply(lambda own: sorted(own.unique())[-2:])
    sets = {"train": [own[0] for own in last], "val": [own[1] for own in last]}
    rest = set(table["patient"]) - {name for own in sets.values() for name in own}
    split = Split("patient", 0, {**sets, "test": sorted(rest)})
    run = create_run(TrainConfig(str(data_set.path), epochs=1), split)
    names = classes_of(table)
    hit = table["picture"].map(said).to_numpy()[:, None] == np.array(names, dtype=object)
    rows = table.assign(set=split.assign(table), fold="")
    values = np.where(hit, 0.8, 0.2 / (len(names) - 1))
    write_predictions(make_predictions(rows, values, names), run.path / files.PREDICTIONS)
    line = [[1, "finetune", 1.0, 0.4, 1.1, 0.3, 1e-3, 2.0]]
    pd.DataFrame(line, columns=files.METRIC_COLUMNS).to_csv(run.path / files.METRICS, index=False)
    status = replace(run.status(), state="finished", epoch=1, best_epoch=1, queued=1.0)
    write_status(run.path, status)
    return run


def cell_at(page: Page, true: str, predicted: str):  # noqa: ANN201 - a locator
    return page.locator(f"td.cell[data-true='{true}'][data-predicted='{predicted}']")


@pytest.mark.parametrize("size", [3, 5])
def test_every_cell_answers_on_its_text_and_on_its_edge(
    page: Page,
    shared: str,
    settle: Callable[[], None],
    tmp_path: Path,
    size: int,
) -> None:
    classes = ["CLL", "DLBCL", "FL", "HCL", "MCL"][:size]
    run, counts = finished_run(tmp_path / "pictures", classes), counts_of(size)
    page.goto(f"{shared}/results?data=pictures&run={run.id}")
    shown = page.locator(".st-key-cell_pictures")
    expect(page.locator("td.cell")).to_have_count(size * size)
    corners = [(EDGE, EDGE), (-EDGE, EDGE), (EDGE, -EDGE), (-EDGE, -EDGE)]
    for place in range(size * size):
        i, j = divmod(place, size)
        true, predicted, count = classes[i], classes[j], int(counts[i, j])
        cell = cell_at(page, true, predicted)
        expect(cell.locator("b")).to_have_text(str(count))
        cell.locator("b").click()
        verb = "correctly called" if i == j else "called"
        told = "1 picture," if count == 1 else f"{count} pictures,"
        expect(shown.get_by_role("heading")).to_contain_text(f"{true} {verb} {predicted}: {told}")
        expect(cell.locator("button")).to_have_attribute("aria-pressed", "true")
        settle()
        box = cell.bounding_box()
        assert box is not None
        x, y = corners[place % 4]
        cell.click(position={"x": x % box["width"], "y": y % box["height"]})
        expect(shown).to_have_count(0)


def test_the_keyboard_reaches_the_cells_and_a_link_leads_back(
    page: Page,
    shared: str,
    settle: Callable[[], None],
    tmp_path: Path,
) -> None:
    run = finished_run(tmp_path / "pictures", ["CLL", "FL", "MCL"])
    page.goto(f"{shared}/results?data=pictures&run={run.id}")
    first = cell_at(page, "CLL", "CLL").locator("button")
    first.wait_for()
    settle()
    first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shown = page.locator(".st-key-cell_pictures")
    expect(shown.get_by_role("heading")).to_contain_text("CLL called FL")
    # The focus stays in the cell, so that the next key goes on from there.
    settle()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(shown.get_by_role("heading")).to_contain_text("CLL called MCL")
    expect(page).to_have_url(re.compile("cell=CLL&cell=MCL"))
    settle()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(shown.get_by_role("heading")).to_contain_text("CLL called MCL")
    expect(cell_at(page, "CLL", "MCL").locator("button")).to_have_attribute("aria-pressed", "true")
    shown.get_by_role("button", name="sj-99-").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("wrong")


def test_what_is_chosen_is_chosen_everywhere_and_after_a_reload(
    page: Page,
    shared: str,
    settle: Callable[[], None],
    tmp_path: Path,
) -> None:
    """A cell led to a gallery and nowhere else, and whose the pictures were took a search."""
    run = finished_run(tmp_path / "pictures", ["CLL", "FL", "MCL"])
    page.goto(f"{shared}/results?data=pictures&run={run.id}")
    gallery = page.locator(".st-key-cell_pictures")
    rows = page.locator(".st-key-patient_rows")
    cell_at(page, "CLL", "MCL").locator("b").click()
    expect(gallery.get_by_role("heading")).to_contain_text("CLL called MCL: 2 pictures, 2 patients")
    # Those of the cell stand out in their patients' rows, and the others step back.
    expect(rows.locator(".thumb.in")).to_have_count(2)
    expect(rows.locator(".thumb.in").first).to_have_attribute("title", re.compile("called MCL"))
    page.reload()
    expect(rows.locator(".thumb.in")).to_have_count(2)
    # A patient: its cell gets an edge, and its pictures are those of the gallery.
    settle()
    name = rows.locator(".who b").first.inner_text()
    rows.locator(".who").first.click()
    expect(gallery.get_by_role("heading")).to_contain_text(f"Patient {name}")
    expect(page.locator("td.cell.holds")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"\?(?!.*cell=).*patient={name}(&|$)"))
    page.reload()
    expect(gallery.get_by_role("heading")).to_contain_text(f"Patient {name}")
    expect(rows.locator(".who").first).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Choose nothing").click()
    expect(gallery).to_have_count(0)
    expect(rows.locator(".thumb.in, .thumb.out")).to_have_count(0)


def test_the_viewer_goes_on_by_arrow_keys_and_shows_each_picture_once(
    page: Page,
    shared: str,
    settle: Callable[[], None],
    tmp_path: Path,
) -> None:
    run = finished_run(tmp_path / "pictures", ["CLL", "FL", "MCL"])
    page.goto(f"{shared}/results?data=pictures&run={run.id}&cell=CLL&cell=MCL")
    page.locator(".st-key-cell_pictures").get_by_role("button", name="sj-99-").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 of 2")
    settle()
    press(page, "ArrowRight")
    expect(dialog).to_contain_text("2 of 2")
    expect(dialog.locator("img.ground")).to_have_count(1)
    expect(dialog.locator("img.ground")).to_have_attribute("alt", re.compile("called MCL"))
    settle()
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_contain_text("1 of 2")
    expect(dialog.get_by_role("button", name="Previous")).to_be_disabled()


def test_each_of_quick_presses_counts_in_the_viewer(
    page: Page,
    with_runs: str,
    settle: Callable[[], None],
) -> None:
    """Regression: two quick presses of an arrow key showed the next picture, not the one after."""
    page.goto(f"{with_runs}/data")
    page.locator("[class*='st-key-'][class*='_open_'] button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 of 374")
    settle()
    for keys, place in ((["ArrowRight"] * 3, 4), (["ArrowLeft"] * 2, 2)):
        for key in keys:
            press(page, key)
        expect(dialog).to_contain_text(f"{place} of 374")
        settle()
        expect(dialog).to_contain_text(f"{place} of 374")


def test_the_report_opens_with_the_network_off(browser: Browser, tmp_path: Path) -> None:
    run = finished_run(tmp_path / "pictures", ["CLL", "FL", "MCL"])
    file = tmp_path / "report.html"
    file.write_text(reports.report_html(run), encoding="utf-8")
    context = browser.new_context(offline=True)
    context.set_default_timeout(PATIENCE_MS)
    page, asked, broken = context.new_page(), [], []
    page.on("request", lambda r: asked.append(r.url) if not r.url.startswith("file:") else None)
    page.on("pageerror", lambda error: broken.append(error))
    page.goto(file.as_uri())
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    cell = page.locator("td.cell[data-true='CLL'][data-predicted='MCL']").first
    cell.click()
    count = int(cell.locator("b").inner_text())
    assert count == 2
    expect(page.locator(".answers").first.locator("figure:not(.hidden)")).to_have_count(count)
    cell.click()
    expect(page.locator(".answers").first.locator("figure:not(.hidden)")).to_have_count(0)
    # On a phone wide tables move by themselves, not the whole report.
    page.set_viewport_size({"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    page.wait_for_function(f"{wide} <= 0")
    context.close()
    assert not broken and not [url for url in asked if not url.startswith("data:")]
