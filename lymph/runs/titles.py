"""Names of runs that a person can read: "Small CNN, by patient, seed 0, Tuesday 16:06"."""

import time
from collections.abc import Iterable
from datetime import datetime

from lymph.runs.catalogue import RunRecord

DAY = 24 * 3600.0
# Until then a weekday names one day only; past the second, a day of the month needs its year.
WEEKDAYS_FOR, YEARLESS_FOR = 6 * DAY, 300 * DAY


def short_title(record: RunRecord, now: float | None = None) -> str:
    """Return the name that a run was given, else what it is: model, split, seed and when.

    Parameters
    ----------
    record : RunRecord
    now : float, optional
        Seconds since 1970, for "Tuesday 16:06" in place of a date; the present by default.
    """
    return record.about.name or described(record, now)


def full_title(record: RunRecord, now: float | None = None) -> str:
    """Return the name that a run was given, if any, and what it is."""
    return " · ".join(filter(None, (record.about.name, described(record, now))))


def described(record: RunRecord, now: float | None = None) -> str:
    """Say what a run is: model, split, seed and when it was begun."""
    folds = f"{record.split.folds} folds " if record.split.folds else ""
    # The rest of the title is for those who choose a model.
    model = record.config.spec.title.replace(" from scratch", "")
    when = when_words(record.status.queued, now)
    return f"{model}, {folds}by {record.split.by}, seed {record.config.seed}, {when}"


def when_words(moment: float, now: float | None = None) -> str:
    """Write a moment, in seconds since 1970, as someone would say it: weekday or date, and time."""
    now = time.time() if now is None else now
    then, ago = datetime.fromtimestamp(moment), abs(now - moment)
    day = f"{then:%A}" if ago < WEEKDAYS_FOR else f"{then.day} {then:%b}"
    year = f" {then.year}" if ago >= YEARLESS_FOR else ""
    return f"{day}{year} {then:%H:%M}"


def titles_of(records: Iterable[RunRecord], now: float | None = None) -> dict[str, str]:
    """Return the short title of each run by its id; of equal ones the later are numbered."""
    now = time.time() if now is None else now
    titles: dict[str, str] = {}
    taken: dict[str, int] = {}
    for record in sorted(records, key=lambda one: (one.status.queued, one.id)):
        title = short_title(record, now)
        taken[title] = taken.get(title, 0) + 1
        titles[record.id] = title if taken[title] == 1 else f"{title} ({taken[title]})"
    return titles
