"""What the server itself holds and answers, asked from outside."""

import json
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.layouts import by
from tests.waiting import wait_for

MB = 1_000_000


@pytest.fixture(scope="module")
def address(serve_file: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of an app with a small data set."""
    home, root = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("small")
    by("{label}/sj-99-{patient}_{number:03}.png")(root)
    (home / "data").mkdir()
    (home / "data" / "data-sets.json").write_text(json.dumps({"small": str(root)}))
    return serve_file(home)


def server_of(address: str) -> psutil.Process:
    """Return the process behind an address."""
    wanted = f"--server.port={address.rsplit(':', 1)[1]}"
    return next(p for p in psutil.process_iter(["cmdline"]) if wanted in (p.info["cmdline"] or []))


def test_a_large_drop_does_not_go_through_memory(
    page: Page, settle: Callable[[], None], address: str, tmp_path: Path
) -> None:
    """Regression: Streamlit held a drop of 300 MB in memory, and twice while a page was drawn."""
    archive = tmp_path / "large.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("CLL/large.png", bytes(60 * MB))
    page.goto(f"{address}/data")
    settle()
    page.get_by_text("Use your own pictures").click()
    page.get_by_role("tab", name="Zip file").click()
    server = server_of(address)
    # It loads torch after its start.
    wait_for(lambda: server.cpu_percent(interval=2.0) < 2)
    before = server.memory_info().rss
    page.locator(".st-key-zip_upload input[type=file]").set_input_files(archive)
    expect(page.get_by_role("button", name="Unpack and open")).to_be_visible()
    settle()
    assert server.memory_info().rss - before < 30 * MB


def test_the_server_refuses_foreign_names(address: str) -> None:
    """A page of another site, its name pointed at this address, gets neither app nor WebSocket."""
    for path in ("/", "/_stcore/health", "/_stcore/metrics", "/_stcore/stream"):
        asked = urllib.request.Request(address + path, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked)
        assert refused.value.code == 403
    with urllib.request.urlopen(f"{address}/_stcore/metrics") as answer:
        assert answer.status == 200


def test_a_visit_asks_for_nothing_that_is_not_there(
    page: Page, settle: Callable[[], None], address: str
) -> None:
    """Regression: under a page's address the server was looked for twice where it is not."""
    told: list[str] = []
    page.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
    page.on("response", lambda got: told.append(got.url) if got.status >= 400 else None)
    for path in ("/", "/data", "/runs?data=small", "/lessons/"):
        page.goto(f"{address}{path}")
        expect(page.locator("h1")).to_be_visible()
        settle()
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Split").click()
        expect(page.locator("h1")).to_contain_text("Which patients")
        expect(page).to_have_url(re.compile(f"^{address}/split"))
        settle()
    assert told == []
