"""The lessons in the order in which they are taught: a folder each. No torch here."""

from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

from lymph.errors import LymphError
from lymph.lessons.lesson import Figures, Finding, Lesson
from lymph.text import brief

FROM_THE_NOTEBOOK = (
    "leak",
    "stale_optimiser",
    "broadcast",
    "mode",
    "class_weights",
    "freeze",
    "luck",
    "colour",
    "depth",
)
FROM_STUDIES = ("control", "patient_names", "coverage", "selection", "confidence")


class Words(Protocol):
    """A lesson's ``words.py``: its text, and what the figures of a run say."""

    LESSON: Lesson

    def find(self, figures: Figures) -> Finding:
        """Return what figures say."""
        ...


def words_of(folder: str) -> Words:
    """Import the words of a lesson."""
    return cast(Words, import_module(f"lymph.lessons.{folder}.words"))


LESSONS: tuple[Lesson, ...] = tuple(
    replace(words_of(folder).LESSON, number=place)
    for place, folder in enumerate((*FROM_THE_NOTEBOOK, *FROM_STUDIES), start=1)
)


def lesson_of(slug: str) -> Lesson:
    """Return the lesson of a name.

    Raises
    ------
    LymphError
        When there is none.
    """
    for lesson in LESSONS:
        if lesson.slug == slug:
            return lesson
    known = ", ".join(lesson.slug for lesson in LESSONS)
    raise LymphError(f"There is no lesson {brief(slug)}; choose one of {known}.")
