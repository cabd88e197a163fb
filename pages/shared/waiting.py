"""What something that waits for its turn is waiting for."""

from pathlib import Path

import streamlit as st

from lymph import workspace
from lymph.jobs import queue
from lymph.text import counted
from pages.shared.frame import plain
from pages.shared.loading import duration

# A class looks at one queue: it is read once for all who ask within so many seconds.
READ_SECONDS = 1.0


@st.cache_resource(show_spinner=False, ttl=READ_SECONDS, max_entries=4)
def _known(home: str) -> queue.Known:
    return queue.look()


def known_to(folder: Path) -> queue.Known:
    """Return who runs and waits, as it was read a moment ago; a job that is newer is among them."""
    home = str(workspace.home())
    if all(ticket.folder != folder for ticket, _ in _known(home)):
        _known.clear(home)
    return _known(home)


def ahead_of(folder: Path) -> list[queue.Job]:
    """List the jobs that a waiting one waits for; see :func:`lymph.jobs.queue.ahead_of`."""
    return queue.ahead_of(folder, known_to(folder))


def waiting_words(folder: Path) -> str:
    """Say what a queued job waits for, and for how long where that is known; else it starts."""
    ahead = ahead_of(folder)
    if not ahead:
        return "Starting"
    words = f"Waiting for ‘{plain(ahead[0].title)}’"
    if len(ahead) > 1:
        return f"{words} and {counted(len(ahead) - 1, 'other')}"
    left = ahead[0].seconds_left()
    return words if left is None else f"{words}, about {duration(left)}"
