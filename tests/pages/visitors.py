"""Visitors without a browser: real sessions of a real server over the app's own websocket."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from lymph import workspace
from pages.shared.visitor import COOKIE
from tests.serving import free_port, know_speeds, wait_until_healthy
from tests.waiting import PATIENCE

from .conftest import APP

PATIENCE_SECONDS = 120

# The app as it is, but that a run waits in its queue for good: thirty trainings would take an hour.
# Nobody who visits it asks for torch, which is not loaded for them.
SERVER = """
import sys
from lymph import runs
from lymph.jobs import start
from lymph.training import estimate
{waits}
estimate.estimate_seconds = lambda *_: 150.0
from pages.shared.server import ahead
ahead.load_torch = lambda: None
from streamlit.web.cli import main
sys.argv = ["streamlit", *sys.argv[1:]]
main()
"""
# A run that is made and not queued, or one that has its ticket and whose process never comes.
MADE = "runs.start_run = lambda run: None"
QUEUED = "start.start_detached = lambda module, folder: None"


@contextlib.contextmanager
def served(log: Path, waits: str = MADE) -> Iterator[str]:
    """Serve the workspace of the test, and give the address of the app's websocket."""
    know_speeds(workspace.home())
    port = free_port()
    options = [f"--server.port={port}", "--server.headless=true"]
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER.format(waits=waits), "run", str(APP), *options],
            cwd=APP.parent,
            env={**os.environ, "PYTHONPATH": str(APP.parent)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", server)
        yield f"ws://127.0.0.1:{port}/_stcore/stream"
    finally:
        server.terminate()
        server.wait(PATIENCE)


class Visitor:
    """One session: what stands in its address, its buttons, and what it was told went wrong."""

    def __init__(self, connection: ClientConnection, page: str, query: str = "") -> None:
        self.connection, self.query = connection, query
        self.page_hash = self.session = ""
        self.buttons: dict[str, str] = {}
        self.exceptions: list[str] = []
        self.alerts: list[str] = []
        # What stands on the page, a text or a number each.
        self.texts: list[str] = []
        asked = BackMsg()
        asked.rerun_script.page_name = page
        self._send(asked)

    def look_again(self) -> list[str]:
        """Run the page once more, as any click does; return what stands on it."""
        self._send(BackMsg())
        return self.texts

    def press(self, key: str) -> None:
        """Press a button, and wait until the page stands."""
        asked = BackMsg()
        state = asked.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = self.buttons[key], True
        self._send(asked)

    @property
    def run(self) -> str:
        """Return the run that the address names, or nothing."""
        return parse_qs(self.query).get("run", [""])[0]

    def _send(self, asked: BackMsg) -> None:
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_script_hash = self.page_hash
        self.connection.send(asked.SerializeToString())
        self.buttons, self.texts = {}, []
        while not self._ends(ForwardMsg.FromString(self.connection.recv(PATIENCE_SECONDS))):
            pass

    def _ends(self, told: ForwardMsg) -> bool:
        kind = told.WhichOneof("type")
        if kind == "new_session":
            self.session = told.new_session.initialize.session_id
        elif kind == "page_info_changed":
            self.query = told.page_info_changed.query_string
        elif kind == "navigation":
            # Which page it is stands only here: a session begins without knowing the pages.
            self.page_hash = told.navigation.page_script_hash
        elif kind == "delta":
            element = told.delta.new_element
            if element.WhichOneof("type") == "button":
                # The id ends in the key that the page gave the button.
                self.buttons[element.button.id.rsplit("-", 1)[-1]] = element.button.id
            elif element.WhichOneof("type") == "exception":
                self.exceptions.append(element.exception.message)
            elif element.WhichOneof("type") == "alert":
                self.alerts.append(element.alert.body)
            elif element.WhichOneof("type") in ("markdown", "html", "metric"):
                shown = getattr(element, element.WhichOneof("type"))
                self.texts.append(f"{getattr(shown, 'label', '')} {shown.body}".strip())
        return kind == "script_finished" and told.script_finished == told.FINISHED_SUCCESSFULLY


@contextlib.contextmanager
def visit(address: str, page: str, token: str = "", query: str = "") -> Iterator[Visitor]:
    """Open a page of the app in a session of its own, in a browser that keeps a token."""
    headers = {"Cookie": f"{COOKIE}={token}"} if token else {}
    with connect(
        address, subprotocols=["streamlit"], max_size=None, additional_headers=headers
    ) as connection:
        yield Visitor(connection, page, query)
