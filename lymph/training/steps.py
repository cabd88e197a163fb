"""What a run does before it learns and after: how far it is, and how long it will still take."""

import time
from collections.abc import Callable

from lymph.parallel import Progress

# How often progress is told.
TELL_SECONDS = 1.0

# Takes the words, the share done (0 to 1) and the seconds left, 0 where nobody knows.
Tell = Callable[[str, float, float], None]


class Steps:
    """Tells of one step after the other, about once a second."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told = -TELL_SECONDS

    def begin(self, words: str) -> None:
        """Tell of a step whose length nobody knows."""
        self._tell(words, 0.0, 0.0)

    def following(self, words: str, unit: str = "") -> Progress:
        """Return what is to be called with how much is done and how much there is."""
        first: tuple[float, int] | None = None

        def progress(done: int, total: int) -> None:
            nonlocal first
            now = time.monotonic()
            if first is None or done < first[1]:
                first = (now, done)
            if now - self._told < TELL_SECONDS or not total:
                return
            self._told = now
            left = (now - first[0]) / max(1, done - first[1]) * (total - done)
            known = left if done > first[1] else 0.0
            self._tell(f"{words}: {done:,} of {total:,}{unit}", min(1.0, done / total), known)

        return progress
