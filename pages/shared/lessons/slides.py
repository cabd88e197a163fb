"""The steps of a lesson in parts: all of a step on one screen, or one slide each on a projector."""

from collections.abc import Callable
from functools import partial

from lymph.lessons.lesson import STEPS
from pages.shared.lessons.answer import answer_parts
from pages.shared.lessons.fix import fix_parts, show_takeaway
from pages.shared.lessons.question import show_guesses, text_parts
from pages.shared.lessons.run import show_run
from pages.shared.lessons.scene import Scene

Part = Callable[[], None]


def parts_of(scene: Scene, step: int) -> list[Part]:
    """Return the parts of a step, 1 to 5, in order; each is a slide on stage."""
    steps: dict[str, Callable[[Scene], list[Part]]] = {
        "Question": _question_parts,
        "Run": lambda scene: [partial(show_run, scene)],
        "Answer": answer_parts,
        "Lines": fix_parts,
        "Take-away": lambda scene: [partial(show_takeaway, scene)],
    }
    return steps[STEPS[step - 1]](scene)


def _question_parts(scene: Scene) -> list[Part]:
    lesson = scene.lesson
    return [*text_parts(lesson.story, scene.stage), partial(show_guesses, scene)]
