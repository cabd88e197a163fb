"""Groups of patients whose picture counts are as even as they can be, found exactly.

Only the numbers of pictures matter, and many patients have the same number: the search runs over
what is left of each number, so that ten patients take a few hundred states in place of a hundred
thousand ways. Larger classes are dealt like cards and evened out by exchanges.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

# Above this many states the search gives way to exchanges.
MAX_STATES = 5_000

Left = tuple[int, ...]
Taken = tuple[int, ...]


def even_groups(
    members: list[str], sizes: dict[str, int], k: int, rng: np.random.Generator
) -> list[list[str]]:
    """Share members out into k groups: their numbers first, then the sums of their sizes.

    The first ``len(members) % k`` groups have one member more. Of all ways, one with the smallest
    sum of squared sums is drawn; it is exact up to ``MAX_STATES`` states.

    Parameters
    ----------
    members : list of str
        In random order, which decides among members of one size.
    sizes : dict
        Number of pictures of each member.
    """
    kinds = sorted({sizes[member] for member in members})
    waiting = {kind: [m for m in members if sizes[m] == kind] for kind in kinds}
    left = tuple(len(waiting[kind]) for kind in kinds)
    if len(kinds) == 1 or math.prod(count + 1 for count in left) > MAX_STATES:
        return _even_out(_deal(members, sizes, k), sizes)
    groups = []
    for taken in _draw(tuple(kinds), left, k, rng):
        pairs = zip(kinds, taken, strict=True)
        groups.append([waiting[kind].pop() for kind, count in pairs for _ in range(count)])
    return groups


def _draw(kinds: tuple[int, ...], left: Left, k: int, rng: np.random.Generator) -> Iterator[Taken]:
    """Yield what each group takes, drawn among the best ways."""
    for groups in range(k, 0, -1):
        best = _best(kinds, left, groups).first
        taken = best[int(rng.integers(len(best)))]
        yield taken
        left = tuple(have - take for have, take in zip(left, taken, strict=True))


class _Best(NamedTuple):
    """The least sum of squared sums, and every first group that leads to it."""

    cost: int
    first: tuple[Taken, ...]


@lru_cache(maxsize=65_536)
def _best(kinds: tuple[int, ...], left: Left, groups: int) -> _Best:
    """Find the best ways to share out what is left; the first group is one of the largest."""
    if groups == 0:
        return _Best(0, ())
    count = -(-sum(left) // groups)
    least, first = math.inf, []
    for taken in _takes(left, count):
        after = tuple(have - take for have, take in zip(left, taken, strict=True))
        own = sum(kind * take for kind, take in zip(kinds, taken, strict=True)) ** 2
        cost = own + _best(kinds, after, groups - 1).cost
        if cost < least:
            least, first = cost, [taken]
        elif cost == least:
            first.append(taken)
    return _Best(int(least), tuple(first))


def _takes(left: Left, count: int) -> Iterator[Taken]:
    """Yield every way to take ``count`` members from what is left of each size."""
    if not left:
        if count == 0:
            yield ()
        return
    for take in range(min(left[0], count) + 1):
        for rest in _takes(left[1:], count - take):
            yield (take, *rest)


def _deal(members: list[str], sizes: dict[str, int], k: int) -> list[list[str]]:
    """Deal like cards, the largest first."""
    ordered = sorted(members, key=lambda member: -sizes[member])
    return [ordered[group::k] for group in range(k)]


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
