"""``python -m bench.prepared``: make the figures of the lessons that come with lymph.

Every lesson is run on the demonstration set as a page runs it, and its figures are written with
six significant digits, so that the files stay small. Takes about six minutes on two cores.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.lessons.catalogue import LESSONS
from lymph.lessons.data import load_lesson_data
from lymph.lessons.live import VERSION
from lymph.lessons.prepared import FOLDER, prepared_file
from lymph.synthetic import make_demo

DIGITS = 6


def brief(value: Any) -> Any:
    """Return figures with numbers of few digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: brief(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [brief(part) for part in value]
    return value


def main() -> None:
    """Run every lesson and write its figures into the package."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        root = Path(home) / "demonstration"
        make_demo(root)
        data = load_lesson_data(root)
        for lesson in LESSONS:
            began = time.monotonic()
            figures = brief(lesson.module().run(data))
            document = {"version": VERSION, "lesson": lesson.slug, "figures": figures}
            workspace.write_json(prepared_file(lesson.slug), document)
            print(f"{lesson.slug}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
