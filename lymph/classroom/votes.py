"""What a class guesses: one guess for each visitor and question, kept for one meeting.

A meeting lasts from one ``python -m lymph serve`` to the next. The lecturer opens a vote on a
question, closes and clears it; one vote is open at a time. Whoever has the link may guess, with or
without a name.
"""

import hashlib
import time
from typing import NamedTuple

from lymph.classroom.owners import for_lecturer
from lymph.classroom.settings import class_settings
from lymph.classroom.who import Visitor
from lymph.database import reading, transaction
from lymph.errors import ClassError

# No lecture hall holds more; whoever makes up visitors gets no further.
MOST_VOTERS = 1000


class Vote(NamedTuple):
    """A vote on a question as it stands.

    Attributes
    ----------
    question : str
        Its name, as the slug of a lesson.
    open : bool
        Whether guesses are still taken.
    counts : tuple of int
        Guesses for each answer.
    own : int or None
        The place of the answer that the visitor guessed.
    """

    question: str
    open: bool
    counts: tuple[int, ...]
    own: int | None = None

    @property
    def total(self) -> int:
        """Return how many have guessed."""
        return sum(self.counts)


def open_vote(who: Visitor, question: str) -> None:
    """Open the vote on a question, again if it was closed; any other one is closed.

    Raises
    ------
    ClassError
        When this is no class, or somebody else than the lecturer asks.
    """
    for_lecturer(who, _open, _meeting(), question)


def close_vote(who: Visitor, question: str) -> None:
    """Take no more guesses; those that came are kept.

    Raises
    ------
    ClassError
        As :func:`open_vote`.
    """
    for_lecturer(who, _close, _meeting(), question)


def clear_vote(who: Visitor, question: str) -> None:
    """Forget a vote with all its guesses.

    Raises
    ------
    ClassError
        As :func:`open_vote`.
    """
    for_lecturer(who, _clear, _meeting(), question)


def guess(who: Visitor, question: str, choice: int, choices: int) -> None:
    """Keep a visitor's guess; a second one takes the place of the first.

    Parameters
    ----------
    who : Visitor
        A name is not needed.
    question : str
    choice : int
        The place of the answer.
    choices : int
        How many answers there are.

    Raises
    ------
    ClassError
        When the vote is not open, there is no such answer, or more vote than can be there.
    """
    if not 0 <= choice < choices:
        raise ClassError("There is no such answer; choose one of those shown.")
    key = (_meeting(), question)
    with transaction() as database:
        query = "SELECT open FROM questions WHERE meeting = ? AND question = ?"
        row = database.execute(query, key).fetchone()
        if row is None or not row[0]:
            raise ClassError("This vote is closed; your answer was not counted.")
        others = "SELECT COUNT(*) FROM votes WHERE meeting = ? AND question = ? AND voter != ?"
        if database.execute(others, [*key, who.id]).fetchone()[0] >= MOST_VOTERS:
            raise ClassError(f"More than {MOST_VOTERS} visitors have voted; no more can.")
        database.execute("REPLACE INTO votes VALUES (?, ?, ?, ?)", [*key, who.id, choice])


def vote_on(who: Visitor, question: str, choices: int) -> Vote | None:
    """Return the vote on a question, or None where there is none in this meeting or no class."""
    if class_settings() is None:
        return None
    key = (_meeting(), question)
    with reading() as database:
        asked = "SELECT open FROM questions WHERE meeting = ? AND question = ?"
        row = database.execute(asked, key).fetchone()
        if row is None:
            return None
        guesses = "SELECT voter, choice FROM votes WHERE meeting = ? AND question = ?"
        votes = dict(database.execute(guesses, key))
    counts = tuple(sum(choice == place for choice in votes.values()) for place in range(choices))
    return Vote(question, bool(row[0]), counts, votes.get(who.id))


def latest_question() -> str:
    """Return the question asked last in this meeting, or nothing before the first."""
    if class_settings() is None:
        return ""
    query = "SELECT question FROM questions WHERE meeting = ? ORDER BY asked DESC LIMIT 1"
    with reading() as database:
        row = database.execute(query, [_meeting()]).fetchone()
    return row[0] if row else ""


def _meeting() -> str:
    """Name this meeting: its key is made anew whenever a class is served."""
    settings = class_settings()
    if settings is None:
        raise ClassError("A vote needs a class; start one with `python -m lymph serve`.")
    return hashlib.sha256(f"meeting {settings.key}".encode()).hexdigest()[:16]


def _open(meeting: str, question: str) -> None:
    with transaction() as database:
        database.execute("UPDATE questions SET open = 0 WHERE meeting = ?", [meeting])
        database.execute(
            "REPLACE INTO questions VALUES (?, ?, 1, ?)", [meeting, question, time.time()]
        )


def _close(meeting: str, question: str) -> None:
    with transaction() as database:
        database.execute(
            "UPDATE questions SET open = 0 WHERE meeting = ? AND question = ?", [meeting, question]
        )


def _clear(meeting: str, question: str) -> None:
    with transaction() as database:
        for table in ("questions", "votes"):
            database.execute(
                f"DELETE FROM {table} WHERE meeting = ? AND question = ?", [meeting, question]
            )
