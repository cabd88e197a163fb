"""What a class guesses: one guess each, for one question and one meeting."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lymph.classroom.settings import ClassSettings
from lymph.classroom.votes import (
    Vote,
    clear_vote,
    close_vote,
    guess,
    latest_question,
    open_vote,
    vote_on,
)
from lymph.classroom.who import FREE, Visitor, visitor_of
from lymph.errors import ClassError


def test_thirty_phones_guess_at_once_and_each_counts_once(lecturer: Visitor) -> None:
    """Everyone taps twice, as people do; the second tap replaces the first."""
    open_vote(lecturer, "leak")
    phones = [visitor_of(f"phone {number}") for number in range(30)]

    def tap(place: int) -> None:
        guess(phones[place], "leak", 0, 3)
        guess(phones[place], "leak", place % 3, 3)

    with ThreadPoolExecutor(30) as class_:
        list(class_.map(tap, range(30)))
    assert vote_on(phones[4], "leak", 3) == Vote("leak", True, (10, 10, 10), own=1)
    assert vote_on(visitor_of("someone else"), "leak", 3).own is None


def test_a_closed_vote_takes_no_more_and_keeps_what_came(lecturer: Visitor, anna: Visitor) -> None:
    open_vote(lecturer, "leak")
    guess(anna, "leak", 2, 3)
    close_vote(lecturer, "leak")
    with pytest.raises(ClassError, match="closed"):
        guess(anna, "leak", 0, 3)
    assert vote_on(anna, "leak", 3) == Vote("leak", False, (0, 0, 1), own=2)
    open_vote(lecturer, "leak")
    assert vote_on(anna, "leak", 3) == Vote("leak", True, (0, 0, 1), own=2)
    clear_vote(lecturer, "leak")
    assert vote_on(anna, "leak", 3) is None and latest_question() == ""


def test_one_vote_is_open_at_a_time_and_phones_follow_it(lecturer: Visitor, anna: Visitor) -> None:
    open_vote(lecturer, "leak")
    open_vote(lecturer, "luck")
    assert latest_question() == "luck" and not vote_on(anna, "leak", 3).open
    with pytest.raises(ClassError, match="closed"):
        guess(anna, "leak", 0, 3)


@pytest.mark.parametrize("act", [open_vote, close_vote, clear_vote])
def test_a_student_cannot_run_the_vote(
    act: Callable[[Visitor, str], None], lecturer: Visitor, anna: Visitor
) -> None:
    open_vote(lecturer, "leak")
    with pytest.raises(ClassError, match="Only the lecturer"):
        act(anna, "leak")
    assert vote_on(anna, "leak", 3).open


def test_the_next_meeting_begins_without_the_last_ones_guesses(
    lecturer: Visitor, anna: Visitor, in_class: Callable[..., ClassSettings]
) -> None:
    open_vote(lecturer, "leak")
    guess(anna, "leak", 1, 3)
    in_class("WXYZ-WXYZ-WXYZ")
    assert vote_on(anna, "leak", 3) is None and latest_question() == ""


@pytest.mark.parametrize("choice", [-1, 3, 10**9])
def test_an_answer_that_is_not_there_is_refused(
    choice: int, lecturer: Visitor, anna: Visitor
) -> None:
    open_vote(lecturer, "leak")
    with pytest.raises(ClassError, match="no such answer"):
        guess(anna, "leak", choice, 3)


def test_without_a_class_there_is_no_vote() -> None:
    assert vote_on(FREE, "leak", 3) is None and latest_question() == ""
    with pytest.raises(ClassError, match="python -m lymph serve"):
        open_vote(FREE, "leak")
