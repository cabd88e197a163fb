"""The broken variants stay in their room, and their room is marked."""

import ast
import subprocess
import sys
from pathlib import Path

import lymph
from lymph.glossary import GLOSSARY
from lymph.lessons.catalogue import FROM_STUDIES, FROM_THE_NOTEBOOK, LESSONS
from lymph.lessons.lesson import STEPS

HOME = Path(lymph.__file__).parents[1]
ROOM = HOME / "lymph" / "lessons"
ALLOWED = {
    HOME / "pages" / "lessons.py",
    *(HOME / "pages" / "shared" / "lessons").glob("*.py"),
}
PLAIN = (
    *("arithmetic", "catalogue", "colour_views", "findings", "lesson", "live", "notebook"),
    *("prepared", "progress"),
)
WITHOUT_TORCH = (*PLAIN, *(f"{lesson.folder}.words" for lesson in LESSONS))


def imported(file: Path) -> set[str]:
    """Return the modules that a file names in its imports, wherever they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_outside_reaches_the_broken_variants() -> None:
    files = [HOME / "app.py", *(HOME / "lymph").rglob("*.py"), *(HOME / "pages").rglob("*.py")]
    outside = [file for file in files if ROOM not in file.parents and file not in ALLOWED]
    assert len(outside) > 50
    guilty = {
        str(file.relative_to(HOME))
        for file in outside
        if any(name.startswith("lymph.lessons") for name in imported(file))
        or '"lymph.lessons' in file.read_text(encoding="utf-8")
    }
    assert not guilty


def test_the_room_and_all_that_is_broken_are_marked() -> None:
    marked = [ROOM / "__init__.py", ROOM / "forgetful_loop.py", *ROOM.glob("*/broken.py")]
    assert len(marked) == 2 + len(LESSONS)
    for file in marked:
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert (docstring or "").startswith("BROKEN ON PURPOSE"), file


def test_every_lesson_is_a_folder_and_every_folder_a_lesson() -> None:
    """A folder that nobody lists is seen by nobody, and one that lacks a file fails in class."""
    folders = [lesson.folder for lesson in LESSONS]
    assert folders == [*FROM_THE_NOTEBOOK, *FROM_STUDIES]
    assert sorted(folders) == sorted(path.parent.name for path in ROOM.glob("*/words.py"))
    files = {"__init__.py", "words.py", "experiment.py", "broken.py", "fixed.py"}
    for folder in folders:
        assert {path.name for path in (ROOM / folder).glob("*.py")} == files, folder


def test_pages_need_no_torch_for_the_lessons() -> None:
    names = ", ".join(f"lymph.lessons.{name}" for name in WITHOUT_TORCH)
    code = f"import sys, lymph.charts.lessons, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=HOME, check=False).returncode == 0


def test_every_lesson_is_whole() -> None:
    assert [lesson.number for lesson in LESSONS] == list(range(1, len(LESSONS) + 1))
    assert len({lesson.slug for lesson in LESSONS}) == len(LESSONS) >= 9
    assert len(STEPS) == 5
    for lesson in LESSONS:
        assert len(lesson.choices) == 3
        assert lesson.source_address.startswith("https://")
        assert set(lesson.terms) <= set(GLOSSARY)
        assert lesson.seconds < 60
        # Two sentences, as one can say them.
        assert sum(lesson.takeaway.count(end) for end in (". ", ".")) >= 2
        ast.parse(lesson.broken)
        ast.parse(lesson.fixed)
        widest = max(len(line) for line in f"{lesson.broken}\n{lesson.fixed}".splitlines())
        assert widest <= 56, "two columns of code stand side by side on a projector"
