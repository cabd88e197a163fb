"""The first minute of someone who has never seen lymph, on a machine where nothing is there yet."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from lymph.data import sources
from lymph.synthetic.examples import synthetic_examples
from tests.waiting import wait_for

from .conftest import LONG_PATIENCE_MS

pytestmark = pytest.mark.browser


@pytest.fixture
def fresh(serve: Callable[[Path], str], workspace: Path) -> Iterator[str]:
    """Return the address of an app whose workspace is empty; the drawing is ended afterwards."""
    yield serve(workspace)
    for process in drawing():
        process.kill()


def drawing() -> list[psutil.Process]:
    """Return the processes that draw the set of this test's workspace."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):  # one that has just ended
            own = process.environ().get("LYMPH_HOME") == os.environ["LYMPH_HOME"]
            if own and "lymph.data.drawing" in (process.info["cmdline"] or []):
                found.append(process)
    return found


def test_a_dropped_picture_is_answered_before_the_set_is_drawn(
    page: Page, fresh: str, tmp_path: Path, settle: Callable[[], None]
) -> None:
    """Regression: the first thing was an empty page for 19 to 51 s, then a table of numbers."""
    picture = tmp_path / "dropped.png"
    picture.write_bytes(synthetic_examples()[0][2])
    page.goto(fresh)
    expect(page.get_by_role("heading", name="Drop a picture")).to_be_visible()
    expect(page.get_by_role("heading", name="See why")).to_be_visible()
    # However slow the browser is: the set is not drawn before the answer.
    wait_for(drawing)
    for process in drawing():
        process.suspend()
    page.locator(".st-key-start_drop input").set_input_files(picture)
    expect(page.get_by_text("has only ever seen computer-drawn pictures")).to_be_visible()
    expect(page.get_by_text("dropped.png")).to_be_visible()
    settle()

    # Back to Start, which does not send its visitor away a second time.
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Start").click()
    expect(page.get_by_role("heading", name="Use my own folder")).to_be_visible()
    settle()
    expect(page.get_by_role("heading", name="Use my own folder")).to_be_visible()


def test_the_first_matrix_stands_before_the_set_is_drawn_and_its_pictures_come(
    page: Page, fresh: str
) -> None:
    """Regression: they came together 21.7 s after the click, when all 374 pictures were drawn."""
    page.goto(fresh)
    wait_for(drawing)
    for process in drawing():
        process.suspend()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Results").click()
    page.locator("td.cell[data-true='MCL'][data-predicted='FL']").click()
    pictures = page.locator(".st-key-cell_pictures .lymph-picture img")
    expect(pictures.first).to_be_attached()
    assert not sources.demo_ready()
    for process in drawing():
        process.resume()
    for picture in pictures.all():
        expect(picture).to_have_js_property("complete", True, timeout=LONG_PATIENCE_MS)
        assert picture.evaluate("image => image.naturalWidth") > 0
