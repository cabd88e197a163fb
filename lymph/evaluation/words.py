"""Intervals in words: the one writer for pages, reports, lessons and messages."""

import re
from collections.abc import Callable, Iterable

NOT_GIVEN = "cannot be given"


def interval_text(pair: Iterable[float] | None) -> str:
    """Write an interval of any figure with two digits."""
    return _written(pair, lambda low, high: f"{low:.2f} to {high:.2f}")


def percent_interval_text(pair: Iterable[float] | None) -> str:
    """Write an interval of a share, 0 to 1, in whole percent; a narrow one gets a further digit."""
    return _written(pair, _percent)


def interval_words(pair: Iterable[float] | None) -> str:
    """Write the 95 % interval of a share with its name, the same for pictures and patients."""
    return f"95 % interval {percent_interval_text(pair)}"


def _written(pair: Iterable[float] | None, write: Callable[[float, float], str]) -> str:
    """Write an interval, or that there is none: one without width would promise certainty."""
    low, high = pair or (0.0, 0.0)
    return with_minus(write(low, high)) if low < high else NOT_GIVEN


def with_minus(text: str) -> str:
    """Set a minus sign before a number in place of a hyphen."""
    return re.sub(r"(?<![\w)])-(?=\d)", "\N{MINUS SIGN}", text)


def _percent(low: float, high: float) -> str:
    digits = 1 if f"{100 * low:.0f}" == f"{100 * high:.0f}" else 0
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"
