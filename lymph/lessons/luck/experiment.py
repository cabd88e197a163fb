"""The same model over and over; only the seed and the test patients change."""

from typing import TypedDict

from lymph.evaluation import clopper_pearson
from lymph.lessons import arithmetic
from lymph.lessons.data import LessonData
from lymph.lessons.practice import Score, Tell, fit, judge, material, part_of, silent, small_cnn
from lymph.splits import split_by_patient


class Attempt(TypedDict):
    """One training: which split and seed, and how it was judged."""

    split: int
    seed: int
    test: Score


class Figures(TypedDict):
    """Ten seeds on one split, some splits with one seed, and the patients that would be needed.

    ``needed``: pairs of a difference, 0 to 1, and the patients that show it.
    """

    seeds: list[Attempt]
    splits: list[Attempt]
    patients: int
    notebook_interval: list[float]
    needed: list[list[float]]
    needed_for_notebook: int


DIFFERENCES = (0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)


def _attempt(data: LessonData, split: int, seed: int, epochs: int, tell: Tell) -> Attempt:
    sets = material(data, split_by_patient(data.table, seed=split), seed=seed)
    model = small_cnn(len(data.classes), seed=seed)
    for _ in fit(model, sets, epochs, tell=tell, name=f"split {split + 1}, seed {seed + 1}"):
        pass
    return {"split": split, "seed": seed, "test": judge(data, model, sets.test)}


def run(
    data: LessonData,
    epochs: int = 5,
    seeds: int = 10,
    splits: int = 6,
    seed: int = 0,
    tell: Tell = silent,
) -> Figures:
    """Train the same small network with several seeds, then with several patient splits.

    ``seed`` is the first of both.
    """
    pairs = [(seed, seed + more) for more in range(seeds)]
    pairs += [(seed + more, seed) for more in range(1, splits)]
    attempts = []
    for place, (split, own) in enumerate(pairs):
        part = part_of(tell, place / len(pairs), (place + 1) / len(pairs))
        attempts.append(_attempt(data, split, own, epochs, part))
    needed = [[d, arithmetic.patients_needed(0.45, 0.45 + d)] for d in DIFFERENCES]
    return {
        "seeds": attempts[:seeds],
        "splits": [attempts[0], *attempts[seeds:]],
        "patients": int(data.table["patient"].nunique()),
        "notebook_interval": list(clopper_pearson(3, 6)),
        "needed": needed,
        "needed_for_notebook": arithmetic.patients_needed(0.45, 0.51),
    }
