"""What something that waits for its turn is waiting for."""

from pathlib import Path

from lymph.jobs import queue
from lymph.text import counted
from pages.shared.frame import plain
from pages.shared.loading import duration


def waiting_words(folder: Path) -> str:
    """Say what a queued job waits for, and for how long where that is known; else it starts."""
    ahead = queue.ahead_of(folder)
    if not ahead:
        return "Starting"
    words = f"Waiting for ‘{plain(ahead[0].title)}’"
    if len(ahead) > 1:
        return f"{words} and {counted(len(ahead) - 1, 'other')}"
    left = ahead[0].seconds_left()
    return words if left is None else f"{words}, about {duration(left)}"
