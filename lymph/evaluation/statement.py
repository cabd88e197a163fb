"""May an accuracy be stated? It can, with care, or it cannot, each with its reasons.

The numbers are those of the US National Center for Health Statistics (Parker et al. 2017, *National
Center for Health Statistics Data Presentation Standards for Proportions*, Vital Health Stat
2(175)): a share is suppressed where it rests on fewer than 30 people or fewer than 30 effective
ones, or where its 95 % interval is 0.30 wide or wider, or is wider than 130 % of the share though
more than 0.05 wide. Fewer than 8 degrees of freedom, 0 and 100 % are reviewed; a share whose
complement fails the last rule is footnoted.

What is adapted: a survey's sampling units are read as patients and its people as pictures, so that
the degrees of freedom are one less than the patients; of patients judged as one each, people are
patients too. The intervals are those of `lymph.evaluation.intervals` in place of Korn and
Graubard's, and what a survey's office would review is stated with care. What is added: a test that
leaks, that nobody can check, that chose the epoch or was taught, and drawings. The standard knows
no such thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from lymph.evaluation.intervals import (
    LEVEL,
    Interval,
    Numbers,
    effective_exact,
    effective_size,
    variance_of_share,
    wilson,
)
from lymph.evaluation.words import written_apart
from lymph.text import counted

LEAST_SIZE = 30
NARROW = 0.05
WIDE = 0.30
RELATIVELY_WIDE = 1.30
LEAST_PATIENTS = 9  # 8 degrees of freedom
MOST_PATIENTS = 2000

STANDARD = (
    "After the data presentation standard for proportions of the US National Center for Health"
    " Statistics (Series 2, No. 175, 2017), with patients as its sampling units: at least 30"
    " effectively independent {unit}, a 95 % interval less than 30 points wide and, unless at most"
    " 5, no wider than 1.3 times the accuracy; with care where there are fewer than 9 patients. The"
    " rules on leaks, unknown patients, validation and drawings are additions."
)


class Verdict(StrEnum):
    """Whether a figure may be stated."""

    CAN = "can be stated"
    CARE = "stated with care"
    CANNOT = "cannot be stated"


@dataclass(frozen=True)
class Answers:
    """How the patients of a test were answered; ``hits`` and ``trials`` are G numbers each.

    ``one_each`` tells that every patient counts once. ``interval`` is the accuracy's own, 95 %.
    ``overlap`` tells how many times the variance counts, see `fold_overlap`.
    """

    hits: np.ndarray
    trials: np.ndarray
    interval: Interval
    one_each: bool = False
    overlap: float = 1.0

    @property
    def share(self) -> float:
        """Return the accuracy, 0 to 1."""
        return float(self.hits.sum() / self.trials.sum())

    @property
    def patients(self) -> int:
        """Return the number of patients, G."""
        return len(self.trials)

    @property
    def effective(self) -> float:
        """Return how many independent pictures (or patients) would tell as much."""
        if self.one_each:
            return self.patients / self.overlap
        share, total = np.float64(self.share), self.trials.sum()
        variance = variance_of_share(self.hits, self.trials)
        return float(effective_size(share, variance, total, self.patients, self.overlap))


@dataclass(frozen=True)
class Origin:
    """What a test was, apart from its numbers.

    ``leaked`` is the share of its pictures, 0 to 1, whose patient also trained, None where that
    cannot be told; ``unknown`` tells that nobody knows the patients, ``drawn`` that a computer drew
    the pictures. ``absent`` and ``single`` are the classes without a patient and with only one.
    """

    set_name: str = "test"
    leaked: float | None = 0.0
    unknown: bool = False
    drawn: bool = False
    absent: Sequence[str] = ()
    single: Sequence[str] = ()


@dataclass(frozen=True)
class Statement:
    """Whether an accuracy may be stated, and why.

    ``unit`` is pictures or patients. ``effective`` counts independent ones, ``width`` (0 to 1) is
    that of the 95 % interval. ``needed`` is how many test patients it would take if they differ as
    much as these did, and ``needed_range`` what that allows for, since few patients say little of
    how much they differ; both are None where more patients are not what is missing, the first also
    where a single patient cannot tell. `lesson` is the sentence to keep, or empty.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    lesson: str
    unit: str
    patients: int | None
    effective: float
    width: float
    needed: int | None = None
    needed_range: tuple[int, int] | None = None

    @property
    def needed_words(self) -> str:
        """Say how many patients it would take, or nothing."""
        if self.needed_range is None:
            return ""
        low, high = (_up_to(count) for count in self.needed_range)
        if self.needed is None:
            return (
                f"To be stated, this accuracy needs {low} to {high} test patients: one cannot show"
                " how much they differ."
            )
        if low == high:
            return f"To be stated, this accuracy needs about {high} test patients."
        return (
            f"To be stated, this accuracy needs about {_up_to(self.needed)} test patients ({low} to"
            f" {high}, as so few say little of how much patients differ)."
        )

    @property
    def words(self) -> str:
        """Say all of it in one paragraph."""
        because = f": {'; '.join(self.reasons)}" if self.reasons else ""
        parts = (f"{self.verdict.capitalize()}{because}.", self.lesson, self.needed_words)
        return " ".join(part for part in parts if part)

    def to_json(self) -> dict[str, Any]:
        """Return it in JSON types: as the fields, with ``words``."""
        return {
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "lesson": self.lesson,
            "unit": self.unit,
            "patients": self.patients,
            "effective": self.effective,
            "width": self.width,
            "needed": self.needed,
            "needed_range": self.needed_range and list(self.needed_range),
            "needed_words": self.needed_words,
            "words": self.words,
        }


def may_be_stated(answers: Answers, origin: Origin, unit: str = "pictures") -> Statement:
    """Judge whether an accuracy may be stated as that on patients who are new to the model.

    Parameters
    ----------
    answers
        What was answered for each patient, with the interval.
    origin
        What the test was.
    unit
        ``pictures`` or ``patients``, as `answers` counts.

    Returns
    -------
    Statement
        ``cannot`` where one rule forbids it, ``care`` where one only asks for it.
    """
    never = _never(answers, origin)
    few = _too_few(answers, unit)
    care = [*_asks_for_care(answers, origin, unit), *_of_origin(origin)]
    low, high = answers.interval
    verdict = Verdict.CANNOT if never or few else Verdict.CARE if care else Verdict.CAN
    lesson, needed, needed_range = "", None, None
    if not never:
        lesson = lesson_of(answers.patients, answers.interval)
        if few or answers.patients < LEAST_PATIENTS:
            needed, needed_range = patients_needed(answers)
    return Statement(
        verdict=verdict,
        reasons=tuple(never or few or care),
        lesson=lesson,
        unit=unit,
        patients=None if origin.unknown else answers.patients,
        effective=answers.effective,
        width=float(high - low),
        needed=needed,
        needed_range=needed_range,
    )


def lesson_of(patients: int, interval: Interval) -> str:
    """Say what a test cannot do: tell the two ends of its interval from one another."""
    low, high = written_apart(100 * interval[0], 100 * interval[1], 0)
    return f"{counted(patients, 'patient')}: this test cannot tell {low} % from {high} %."


def patients_needed(answers: Answers) -> tuple[int | None, tuple[int, int]]:
    """Count the patients that it would take to state an accuracy, if it stays as it is.

    Parameters
    ----------
    answers
        What was answered for the patients of this test.

    Returns
    -------
    tuple
        The number if new patients have as many pictures and differ as much as these, None after a
        single one; and the smallest and largest number that the spread between so few patients
        allows for: it is taken over the variance's 95 % interval (chi-squared with G - 1 degrees of
        freedom), within what can be, from a patient whose pictures are all answered alike to one
        whose pictures are as good as of different patients.
    """
    if answers.one_each:
        count = _first_enough(answers.share, 1 / answers.overlap, 1.0, exact=True)
        return count, (count, count)
    patients, total = answers.patients, float(answers.trials.sum())
    each = total / patients
    least = min(total**2 / float(np.sum(answers.trials**2)) / patients, each)
    share, found = answers.share, answers.effective / patients
    variance = float(variance_of_share(answers.hits, answers.trials).value)
    ends = np.array([least, each])
    if patients > 1 and variance > 0 and 0 < share < 1:
        freedom = patients - 1
        # Quantiles of chi squared.
        limits = 2 * gammaincinv(freedom / 2, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) / freedom
        ends = np.clip(share * (1 - share) / variance / patients * limits, least, each)
    least, each_worth, *ends = np.array([least, each, *ends]) / answers.overlap
    most, fewest = (_first_enough(share, float(end), each) for end in ends)
    if patients == 1:
        return None, (fewest, most)
    count = _first_enough(share, float(np.clip(found, least, each_worth)), each)
    return count, (min(fewest, count), max(most, count))


def _first_enough(share: float, effective: float, each: float, exact: bool = False) -> int:
    """Return the smallest number of patients with which a share may be stated."""
    patients = np.arange(LEAST_PATIENTS, MOST_PATIENTS + 1)
    size = np.maximum(effective * patients, 1.0)
    shares = np.full(patients.shape, share)
    ends = effective_exact(shares, size) if exact else wilson(shares, size, patients)
    enough = ~np.array(_suppressed(shares, ends, each * patients, size)).any(axis=0)
    return int(patients[np.argmax(enough)]) if enough.any() else MOST_PATIENTS


def _suppressed(
    share: Numbers, ends: np.ndarray, trials: np.ndarray, size: Numbers
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tell which rule of the standard forbids shares: number, effective number, width, relative."""
    # Rounding must not move a number over the edge on which it lies.
    width = np.round(ends[..., 1] - ends[..., 0], 12)
    broad = (width > NARROW) & (width < WIDE)
    return (
        trials < LEAST_SIZE,
        np.round(size, 9) < LEAST_SIZE,
        width >= WIDE,
        # Of a share of 0 everything is a multiple: it is stated with care instead.
        broad & (share > 0) & (width > np.round(RELATIVELY_WIDE * share, 12)),
    )


def _never(answers: Answers, origin: Origin) -> list[str]:
    """Say why no number of pictures makes a figure an accuracy on new patients."""
    if origin.set_name == "train":
        return ["the model has learned from these very pictures"]
    if origin.unknown:
        return [
            "the patients are unknown, so nobody can say whether pictures of one patient are both"
            " in training and in the test"
        ]
    if origin.leaked:
        share = "under 1 %" if origin.leaked < 0.01 else f"{100 * origin.leaked:.0f} %"
        return [
            f"{share} of the pictures are of patients on whom the model has trained, so it is no"
            " accuracy on new patients"
        ]
    return []


def _too_few(answers: Answers, unit: str) -> list[str]:
    """Say which rules of the standard forbid a figure."""
    ends, trials, size = np.array(answers.interval), answers.trials.sum(), answers.effective
    few, little, wide, relative = _suppressed(np.float64(answers.share), ends, trials, size)
    found = []
    if few:
        found.append(f"{counted(int(trials), unit[:-1])} tested, and {LEAST_SIZE} are needed")
    elif little:
        found.append(
            f"{int(trials)} pictures of {counted(answers.patients, 'patient')} tell no more than"
            f" {counted(round(size), 'independent picture')}, and {LEAST_SIZE} are needed"
        )
    if wide:
        found.append(
            f"the interval is {100 * (ends[1] - ends[0]):.0f} points wide, and less than"
            f" {100 * WIDE:.0f} are needed"
        )
    if relative:
        found.append(f"the interval is more than {RELATIVELY_WIDE} times as wide as the accuracy")
    return found


def _asks_for_care(answers: Answers, origin: Origin, unit: str) -> list[str]:
    """Say which rules of the standard let a figure pass with care only."""
    found, share = [], answers.share
    if answers.patients < LEAST_PATIENTS:
        found.append(f"fewer than {LEAST_PATIENTS} patients hardly show how much patients differ")
    if share in (0, 1):
        how = "correctly" if share else "wrongly"
        found.append(f"all {unit} are classified {how}, which the next one may end")
    low, high = answers.interval
    width = high - low
    if 0 < share < 1 and NARROW < width < WIDE and width > RELATIVELY_WIDE * (1 - share):
        found.append(
            f"the share of mistakes, {100 * (1 - share):.0f} %, is too uncertain by itself"
        )
    if origin.single:
        found.append(f"a single patient stands for {', '.join(origin.single)}")
    if origin.absent:
        found.append(f"no picture of {', '.join(origin.absent)} was tested")
    return found


def _of_origin(origin: Origin) -> list[str]:
    """Say what of a test's origin asks for care."""
    found = []
    if origin.set_name == "val":
        found.append("these are validation pictures, by which the run may have chosen its epoch")
    if origin.set_name == "out-of-fold":
        found.append(
            "it is of the models of all folds, not of one, and its interval is somewhat too narrow"
        )
    if origin.leaked is None and origin.set_name != "train":
        found.append("the table has no training pictures, so a leak would not be seen")
    if origin.drawn:
        found.append("the pictures are computer drawn, so it says nothing of real slides")
    return found


def _up_to(count: int) -> str:
    return f"{MOST_PATIENTS} or more" if count >= MOST_PATIENTS else str(count)
