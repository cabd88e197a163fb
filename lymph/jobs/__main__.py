"""``python -m lymph.jobs MODULE FOLDER``; the worker itself is imported once, as all import it.

Thirty that start at once would take the pages' time: so each has a low priority, which it takes
along into a session of its own, and they load what they need one after the other.
"""

import contextlib
import os
import time

from lymph.jobs.priority import TRAININGS_NICE, give_way

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PATIENCE_SECONDS, LOOK_SECONDS = 20.0, 0.05


@contextlib.contextmanager
def one_at_a_time():  # noqa: ANN201 - without typing, which takes as long as all the rest
    """Wait until no other job of this workspace is loading, but not for ever."""
    if fcntl is None:
        yield
        return
    home = os.path.join(os.environ.get("LYMPH_HOME") or "workspace", "jobs")
    os.makedirs(home, exist_ok=True)
    with open(os.path.join(home, ".loading.lock"), "wb") as lock:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(LOOK_SECONDS)
        yield


def outlive_the_server() -> None:
    """Leave the session that this process was started in: what ends that does not end the job."""
    # Windows has none, and who was started by hand may lead one already.
    with contextlib.suppress(AttributeError, OSError):
        os.setsid()


outlive_the_server()
with one_at_a_time():
    # One after the other: Linux lets ten sessions a second be lowered.
    give_way(TRAININGS_NICE)
    from lymph.jobs.worker import main
main()
