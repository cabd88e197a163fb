"""What axe-core finds on every page: nothing serious, in light and in dark."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

PLACES = {
    "start": "",
    "data": "data",
    "data, patients": "data?view=Patients",
    "split": "split",
    "train": "train",
    "results": "results",
    "runs": "runs",
    "classify": "classify",
    "lessons": "lessons",
    "a question": "lessons?lesson=leak",
    "an answer": "lessons?lesson=broadcast&step=3&prepared=1",
    "lines": "lessons?lesson=leak&step=4",
    "a slide": "lessons?lesson=leak&step=3&prepared=1&stage=1",
    "results on stage": "results?stage=1",
    "vote": "vote",
}
GRAVE = ("serious", "critical")
IS_DARK = """() => getComputedStyle(
  document.querySelector("[data-testid=stAppViewContainer]")).colorScheme === "dark" """
# What is drawn anew is pale for a moment.
AT_REST = """() => !document.querySelector("[data-stale=true]")
  && document.getAnimations().every((one) => one.playState !== "running")"""
# What lies in Streamlit's own markup and no page can change: rule, part of the selector, reason.
STREAMLIT: tuple[tuple[str, str, str], ...] = ()


def findings(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe-core finds grave on a page: rule, place, and its own words."""
    options = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    options |= {"resultTypes": ["violations"]}
    page.wait_for_function(AT_REST)
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']} at {' '.join(map(str, node['target']))}: {violation['help']}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if not is_streamlits(violation["id"], " ".join(map(str, node["target"])))
    ]


def is_streamlits(rule: str, target: str) -> bool:
    """Tell whether a finding is one of those that no page can change."""
    return any(rule == known and part in target for known, part, _ in STREAMLIT)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_nothing_grave_is_found(
    place: str, page: Page, with_runs: str, settle: Callable[[], None]
) -> None:
    page.goto(f"{with_runs}/{place}")
    settle()
    page.locator("h1").first.wait_for()
    page.evaluate(AXE_SCRIPT)
    light = findings(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(IS_DARK)
    settle()
    dark = [f"dark: {found}" for found in findings(page, ["color-contrast"])]
    assert light + dark == []
