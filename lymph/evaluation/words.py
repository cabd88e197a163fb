"""Intervals in words: the one writer for pages, reports, lessons and messages."""

import re
from collections.abc import Callable, Iterable

NOT_GIVEN = "cannot be given"
# Ends that only further decimals tell apart are the same to anybody.
MOST_DECIMALS = 12


def figure_text(value: float) -> str:
    """Write a figure with two decimals, and nothing below zero as -0.00."""
    return with_minus(f"{round(value, 2) + 0.0:.2f}")


def interval_text(pair: Iterable[float] | None) -> str:
    """Write an interval of any figure with two decimals, or as many as tell its ends apart."""
    return _written(pair, lambda low, high: " to ".join(written_apart(low, high, 2)))


def percent_interval_text(pair: Iterable[float] | None) -> str:
    """Write an interval of a share, 0 to 1, in whole percent; a narrow one gets a further digit."""
    return _written(pair, _percent)


def interval_words(pair: Iterable[float] | None) -> str:
    """Write the 95 % interval of a share with its name, the same for pictures and patients."""
    return f"95 % interval {percent_interval_text(pair)}"


def written_apart(low: float, high: float, decimals: int) -> tuple[str, str]:
    """Write two different numbers so that they differ, with at least so many decimals.

    Two ends that read alike would look like an interval without width.
    """
    for count in range(decimals, MOST_DECIMALS + 1):
        # Plus zero, so that what rounds to nothing is not written as -0.
        first, second = (f"{round(value, count) + 0.0:.{count}f}" for value in (low, high))
        if first != second:
            break
    return first, second


def _written(pair: Iterable[float] | None, write: Callable[[float, float], str]) -> str:
    """Write an interval, or that there is none: one without width would promise certainty."""
    low, high = pair or (0.0, 0.0)
    return with_minus(write(low, high)) if low < high else NOT_GIVEN


def with_minus(text: str) -> str:
    """Set a minus sign before a number in place of a hyphen."""
    return re.sub(r"(?<![\w)])-(?=\d)", "\N{MINUS SIGN}", text)


def _percent(low: float, high: float) -> str:
    return f"{' to '.join(written_apart(100 * low, 100 * high, 0))} %"
