"""The app as people meet it: a real server, a real Chromium, and nothing beyond this machine."""

import base64
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    WebSocket,
    expect,
    sync_playwright,
)
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lymph.data.ahead import make_ahead
from lymph.data.stamps import cache_folder
from lymph.runs import take_in_ready_runs
from lymph.synthetic import make_demo
from tests.conftest import end_jobs
from tests.serving import free_port, know_speeds, wait_until_healthy
from tests.waiting import PATIENCE

APP = Path(__file__).parents[2] / "app.py"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera that films a test pattern, and no question whether it may.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
# Only a failure takes so long; a busy machine has taken a minute for a first page.
PATIENCE_MS = 120_000
# For what a job does, which gives way to all tests beside this one: a drawing, a training.
LONG_PATIENCE_MS = 600_000
IDLE = "[data-testid='stApp'][data-test-script-state='notRunning']"
QUIET_SECONDS = 0.5
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
REQUIRED = bool(os.environ.get("LYMPH_REQUIRE_BROWSER"))

# The browser's own object of a drag, filled with files of real content.
MAKE_TRANSFER = """files => {
    const transfer = new DataTransfer();
    for (const [name, data] of files) {
        const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
    }
    return transfer;
}"""

# A page finds nothing at an address that earlier pages have kept there, and keeps its own.
FORGET = """try {
    if (!sessionStorage.known) localStorage.clear();
    sessionStorage.known = true;
} catch { /* an empty page keeps nothing */ }"""

Serve = Callable[[Path], str]
Drop = Callable[[str, list[Path]], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; one that fails is tried once more, and told as such."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped browser test fail where all of them must run."""
    report = yield
    if report.skipped and REQUIRED and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"{item.name} was skipped, but browser tests are required here."
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium."""
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@contextlib.contextmanager
def serving(paths: pytest.TempPathFactory) -> Iterator[Serve]:
    """Yield a function that starts the app on a workspace and returns its address.

    In the end its servers end, and the jobs that they have left.
    """
    servers: list[subprocess.Popen] = []
    homes: list[Path] = []

    def start(home: Path) -> str:
        homes.append(home)
        know_speeds(home)
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", str(APP)]
        options = [
            f"--server.port={port}",
            "--server.headless=true",
            "--server.fileWatcherType=none",
        ]
        log = paths.mktemp("server") / "log.txt"
        server = subprocess.Popen(
            [*command, *options],
            cwd=APP.parent,
            env={**os.environ, "LYMPH_HOME": str(home)},
            stdout=log.open("w"),
            stderr=subprocess.STDOUT,
        )
        servers.append(server)
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(address, server)
        return address

    try:
        yield start
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(PATIENCE)
        for home in homes:
            end_jobs(home)


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return a function that serves a workspace until the test is over."""
    with serving(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="module")
def serve_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return a function that serves a workspace to all tests of a file."""
    with serving(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def serve_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return a function that serves a workspace to all tests of this process."""
    with serving(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="module")
def served_home(serve_file: Serve, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return the address of a server that all tests of a file share, and its workspace."""
    home = tmp_path_factory.mktemp("shared") / "workspace"
    return serve_file(home), home


@pytest.fixture
def shared(served_home: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of the file's server; the test works in that server's workspace."""
    address, home = served_home
    monkeypatch.setenv("LYMPH_HOME", str(home))
    return address


@pytest.fixture(scope="session")
def demonstration_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with the demonstration set, as an earlier server has left it, and no run.

    The walk begins without it: there a server draws the set and reads its pictures.
    """
    # The first process that needs the set makes it for all.
    base = tmp_path_factory.getbasetemp()
    first = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "drawn"
    with FileLock(f"{first}.lock"):
        if not demonstration_of(first).exists():
            make_demo(demonstration_of(first))
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("LYMPH_HOME", str(first))
                make_ahead(demonstration_of(first), lambda *_: None)
    return copy_home(first, tmp_path_factory.mktemp("demonstration"))


def demonstration_of(home: Path) -> Path:
    """Return where the demonstration set of a workspace lies."""
    return home / "data" / "demonstration"


def copy_home(home: Path, to: Path) -> Path:
    """Copy the demonstration set of a workspace, and what was made of its pictures."""
    own, copy = demonstration_of(home), demonstration_of(to)
    shutil.copytree(own, copy)
    # A set's part of the cache is named after its place.
    cache = [cache_folder(root).name for root in (own, copy)]
    shutil.copytree(home / "cache" / cache[0], to / "cache" / cache[1])
    return to


@pytest.fixture(scope="session")
def demonstration(serve_all: Serve, demonstration_home: Path) -> str:
    """Return the address of an app whose workspace holds the demonstration set and no run."""
    return serve_all(demonstration_home)


@pytest.fixture(scope="session")
def with_runs(
    serve_all: Serve, demonstration_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the address of an app that holds the demonstration set with its two runs.

    Its visitors look and change nothing.
    """
    home = copy_home(demonstration_home, tmp_path_factory.mktemp("with_runs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home))
        take_in_ready_runs(demonstration_of(home))
    return serve_all(home)


@pytest.fixture(scope="session")
def visitor(browser: Browser) -> BrowserContext:
    """Return what all pages of this process open in: it keeps the app's scripts, as browsers do.

    Reading them anew for each test takes a browser more than twice as long as opening a page.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """Return a fresh page; the test fails when any request leaves 127.0.0.1 or a script breaks.

    What an earlier page has left in the browser is forgotten, but for scripts.
    """
    visitor.clear_cookies()
    visitor.clear_permissions()
    opened = visitor.new_page()
    opened.add_init_script(FORGET)
    outside: list[str] = []
    broken: list[str] = []
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")
    opened.on("request", lambda r: None if r.url.startswith(local) else outside.append(r.url))
    opened.on("websocket", lambda w: None if w.url.startswith(local) else outside.append(w.url))
    opened.on("pageerror", lambda error: broken.append(str(error)))
    yield opened
    for other in visitor.pages:
        other.close()
    assert not outside, f"requests left this machine: {outside}"
    assert not broken, f"scripts broke: {broken}"


class Line:
    """What a page asks its server for, and what the server has done of it.

    Streamlit calls itself "notRunning" until the server's answer to a click has arrived, and for a
    moment between a run that was broken off and the next. So what was asked for is counted here,
    and what has ended: a run never ends twice, so all is done when as many have ended.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked = self.ended = 0
        self.ended_since = False
        self.heard = time.monotonic()
        page.on("request", self._leaves)
        page.on("websocket", self._opens)

    def _leaves(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.asked = self.ended = 0

    def _opens(self, socket: WebSocket) -> None:
        if "/_stcore/stream" in socket.url:
            # What an earlier line of the page left undone is asked for again, where it is wanted.
            self.ended = self.asked
            socket.on("framesent", self._asks)
            socket.on("framereceived", self._hears)

    def _asks(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes):
            asks = BackMsg.FromString(frame).HasField("rerun_script")
            self.ended = min(self.ended, self.asked)
            self.asked += asks
            self.ended_since = self.ended_since and not asks

    def _hears(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes):
            said = ForwardMsg.FromString(frame)
            # What was broken off goes on in the next run.
            early = said.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            ends = said.HasField("script_finished") and not early
            self.ended += ends
            self.ended_since = self.ended_since or ends
            self.heard = time.monotonic()

    def settle(self) -> None:
        """Wait until all that was asked for is done, and the page shows it."""
        end = time.monotonic() + PATIENCE_MS / 1000
        self.page.evaluate(TWO_FRAMES)  # what a click asks for is on its way then
        while not self._is_answered():
            assert time.monotonic() < end, f"{self.ended} of {self.asked} runs ended"
            self.page.wait_for_timeout(20)
        self.page.evaluate(TWO_FRAMES)
        self.page.locator(IDLE).wait_for()

    def _is_answered(self) -> bool:
        if self.ended < self.asked and self.ended_since:
            # One run may have answered several clicks: nothing comes after it.
            quiet = time.monotonic() - self.heard > QUIET_SECONDS
            if quiet and self.page.locator(IDLE).count() == 1:
                self.ended = self.asked
        return 0 < self.asked <= self.ended


@pytest.fixture
def settle(page: Page) -> Callable[[], None]:
    """Return a function that waits until the app has done all that its page asked for."""
    return Line(page).settle


def press(page: Page, key: str) -> None:
    """Press a key of the stage as soon as the page listens for it: its script comes by itself."""
    page.locator("html[data-keys]").wait_for(state="attached")
    page.keyboard.press(key)


def set_epochs(page: Page, settle: Callable[[], None], epochs: int) -> None:
    """Open the settings of a training and say how long it is to be."""
    settle()  # Settings opened while the page is still being drawn close again.
    page.get_by_text("Settings", exact=True).click()
    field = page.get_by_label("Epochs", exact=True)
    field.fill(str(epochs))
    field.press("Enter")
    settle()


@pytest.fixture
def drop(page: Page) -> Drop:
    """Return a function that drops files on an element as a mouse does: enter, over, drop."""

    def drop_on(selector: str, files: list[Path]) -> None:
        contents = [[f.name, base64.b64encode(f.read_bytes()).decode()] for f in files]
        transfer = page.evaluate_handle(MAKE_TRANSFER, contents)
        for event in ("dragenter", "dragover", "drop"):
            page.dispatch_event(selector, event, {"dataTransfer": transfer})

    return drop_on
