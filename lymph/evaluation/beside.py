"""Two models that were tested on different pictures: side by side, never subtracted.

`key_of_test` is the one place that tells whether two tests were the same; whoever subtracts, ranks
or overlays figures asks it first.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lymph.evaluation.intervals import Interval
from lymph.evaluation.report import leaked_pictures, report
from lymph.evaluation.words import percent_interval_text
from lymph.predictions import choose_set
from lymph.text import counted

KEYS = ("picture", "label", "patient")


@dataclass(frozen=True)
class Tested:
    """What a model was tested on, and what came of it.

    ``pictures`` holds the names of the test pictures. ``patients`` is None where nobody knows them,
    ``known_pictures`` and ``known_patients`` (of patients on whom the model also trained) where
    nobody can tell. ``accuracy`` is a share, 0 to 1, of pictures or patients, with its 95 %
    interval; ``stated`` says whether it may be stated.
    """

    name: str
    split: str
    set_name: str
    pictures: frozenset[str]
    patients: int | None
    known_pictures: int | None
    known_patients: int | None
    accuracy: float
    interval: Interval
    stated: str

    @property
    def leaks(self) -> bool:
        """Tell whether the model has trained on patients of its test."""
        return bool(self.known_pictures)


def key_of_test(p: pd.DataFrame, set_name: str = "test") -> str:
    """Return a mark that two prediction tables share only where a set is the same in both.

    The same are pictures with their labels and patients, in any order.

    Raises
    ------
    EvaluationError
        When the set is empty.
    """
    rows = choose_set(p, set_name)[list(KEYS)].sort_values(list(KEYS)).to_numpy(str)
    return hashlib.sha256("\0".join(rows.ravel()).encode()).hexdigest()


def letters_of(keys: Sequence[str]) -> list[str]:
    """Give equal keys the same letter, A first, as they come; an empty one gets none."""
    order = {key: place for place, key in enumerate(dict.fromkeys(key for key in keys if key))}
    return [_letter(order[key]) if key else "" for key in keys]


def _letter(place: int) -> str:
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def side_of(
    p: pd.DataFrame, set_name: str, split: str, level: str = "pictures", name: str = "The model"
) -> Tested:
    """Say what a model was tested on.

    Parameters
    ----------
    p
        Its prediction table, all sets.
    set_name
        The set that it is judged by, see `choose_set`.
    split
        How its split was made, in words such as "by patient".
    level
        ``pictures`` or ``patients``: of which the accuracy is.
    name
        What the sentences call it.

    Raises
    ------
    EvaluationError
        When the table has no such set.
    """
    chosen, figures = choose_set(p, set_name), report(p, set_name)
    known = leaked_pictures(p, set_name)
    unknown = figures.get("patients_unknown", False)
    known = None if unknown or known is None else np.asarray(known)
    section = figures[level]
    return Tested(
        name=name,
        split=split,
        set_name=set_name,
        pictures=frozenset(chosen["picture"]),
        patients=None if unknown else int(chosen["patient"].nunique()),
        known_pictures=None if known is None else int(known.sum()),
        known_patients=None if known is None else int(chosen["patient"][known].nunique()),
        accuracy=section["accuracy"],
        interval=tuple(section["interval"]),
        stated=section["stated"]["verdict"],
    )


def why_not_subtracted(first: Tested, second: Tested) -> list[str]:
    """Say in sentences why two figures of different tests differ, and how to compare the models.

    Parameters
    ----------
    first, second
        Two models whose `key_of_test` differs.
    """
    both = len(first.pictures & second.pictures)
    common = f"{counted(both, 'picture')} in common" if both else "none in common"
    told = [
        f"They were tested on different pictures: {first.name} on {_size(first)}, {second.name} on"
        f" {_size(second)}, {common}. A difference would compare the pictures as much as the"
        " models, so none is given."
    ]
    told += [words for one in (first, second) if (words := _met(one))]
    leaky = [one for one in (first, second) if one.leaks]
    honest = [one for one in (first, second) if one.known_pictures == 0]
    if leaky and honest:
        told.append(
            f"That is why {leaky[0].name} may score higher without being better: recognising a"
            f" patient is easier than recognising a disease. Only {honest[0].name} says anything"
            " about a new patient."
        )
    elif not leaky:
        told.append(
            "Some patients are easier than others: other test patients would have given other"
            " figures, within the intervals."
        )
    told.append(f"To compare the models, train both on the same split{_by_patient(leaky)}.")
    return told


def gap_sentence(honest: Tested, leaky: Tested) -> str:
    """Say what became of a leaky figure once no patient was on both sides.

    Parameters
    ----------
    honest, leaky
        Two models of the same kind; only the second had met patients of its test.
    """
    return (
        f"{100 * leaky.accuracy:.0f} % where {_known_share(leaky)} of the test pictures are of"
        f" patients that the model had trained on; {100 * honest.accuracy:.0f} %"
        f" ({percent_interval_text(honest.interval)}) where none is. Only the second says anything"
        " about a new patient."
    )


def _known_share(tested: Tested) -> str:
    share = (tested.known_pictures or 0) / max(1, len(tested.pictures))
    return "all" if share == 1 else "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _by_patient(leaky: Iterable[Tested]) -> str:
    return ", made by patient" if list(leaky) else ""


def _size(tested: Tested) -> str:
    people = "unknown patients" if tested.patients is None else counted(tested.patients, "patient")
    return f"{counted(len(tested.pictures), 'picture')} of {people}"


def _met(tested: Tested) -> str:
    """Say how many patients of its test a model had met."""
    if tested.patients is None:
        return f"Nobody can say whether {tested.name} had met its test patients."
    if tested.known_patients is None:
        return ""
    if not tested.known_patients:
        return f"{_start(tested.name)} had met none of its test patients."
    some = f"{tested.known_patients} of its {counted(tested.patients, 'test patient')}"
    if tested.known_patients == tested.patients > 1:
        some = f"all {tested.patients} of its test patients"
    return f"{_start(tested.name)} had trained on other pictures of {some}."


def _start(name: str) -> str:
    return name[:1].upper() + name[1:]
