"""What a lesson and its finding are; every lesson's words are made of these. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from lymph.evaluation import interval_words

Figures = Mapping[str, Any]

STEPS = ("Question", "Run", "Answer", "Lines", "Take-away")


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    slug : str
        Its name in addresses; ``module_name`` holds its function ``run``.
    title : str
        Neutral: it stands in the list and over the question, so it must not tell the answer.
    story : str
        What happened, before the question is asked.
    choices : tuple of str
        The guesses; which one came true is told by :mod:`lymph.lessons.findings`.
    task : str
        What the live run does.
    because : str
        Why such things happen, true of every run; what this run showed is told by the findings.
    broken, mended : str
        The lines that differ.
    takeaway : str
        Two sentences that no run can contradict.
    terms : tuple of str
        Entries of the glossary that the lesson uses.
    seconds : int
        About how long a run takes on two idle cores.
    number : int
        Its place, counted from 1; the catalogue gives it.
    """

    slug: str
    module_name: str
    title: str
    question: str
    story: str
    choices: tuple[str, ...]
    task: str
    because: str
    broken: str
    mended: str
    takeaway: str
    source: str
    source_address: str
    terms: tuple[str, ...]
    seconds: int
    number: int = 0

    def module(self) -> ModuleType:
        """Import the lesson's code, and torch with it."""
        return import_module(f"lymph.lessons.{self.module_name}")


class Number(NamedTuple):
    """A figure to show large, with a line about what it was counted on."""

    label: str
    value: str
    note: str


class Finding(NamedTuple):
    """``happened`` is the place of the guess that came true in this very run."""

    numbers: list[Number]
    sentence: str
    happened: int


def span(score: Figures) -> str:
    """Write what a score was counted on, with its interval."""
    counts = f"{score['pictures']} pictures of {score['patients']} patients"
    return f"{counts}, {interval_words(score['interval'])}"
