"""Whether patients that were told are likely to be people: doubts, and the pattern that fits."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from lymph.data.names import COMMON_PATTERNS, GENERAL_PATTERNS, origins_of
from lymph.text import counted

# The patients per picture from which nearly every picture is a patient of its own.
OWN_SHARE = 0.9
# A patient with dozens of pictures, and one with a few.
DOZENS, FEW = 24, 5
# What a ready pattern has to match, and the names that are looked at first.
MATCHED_SHARE = 0.98
SAMPLE = 200
EXAMPLES = 4
# From the first figure of the file name on.
_FIGURES = re.compile(r"\d[^/]*$")


def doubts_about(patients: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Say what is doubtful about patients, in whatever way they were told.

    Parameters
    ----------
    patients : sequence of str
        The patient of each picture, "" where unknown.
    labels : sequence of str
        The class of each picture, "" where unknown; empty when no classes are known.

    Returns
    -------
    list of str
        Sentences; empty when nothing is doubtful.
    """
    unknown = sum(not patient for patient in patients)
    doubts = []
    if unknown:
        doubts.append(
            f"{unknown} of {counted(len(patients), 'picture')}"
            f" {'has' if unknown == 1 else 'have'} no patient: excluded."
        )
    return doubts + _grouping_doubts(patients, labels)


def _grouping_doubts(patients: Sequence[str], labels: Sequence[str]) -> list[str]:
    sizes = Counter(patient for patient in patients if patient)
    pictures = sizes.total()
    if pictures < 2:
        return []
    doubts = [
        _class_doubt(_mixed(patients, labels), len(sizes)),
        _single_doubt(len(sizes), pictures),
        _size_doubt(sizes),
    ]
    if len(sizes) == 1:
        doubts.append("All pictures are of one patient: no split by patient is possible.")
    return [doubt for doubt in doubts if doubt]


def _mixed(patients: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return the patients with pictures of several classes, sorted."""
    pairs = set(zip(patients, labels, strict=True)) if labels else set()
    classes = Counter(patient for patient, label in pairs if patient and label)
    return sorted(patient for patient, count in classes.items() if count > 1)


def _class_doubt(mixed: Sequence[str], patients: int) -> str:
    if not mixed:
        return ""
    share = (
        f"{len(mixed)} of {counted(patients, 'patient')} {'has' if len(mixed) == 1 else 'have'}"
        f" pictures of several classes, such as {mixed[0]}: "
    )
    # Only numbers restart; a name that recurs is another fault.
    if any(sign.isdigit() for sign in mixed[0]):
        return share + (
            "if the numbers restart in each class, 'number within the class' keeps these"
            " patients apart."
        )
    return share + "the pattern may put different people together."


def _single_doubt(patients: int, pictures: int) -> str:
    if patients < OWN_SHARE * pictures:
        return ""
    many = (
        "There are as many patients as pictures"
        if patients == pictures
        else f"There are nearly as many patients ({patients}) as pictures ({pictures})"
    )
    return (
        f"{many}: a split by patient would then protect against nothing. The picture's own number"
        " is probably taken for the patient."
    )


def _size_doubt(sizes: Counter[str]) -> str:
    """Doubt a few large patients among small ones; sizes of every kind in between are natural."""
    large = [patient for patient, count in sizes.most_common() if count >= DOZENS]
    small = sum(count <= FEW for count in sizes.values())
    between = len(sizes) - len(large) - small
    if not large or len(large) > small or between > small / 20:
        return ""
    most = sizes[large[0]]
    others = (
        f"{large[0]} has {most} pictures"
        if len(large) == 1
        else f"{len(large)} patients have dozens of pictures each (such as {large[0]}, {most})"
    )
    return (
        f"{others}, while nearly all others have {FEW} or fewer: different people may have been"
        " put together, or a word taken for a patient."
    )


class Proposal(NamedTuple):
    """A ready pattern that fits names, with what it makes of them.

    ``examples`` are a few pairs of file name and patient.
    """

    title: str
    pattern: str
    patients: int
    unmatched: int
    examples: list[tuple[str, str]]


def propose(pictures: list[str], labels: list[str] | None = None) -> Proposal | None:
    """Find the ready pattern that fits names best: a data set's own way before a general one.

    A pattern fits when it matches nearly all names and groups their pictures into a sensible
    number of patients; a general one also has to raise no doubt.

    Parameters
    ----------
    pictures : list of str
        File names or paths with ``/``.
    labels : list of str, optional
        The class of each picture, where known.

    Returns
    -------
    Proposal or None
        None where no pattern fits well.
    """
    sample = pictures[:: max(1, len(pictures) // SAMPLE)]
    for title, pattern in COMMON_PATTERNS.items():
        # A look at some names spares the rest to most patterns.
        if origins_of(sample, pattern).count(None) > len(sample) / 10:
            continue
        patients = [o.patient if o else "" for o in origins_of(pictures, pattern)]
        if _fits(pictures, patients, labels, general=title in GENERAL_PATTERNS):
            unmatched = patients.count("")
            count = len(set(patients) - {""})
            return Proposal(title, pattern, count, unmatched, _examples(pictures, patients))
    return None


def _fits(
    pictures: Sequence[str],
    patients: Sequence[str],
    labels: Sequence[str] | None,
    general: bool,
) -> bool:
    told = set(patients) - {""}
    matched = len(patients) - patients.count("")
    if len(told) < 2 or matched < MATCHED_SHARE * len(patients):
        return False
    if len(told) >= OWN_SHARE * matched:
        return False
    return not general or _fits_in_general(pictures, patients, labels, told)


def _fits_in_general(
    pictures: Sequence[str],
    patients: Sequence[str],
    labels: Sequence[str] | None,
    told: Collection[str],
) -> bool:
    """Judge a pattern that matches names of any kind, where a match alone proves nothing."""
    # Numbers that restart in each folder, or behind each word, are not those of patients.
    series = [_FIGURES.split(picture, maxsplit=1)[0] for picture in pictures]
    if len(set(zip(series, patients, strict=True))) >= OWN_SHARE * len(pictures):
        return False
    if labels is None:
        words = not any(sign.isdigit() for patient in told for sign in patient)
        # A few words are classes or sets, such as CLL_001 or train_001.
        if words and len(told) <= 10:
            return False
    elif len(told) <= len(set(labels) - {""}):
        return False
    return not _grouping_doubts(patients, labels or [])


def _examples(pictures: Sequence[str], patients: Sequence[str]) -> list[tuple[str, str]]:
    """Return a few names with their patients, each of another patient, from all over the list."""
    first: dict[str, str] = {}
    for picture, patient in zip(pictures, patients, strict=True):
        if patient:
            first.setdefault(patient, picture.rsplit("/", 1)[-1])
    pairs = [(name, patient) for patient, name in first.items()]
    return pairs[:: max(1, len(pairs) // EXAMPLES)][:EXAMPLES]
