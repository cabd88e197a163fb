"""Folds for cross-validation, and the three sets that each fold gives."""

import numpy as np
import pandas as pd

from lymph.errors import SplitError
from lymph.splits.even import even_groups
from lymph.splits.make import home_class, shuffled
from lymph.splits.split import By, Split

# Ways to lay the classes' groups together that are tried; the most even one is taken.
TRIES = 20


def make_folds(table: pd.DataFrame, k: int, by: By = "patient", seed: int = 0) -> Split:
    """Deal patients (or pictures) into k folds, every class evenly.

    Per class the numbers of patients in two folds differ by at most one; of all ways to do so, one
    whose picture counts are as even as can be is drawn (``lymph.splits.even``). Then the classes'
    groups are laid together so that the folds are even in all.

    Raises
    ------
    SplitError
        When there are fewer patients or pictures than folds, or k is below 2.
    """
    sizes = _sizes(table, by)
    if not 2 <= k <= len(sizes):
        raise SplitError(
            f"{k} folds cannot be made of {len(sizes)} {by}s; choose from 2 to {len(sizes)}."
        )
    homes = home_class(table) if by == "patient" else table.set_index("picture")["label"]
    rng = np.random.default_rng(seed)
    classes = []
    for label in sorted(homes.unique()):
        members = shuffled(sorted(homes.index[homes == label]), rng)
        classes.append(even_groups(members, sizes, k, rng))
    tries = [_lay_together(classes, k, sizes, rng) for _ in range(TRIES if by == "patient" else 1)]
    folds = min(tries, key=lambda folds: sum(_pictures(fold, sizes) ** 2 for fold in folds))
    return Split(by, seed, folds=[sorted(fold) for fold in folds])


def _sizes(table: pd.DataFrame, by: By) -> dict[str, int]:
    column = "patient" if by == "patient" else "picture"
    return {str(name): int(n) for name, n in table[column].value_counts().items()}


def _pictures(members: list[str], sizes: dict[str, int]) -> int:
    return sum(sizes[member] for member in members)


def _lay_together(
    classes: list[list[list[str]]], k: int, sizes: dict[str, int], rng: np.random.Generator
) -> list[list[str]]:
    """Make folds of every class's groups; larger groups begin where the class before stopped."""
    folds: list[list[str]] = [[] for _ in range(k)]
    first = 0
    for groups in classes:
        count = sum(len(group) for group in groups)
        larger = [(first + place) % k for place in range(count % k)]
        smaller = [fold for fold in range(k) if fold not in larger]
        _lay(groups[: len(larger)], folds, larger, sizes, rng)
        _lay(groups[len(larger) :], folds, smaller, sizes, rng)
        first = (first + count) % k
    return folds


def _lay(
    groups: list[list[str]],
    folds: list[list[str]],
    places: list[int],
    sizes: dict[str, int],
    rng: np.random.Generator,
) -> None:
    """Give the largest group to the fold that has the fewest pictures so far, and so on."""
    places = [places[i] for i in rng.permutation(len(places))]
    places.sort(key=lambda place: _pictures(folds[place], sizes))
    groups = [groups[i] for i in rng.permutation(len(groups))]
    groups.sort(key=lambda group: -_pictures(group, sizes))
    for place, group in zip(places, groups, strict=True):
        folds[place] += group


def fold_sets(table: pd.DataFrame, folds: Split, fold: int) -> Split:
    """Make the sets of one fold: it tests and all others train; who is in no fold does neither.

    Nobody validates: of few patients those set aside would choose an epoch by chance, and be
    missing where they are learned from.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    folds : Split
        With folds.
    fold : int
        Counted from 0.
    """
    if folds.folds is None:
        raise SplitError("This split has sets, not folds; make one with `lymph split --folds`.")
    column = "patient" if folds.by == "patient" else "picture"
    left = [m for i, members in enumerate(folds.folds) if i != fold for m in members]
    others = sorted(table.loc[table[column].isin(left), column].unique())
    return Split(folds.by, folds.seed, {"train": others, "val": [], "test": folds.folds[fold]})
