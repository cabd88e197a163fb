"""What a lesson and its finding are; every lesson's words are made of these. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lymph.evaluation import interval_words

Figures = Mapping[str, Any]

STEPS = ("Question", "Run", "Answer", "Lines", "Take-away")

# In broken.py and fixed.py: what follows this line is shown, what is above it only makes it run.
SHOWN = "# ---- what the lesson shows ----\n"


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    slug : str
        Its name in addresses; with underscores for hyphens, that of its folder in this room.
    title : str
        Neutral: it stands in the list and over the question, so it must not tell the answer.
    story : str
        What happened, before the question is asked.
    choices : tuple of str
        The guesses; which one came true is told by ``find``, beside this record.
    task : str
        What the live run does.
    because : str
        Why such things happen, true of every run; what this run showed is told by the findings.
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
    title: str
    question: str
    story: str
    choices: tuple[str, ...]
    task: str
    because: str
    takeaway: str
    source: str
    source_address: str
    terms: tuple[str, ...]
    seconds: int
    number: int = 0

    @property
    def folder(self) -> str:
        """The name of its folder in this room."""
        return self.slug.replace("-", "_")

    @property
    def broken(self) -> str:
        """The lines that are wrong, of its file ``broken.py``."""
        return self._lines("broken.py")

    @property
    def fixed(self) -> str:
        """The lines that are right, of its file ``fixed.py``."""
        return self._lines("fixed.py")

    def _lines(self, name: str) -> str:
        file = Path(__file__).parent / self.folder / name
        return file.read_text(encoding="utf-8").partition(SHOWN)[2].strip()

    def module(self) -> ModuleType:
        """Import the lesson's live run, its function ``run``, and torch with it."""
        return import_module(f"lymph.lessons.{self.folder}.experiment")


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


def points(more: float, less: float) -> int:
    """Return how many points, as they are written, one share is above another."""
    return round(100 * more) - round(100 * less)


def inside(sentence: str) -> str:
    """Return a sentence as it stands after the beginning of another."""
    return sentence[0].lower() + sentence[1:]
