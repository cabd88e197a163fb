"""The process that runs a lesson: ``python -m lymph.lessons.worker FOLDER``.

Lessons of one workspace take turns, so that a class that opens them all does not run them at once.
"""

import os
import sys
import time
import traceback
from pathlib import Path

from filelock import FileLock

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError
from lymph.lessons.catalogue import lesson_of
from lymph.lessons.live import FIGURES, REQUEST, tell_status
from lymph.training import folder as files
from lymph.training.worker import NICENESS


class Stopped(Exception):
    """Somebody asked the lesson to stop."""


def _figures(folder: Path) -> dict:
    """Run the lesson that a folder asks for and tell its progress there."""
    from lymph.lessons.data import load_lesson_data

    request = workspace.read_json(folder / REQUEST)

    def tell(share: float, text: str) -> None:
        if (folder / files.STOP).exists():
            raise Stopped
        print(text, flush=True)
        tell_status(folder, share=share)

    tell(0.0, "Reading the pictures.")
    data = load_lesson_data(PictureSource.from_json(request["source"]))
    return lesson_of(request["lesson"]).module().run(data, tell=tell)


def work(folder: Path) -> None:
    """Run a lesson and write its figures; every end stands in ``status.json``."""
    tell_status(folder, **files.own_process())
    turn = FileLock(folder.parents[1] / ".turn.lock")
    with turn:
        tell_status(folder, state="running")
        started = time.monotonic()
        try:
            figures = _figures(folder)
        except Stopped:
            tell_status(folder, state="stopped")
        except LymphError as error:
            tell_status(folder, state="failed", error=str(error))
        except Exception as error:
            traceback.print_exc()
            words = f"{type(error).__name__}: {error} (see {folder / files.LOG})."
            tell_status(folder, state="failed", error=words)
        else:
            workspace.write_json(folder / FIGURES, figures)
            seconds = time.monotonic() - started
            print(f"Done in {seconds:.0f} s, {time.process_time():.0f} s of processor time.")
            tell_status(folder, state="finished", share=1.0, seconds=seconds)


def main() -> None:
    """Run as a process of its own, at low priority so that pages answer quickly."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    work(Path(sys.argv[1]).resolve())


if __name__ == "__main__":
    main()
