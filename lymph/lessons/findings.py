"""What a lesson's figures say, in two or three numbers and a sentence. No torch here."""

from lymph.errors import LymphError
from lymph.lessons.catalogue import lesson_of, words_of
from lymph.lessons.lesson import Figures, Finding


def find(slug: str, figures: Figures) -> Finding:
    """Return what the figures of a lesson say.

    Raises
    ------
    LymphError
        When figures are missing, as in those that another version of the lesson left behind.
    """
    try:
        return words_of(lesson_of(slug).folder).find(figures)
    except (KeyError, IndexError, TypeError) as error:
        words = "The figures kept of this lesson are incomplete: run it again."
        raise LymphError(words) from error
