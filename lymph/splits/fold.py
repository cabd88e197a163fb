"""Folds for cross-validation, and the three sets that each fold gives."""

import numpy as np
import pandas as pd

from lymph.errors import SplitError
from lymph.splits.make import home_class, shuffled, split_by_patient, split_by_picture
from lymph.splits.split import By, Split

VAL_SHARE = 0.15


def make_folds(table: pd.DataFrame, k: int, by: By = "patient", seed: int = 0) -> Split:
    """Deal patients (or pictures) into k folds, every class evenly.

    Per class the numbers of patients in two folds differ by at most one; then patients are
    exchanged between folds as long as that evens out the picture counts.

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
    folds: list[list[str]] = [[] for _ in range(k)]
    first = 0
    for label in sorted(homes.unique()):
        members = shuffled(sorted(homes.index[homes == label]), rng)
        members.sort(key=lambda member: -sizes[member])
        dealt = _even_out(_deal(members, k, first), sizes)
        first = (first + len(members)) % k
        for fold, group in zip(folds, dealt, strict=True):
            fold += group
    return Split(by, seed, folds=[sorted(fold) for fold in folds])


def _sizes(table: pd.DataFrame, by: By) -> dict[str, int]:
    column = "patient" if by == "patient" else "picture"
    return {str(name): int(n) for name, n in table[column].value_counts().items()}


def _deal(members: list[str], k: int, first: int) -> list[list[str]]:
    """Deal like cards, starting at the fold where the class before stopped."""
    dealt: list[list[str]] = [[] for _ in range(k)]
    for i, member in enumerate(members):
        dealt[(first + i) % k].append(member)
    return dealt


def _even_out(folds: list[list[str]], sizes: dict[str, int]) -> list[list[str]]:
    """Exchange single members between folds while that brings two sums closer together."""
    improved = len({size for fold in folds for size in (sizes[m] for m in fold)}) > 1
    while improved:
        improved = False
        for left in range(len(folds)):
            for right in range(left):
                improved |= _exchange(folds[left], folds[right], sizes)
    return folds


def _exchange(left: list[str], right: list[str], sizes: dict[str, int]) -> bool:
    gap = sum(sizes[m] for m in left) - sum(sizes[m] for m in right)
    best, change = None, abs(gap)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            after = abs(gap - 2 * (sizes[a] - sizes[b]))
            if after < change:
                best, change = (i, j), after
    if best is None:
        return False
    i, j = best
    left[i], right[j] = right[j], left[i]
    return True


def fold_sets(table: pd.DataFrame, folds: Split, fold: int) -> Split:
    """Make the sets of one fold: it tests; of the others a part validates and the rest trains.

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
    others = table[~table[column].isin(folds.folds[fold])]
    make = split_by_patient if folds.by == "patient" else split_by_picture
    inner = make(others, (1 - VAL_SHARE, VAL_SHARE, 0.0), folds.seed + fold)
    sets = inner.sets or {}
    sets = {"train": sets["train"], "val": sets["val"], "test": folds.folds[fold]}
    return Split(folds.by, folds.seed, sets)
