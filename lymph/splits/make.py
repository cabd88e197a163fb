"""Splits into train, validation and test."""

import itertools
import math

import numpy as np
import pandas as pd

from lymph.errors import SplitError
from lymph.facts import NOTEBOOK_TEST, NOTEBOOK_VAL
from lymph.splits.split import SET_NAMES, Split

FRACTIONS = (0.6, 0.2, 0.2)

# Above this many ways to choose patients, ways are drawn at random instead of being listed.
MAX_WAYS = 20_000

# Ways whose pictures stand within this share of the class from the best count as equally good, so
# that seeds give different splits.
TOLERANCE = 0.02


def check_fractions(fractions: tuple[float, float, float]) -> None:
    """Refuse fractions that are not three shares of the whole with something to train on."""
    if len(fractions) != 3 or min(fractions) < 0 or not math.isclose(sum(fractions), 1.0):
        raise SplitError("The fractions for train, val and test must be shares that add up to 1.")
    if fractions[0] == 0:
        raise SplitError("Nothing is left to train on; give train a share above 0.")


def home_class(table: pd.DataFrame) -> pd.Series:
    """Return each patient's class: the one of most of its pictures (ties: the first by name)."""
    counts = table.groupby(["patient", "label"]).size().unstack(fill_value=0)
    return counts.idxmax(axis=1)


def share_out(count: int, fractions: tuple[float, ...]) -> list[int]:
    """Share ``count`` things out by largest remainder; train, then test, come first on ties.

    Train keeps one in any case, then test, then val: none takes the last of one before it.
    """
    exact = [count * fraction for fraction in fractions]
    shares = [math.floor(value + 1e-9) for value in exact]
    by_remainder = sorted((0, 2, 1), key=lambda i: round(shares[i] - exact[i], 9))
    for i in by_remainder[: count - sum(shares)]:
        shares[i] += 1
    wanted = [i for i in (0, 2, 1) if fractions[i] > 0]
    for rank, i in enumerate(wanted):
        largest = max((1, 2, 0), key=lambda j: shares[j])
        spare = shares[largest] - (largest not in wanted[rank:])
        if shares[i] == 0 and spare > 0:
            shares[i] += 1
            shares[largest] -= 1
    return shares


def shuffled(names: list[str], rng: np.random.Generator) -> list[str]:
    """Return the names in random order; NumPy's own strings would lose a zero at their end."""
    return [names[i] for i in rng.permutation(len(names))]


def _ways(
    patients: list[str], shares: list[int], rng: np.random.Generator
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """List the ways to choose the patients of val and test, or draw some when there are many."""
    _, val, test = shares
    total = math.comb(len(patients), val) * math.comb(len(patients) - val, test)
    if total > MAX_WAYS:
        orders = (shuffled(patients, rng) for _ in range(2_000))
        return [(tuple(o[:val]), tuple(o[val : val + test])) for o in orders]
    return [
        (chosen, others)
        for chosen in itertools.combinations(patients, val)
        for others in itertools.combinations([p for p in patients if p not in chosen], test)
    ]


def _choose(
    pictures: dict[str, int], fractions: tuple[float, float, float], rng: np.random.Generator
) -> dict[str, list[str]]:
    """Split one class's patients: their numbers first, then the pictures as close as can be."""
    patients = sorted(pictures)
    shares = share_out(len(patients), fractions)
    ways = _ways(patients, shares, rng)
    whole = sum(pictures.values())

    def distance(way: tuple[tuple[str, ...], tuple[str, ...]]) -> float:
        val, test = (sum(pictures[p] for p in group) / whole for group in way)
        return abs(val - fractions[1]) + abs(test - fractions[2])

    distances = np.array([distance(way) for way in ways])
    good = np.flatnonzero(distances <= distances.min() + TOLERANCE)
    val, test = ways[int(rng.choice(good))]
    train = [p for p in patients if p not in val and p not in test]
    return {"train": train, "val": list(val), "test": list(test)}


def split_by_patient(
    table: pd.DataFrame,
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
) -> Split:
    """Split so that no patient stands on two sides, every class in the fractions asked for.

    Per class the numbers of patients are fixed first, by largest remainder; of all ways to choose
    them, one whose picture counts come closest is taken. A patient with pictures of several
    classes counts for the class of most of them. A class of two patients trains and tests, a class
    of one patient only trains.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    fractions : (float, float, float)
        Shares of train, val and test; they add up to 1.
    seed : int

    Raises
    ------
    SplitError
        When the fractions make no sense or no test patient is left.
    """
    check_fractions(fractions)
    rng = np.random.default_rng(seed)
    pictures = table["patient"].value_counts()
    homes = home_class(table)
    sets: dict[str, list[str]] = {name: [] for name in SET_NAMES}
    for label in sorted(homes.unique()):
        of_class = homes.index[homes == label]
        chosen = _choose({p: int(pictures[p]) for p in of_class}, fractions, rng)
        for name in SET_NAMES:
            sets[name] += chosen[name]
    if fractions[2] > 0 and not sets["test"]:
        raise SplitError(
            "Every class has a single patient, so none can be held back for the test; add patients"
            " or split by picture, knowing that it leaks."
        )
    return Split("patient", seed, sets)


def split_by_picture(
    table: pd.DataFrame,
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
) -> Split:
    """Split at random by picture, stratified by class: the way that leaks, for comparison."""
    check_fractions(fractions)
    rng = np.random.default_rng(seed)
    sets: dict[str, list[str]] = {name: [] for name in SET_NAMES}
    for _, rows in table.groupby("label"):
        order = shuffled(list(rows["picture"]), rng)
        train, val, _ = share_out(len(order), fractions)
        sets["train"] += order[:train]
        sets["val"] += order[train : train + val]
        sets["test"] += order[train + val :]
    return Split("picture", seed, {name: sorted(members) for name, members in sets.items()})


def given_split(table: pd.DataFrame, given: pd.Series) -> Split:
    """Make the split that the data bring, from folders such as train and test or from a table.

    It is by patient where every patient is in one set only, otherwise by picture, so that its leak
    shows. Where the data bring no test set the validation set is the test.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    given : Series
        ``train``, ``val``, ``test`` or ``fold N`` of each picture, indexed by picture; empty where
        it has none.

    Raises
    ------
    SplitError
        When the data bring no split that can serve.
    """
    sets = given.reindex(table["picture"]).fillna("").to_numpy(str)
    names = sorted(set(sets) - {""})
    folds = [name for name in names if name.startswith("fold ")]
    whole = table.assign(set=sets)[sets != ""]
    by = "patient" if (whole.groupby("patient")["set"].nunique() == 1).all() else "picture"
    members = {name: sorted(whole.loc[whole["set"] == name, by].unique()) for name in names}
    if len(folds) > 1 and folds == names:
        order = sorted(folds, key=lambda name: int(name.split()[1]))
        return Split(by, 0, folds=[members[name] for name in order])
    if "test" not in members and "val" in members:
        members["test"] = members.pop("val")
    if not {"train", "test"} <= set(members):
        found = f"only names {', '.join(names)}" if names else "bring none"
        raise SplitError(
            f"There is no ready split: these data {found}. It takes folders or a column set with"
            " train and test, or folds; split by patient instead."
        )
    return Split(by, 0, {name: members.get(name, []) for name in SET_NAMES})


def _number(patient: str) -> str:
    return patient.rsplit("-", 1)[-1]


def notebook_split(table: pd.DataFrame) -> Split:
    """Split as the notebook did; patients are matched by their number, whatever the year.

    Raises
    ------
    SplitError
        When none of the notebook's test patients is among these data.
    """
    patients = sorted(table["patient"].unique())
    sets = {
        "val": [p for p in patients if _number(p) in NOTEBOOK_VAL],
        "test": [p for p in patients if _number(p) in NOTEBOOK_TEST],
    }
    sets["train"] = [p for p in patients if p not in sets["val"] and p not in sets["test"]]
    if not sets["test"]:
        raise SplitError(
            "None of the notebook's test patients is here; the preset serves the lymphoma set and"
            " the demonstration set only. Split by patient instead."
        )
    return Split("patient", 0, {name: sets[name] for name in SET_NAMES})
