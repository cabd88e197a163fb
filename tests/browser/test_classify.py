"""Classify in a real browser: every way in, broken files beside good ones, reasons by keyboard."""

import base64
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lymph.data import sources
from lymph.data.source import PictureSource
from lymph.runs import create_run, train_here
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig

# A clipboard event as the browser makes it when a picture is pasted.
PASTE = """async (element, data) => {
    // The place is drawn before it listens.
    for (let frame = 0; !element.onpaste && frame < 3600; frame++)
        await new Promise(requestAnimationFrame);
    const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'image.png', {type: 'image/png'}));
    const options = {clipboardData: transfer, bubbles: true, cancelable: true};
    element.dispatchEvent(new ClipboardEvent('paste', options));
}"""


@pytest.fixture
def address(serve: Callable[[Path], str], workspace: Path, tiny_root: Path) -> str:
    """Return the address of an app with a small data set and one finished run."""
    sources.add_folder(tiny_root)
    config = TrainConfig(str(tiny_root), epochs=1)
    train_here(create_run(config, split_by_patient(PictureSource(tiny_root).usable())))
    return serve(workspace)


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_every_way_in_and_the_reasons(
    page: Page,
    address: str,
    drop: Callable[[str, list[Path]], None],
    settle: Callable[[], None],
    tiny_root: Path,
    tmp_path: Path,
) -> None:
    said = page.locator(".st-key-answer_cards .lymph-said b")
    page.goto(f"{address}/classify")
    expect(page.get_by_text("not a medical device")).to_be_visible()
    settle()

    drop_good_and_broken(page, drop, tiny_root, tmp_path)
    expect(said).to_have_count(4)
    open_the_reasons_by_keyboard(page, settle)

    settle()
    page.get_by_text("Folder", exact=True).click()
    expect(page.get_by_text("Drop a folder")).to_be_visible()
    folder = page.locator(".st-key-classify_folder [data-testid=stFileUploaderDropzoneInput]")
    folder.set_input_files(tiny_root / "MCL")
    expect(said).to_have_count(12)

    settle()
    page.get_by_text("Clipboard", exact=True).click()
    settle()
    picture = base64.b64encode((tiny_root / "CLL" / "sj-99-11_001.png").read_bytes()).decode()
    page.locator(".paste").evaluate(PASTE, picture)
    expect(said).to_have_count(1)
    expect(page.get_by_text("pasted picture").first).to_be_visible()

    settle()
    page.get_by_text("Camera", exact=True).click()
    page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_text("camera picture").first).to_be_visible()
    # The browser's own test pattern: no tissue, so no answer to be trusted.
    expect(page.get_by_text("Do not trust this answer").last).to_be_visible()
    settle()

    page.set_viewport_size({"width": 390, "height": 844})
    settle()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollWidth <= 390")


def drop_good_and_broken(
    page: Page, drop: Callable[[str, list[Path]], None], tiny_root: Path, folder: Path
) -> None:
    """Two pictures, a drawing named .png, and a zip of two pictures and one bad name."""
    drawing, archive = folder / "drawing.png", folder / "more.zip"
    drawing.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'></svg>")
    good = [tiny_root / "FL" / f"sj-99-21_00{n}.png" for n in (1, 2)]
    inside = {f"a/{path.name}": path.read_bytes() for path in good}
    archive.write_bytes(zipped({**inside, "../<b>out</b>.png": b"x"}))
    drop("[data-testid=stFileUploaderDropzone]", [*good, drawing, archive])
    expect(page.get_by_text("an SVG drawing")).to_be_visible()
    expect(page.get_by_text("points out of the zip")).to_be_visible()
    expect(page.get_by_text("../<b>out</b>.png")).to_be_visible()
    expect(page.get_by_text("4 pictures classified")).to_be_visible()


def open_the_reasons_by_keyboard(page: Page, settle: Callable[[], None]) -> None:
    settle()
    why = page.get_by_role("button", name="Why?").first
    why.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("It shows where the model looked")).to_be_visible()
    expect(dialog.get_by_alt_text("yellow where the picture speaks for")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
