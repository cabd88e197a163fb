"""What a server does before anybody asks for it: once, and beside the pages.

What the pages are made of is loaded when the server starts, and torch after the first page; the
machine's speed is measured and the first data set's pictures are read, by processes of their own,
since threads of the server would take the pages' time. Who comes meanwhile sees how far it is.
"""

import ast
import contextlib
import logging
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from streamlit import delta_generator
from streamlit.runtime.pages_manager import PagesManager

from lymph import workspace

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[3]

# Whether a server runs; without one nothing is done ahead, and pages do it when it is their turn.
_serving = threading.Event()
# Whether a visitor has had a whole page. While torch is loaded it takes the interpreter's time:
# whoever starts the app read the first words 0.8 s later by it. So it waits for them, this long.
_shown = threading.Event()
FIRST_VISIT_SECONDS = 10.0
_lock = threading.Lock()
# By model, the process that measures it; and the sets whose pictures were prepared, one at a time.
_measuring: dict[tuple[str, str], subprocess.Popen[str]] = {}
_prepared: dict[tuple[str, str], threading.Thread] = {}
_preparing = threading.Lock()


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Begin when the server does."""
    _serving.set()
    threading.Thread(target=_begin, name="ahead", daemon=True).start()
    yield


def page_was_shown() -> None:
    """Take note that a visitor has a whole page, after which what takes long may begin."""
    _shown.set()


def spare_first_visit() -> None:
    """Answer, as a server is made, what Streamlit else finds out in its first visitor's time.

    This app has no pages of Streamlit's old mode, in which a deep link would run a page's file
    alone first. Nor does anybody draw at Python's prompt: to tell, the first element that is drawn
    looks for the file of every module.
    """
    PagesManager.uses_pages_directory = False
    delta_generator._use_warning_has_been_displayed = True


def _begin() -> None:
    """Load what pages need, measure the small network, and prepare the data set shown first."""
    from lymph.data import sources

    try:
        load_parts()
        known = sources.list_data_sets()
        if known and known[0].path.is_dir():
            prepare(known[0].path)
        _shown.wait(FIRST_VISIT_SECONDS)
        load_torch()
        # Where a set has to be drawn first, the machine is measured when somebody asks.
        for preparing in list(_prepared.values()):
            preparing.join()
            measure("cnn")
    except Exception:
        # Every page does without.
        log.exception("Not everything could be prepared.")


def load_parts() -> None:
    """Load what the pages are put together from; pages themselves run for visitors only."""
    import streamlit.emojis  # noqa: F401 - for the icon of the window

    from pages.shared import navigation, sidebar  # noqa: F401 - what all pages share
    from pages.shared.visit import door  # noqa: F401 - what all pages share

    for page in (navigation.START, *navigation.FILES.values()):
        for name in imports_of((ROOT / page).read_text(encoding="utf-8")):
            # Of a package it may be a module or anything else.
            with contextlib.suppress(ModuleNotFoundError):
                import_module(name)


def load_torch() -> None:
    """Load what answers for pictures, with torch, which takes seconds."""
    import lymph.inference  # noqa: F401 - for those who ask first


def imports_of(code: str) -> Iterator[str]:
    """Yield the names of the modules that code loads first, and what it takes from them."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.Import):
            yield from (taken.name for taken in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{taken.name}" for taken in node.names)


def measure(model: str) -> bool:
    """Measure how fast this machine trains a model unless it was; tell whether that goes on."""
    from lymph.training import speed

    if not _serving.is_set() or speed.known(model) is not None:
        return False
    key = (str(workspace.home()), model)
    with _lock:
        if key not in _measuring:
            _measuring[key] = helper = speed.start_measuring(model)
            # Else its end would stand in the list of processes until somebody asks.
            threading.Thread(target=helper.wait, daemon=True).start()
        return _measuring[key].poll() is None


def prepare(root: Path) -> None:
    """Read, shrink and measure a data set's pictures unless this server has done so."""
    key = (str(workspace.home()), str(root))
    with _lock:
        if _serving.is_set() and key not in _prepared:
            _prepared[key] = threading.Thread(target=_prepare, args=(root,), daemon=True)
            _prepared[key].start()


def preparing(root: Path) -> bool:
    """Tell whether a data set's pictures are being prepared."""
    thread = _prepared.get((str(workspace.home()), str(root)))
    return thread is not None and thread.is_alive()


def _prepare(root: Path) -> None:
    """Hold the turns of a helper's steps while it takes them, and tell those who wait."""
    from lymph.data.ahead import LINE_HEIGHT, MEASURE, READ, SEE, start_ahead
    from pages.shared.loading import turn_of

    turns = {
        READ: turn_of(("read", str(root))),
        SEE: turn_of(("thumbnails", str(root), LINE_HEIGHT)),
        MEASURE: turn_of(("measure", str(root))),
    }
    with _preparing, contextlib.ExitStack() as held:
        ends = {step: held.enter_context(turn.held()) for step, turn in turns.items()}
        with start_ahead(root) as helper:
            for line in helper.stdout or ():
                step, done, total = line.split()
                turns[step].tell(int(done), int(total))
                if total == "0":
                    ends[step]()
