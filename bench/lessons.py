"""Every lesson over five seeds: ``python -m bench.lessons [FOLDER] --out FILE``.

Each lesson runs as a page runs it, in a process of its own and on one core, on the pictures of
FOLDER (without it, on the demonstration set, drawn anew). Which guess came true and the dearest
run's processor time go to the screen, all figures to FILE; a second call goes on where the first
stopped.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.lessons.catalogue import LESSONS, lesson_of
from lymph.lessons.findings import find
from lymph.synthetic import make_demo


def run_here(slug: str, folder: str, seed: int) -> dict[str, Any]:
    """Run one lesson in this process and return its figures and seconds of processor time."""
    import torch

    from lymph.lessons.data import load_lesson_data

    torch.set_num_threads(1)
    began = time.process_time()
    figures = lesson_of(slug).module().run(load_lesson_data(PictureSource(folder)), seed=seed)
    return {"figures": figures, "seconds": time.process_time() - began}


def run_apart(slug: str, folder: str, seed: int) -> dict[str, Any]:
    """Run one lesson in a process of its own."""
    command = [sys.executable, "-m", "bench.lessons", folder, "--one", slug, "--seeds", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def tell(slug: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return a lesson's row: which guess came true for each seed, and the dearest run."""
    lesson = lesson_of(slug)
    happened = [find(slug, row["figures"]).happened for row in rows]
    guesses = " ".join("ABCDE"[place] for place in happened)
    return f"| {lesson.title} | {guesses} | {max(row['seconds'] for row in rows):.0f} s |"


def main() -> None:
    """Run what is not there yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--out", type=Path, help="file of all figures, as JSON")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--one", metavar="LESSON", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_here(options.one, options.folder, options.seeds[0])))
        return
    with tempfile.TemporaryDirectory() as place:
        os.environ["LYMPH_HOME"] = place
        folder = options.folder or str(make_demo(Path(place) / "demonstration"))
        file = options.out or Path(place) / "lessons.json"
        found = workspace.read_json(file) if file.exists() else {}
        for lesson in LESSONS:
            rows = found.setdefault(lesson.slug, {})
            for seed in options.seeds:
                if str(seed) not in rows:
                    rows[str(seed)] = run_apart(lesson.slug, folder, seed)
                    workspace.write_json(file, found)
            print(tell(lesson.slug, list(rows.values())), flush=True)


if __name__ == "__main__":
    main()
