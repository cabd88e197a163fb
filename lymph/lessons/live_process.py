"""What the process of a lesson does: run it on the pictures that its folder names."""

import time
from pathlib import Path

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.jobs.status import change_status
from lymph.jobs.worker import check_stop
from lymph.lessons.catalogue import lesson_of
from lymph.lessons.data import load_lesson_data
from lymph.lessons.live import FIGURES, REQUEST


def work(folder: Path) -> None:
    """Run the lesson that a folder asks for, tell its progress there, and keep its figures.

    Raises
    ------
    LymphError
        When the pictures cannot serve.
    Stopped
        When somebody asked for it.
    """
    started = time.monotonic()
    request = workspace.read_json(folder / REQUEST)

    def tell(share: float, text: str) -> None:
        check_stop(folder)
        print(text, flush=True)
        change_status(folder, share=share)

    tell(0.0, "Reading the pictures.")
    data = load_lesson_data(PictureSource.from_json(request["source"]))
    figures = lesson_of(request["lesson"]).module().run(data, tell=tell)
    workspace.write_json(folder / FIGURES, figures)
    seconds = time.monotonic() - started
    print(f"Done in {seconds:.0f} s, {time.process_time():.0f} s of processor time.", flush=True)
