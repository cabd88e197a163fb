"""Every lesson downloads as a notebook, and every notebook runs from top to bottom."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lymph
from lymph.data.source import PictureSource
from lymph.data.sources import demo_folder
from lymph.lessons.catalogue import LESSONS
from lymph.lessons.notebook import make_notebook

from .conftest import FAST, SHORT, write_fingerprints

HOME = Path(lymph.__file__).parents[1]

# In a fresh interpreter: the code cells of each file, top to bottom, in names of their own.
RUNNER = """
import json, sys, traceback
ended = {}
for path in sys.argv[1:]:
    cells = json.load(open(path, encoding="utf-8"))["cells"]
    names = {"__name__": "__main__"}
    try:
        for cell in cells:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), path, "exec"), names)
        ended[path] = sorted(names["figures"])
    except Exception:
        ended[path] = traceback.format_exc()
print("RESULT" + json.dumps(ended))
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Run all notebooks, each with short settings, and return how each ended."""
    home = tmp_path_factory.mktemp("notebooks")
    root = write_fingerprints(home / "pictures", pictures=3)
    paths = {}
    for lesson in LESSONS:
        path = home / f"{lesson.slug}.ipynb"
        short = (FAST | SHORT)[lesson.slug]
        quick = {n: 1 if n == "epochs" else value for n, value in short.items()}
        path.write_text(
            make_notebook(lesson, PictureSource(root), settings=quick),
            encoding="utf-8",
        )
        paths[lesson.slug] = str(path)
    environment = {**os.environ, "LYMPH_HOME": str(home / "workspace"), "PYTHONPATH": str(HOME)}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *paths.values()],
        env=environment, cwd=home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "RESULT" in done.stdout, done.stderr
    results = json.loads(done.stdout.split("RESULT")[1])
    return {slug: results[path] for slug, path in paths.items()}


@pytest.mark.parametrize("slug", [lesson.slug for lesson in LESSONS])
def test_it_runs_from_top_to_bottom(slug: str, ended: dict[str, object]) -> None:
    assert isinstance(ended[slug], list), ended[slug]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_it_is_a_notebook(lesson: object, tmp_path: Path) -> None:
    document = json.loads(make_notebook(lesson, PictureSource(tmp_path)))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    cells = document["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        assert all(isinstance(line, str) for line in cell["source"])
        assert ("outputs" in cell) == (cell["cell_type"] == "code")
    text = "".join("".join(cell["source"]) for cell in cells)
    for words in (lesson.question, lesson.broken, lesson.fixed, lesson.takeaway):
        assert words in text
    assert repr(str(tmp_path)) in text


def test_of_the_demonstration_set_it_names_no_folder_of_this_machine() -> None:
    text = make_notebook(LESSONS[0], PictureSource(demo_folder()))
    assert "make_demonstration()" in text
    assert str(demo_folder()) not in text
