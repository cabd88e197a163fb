"""What someone should know of a split before training on it, in plain sentences.

Two kinds are kept apart: what makes training impossible, and what makes its figures worth less.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lymph.splits.fold import INNER_FRACTIONS, fold_sets
from lymph.splits.make import home_class, share_out
from lymph.splits.split import SET_NAMES, Split
from lymph.text import SET_WORDS

# Things named one by one in a sentence; more are counted.
NAMED = 3


def named(names: list[str]) -> str:
    """Name up to three things, and count the rest."""
    shown, more = names[:NAMED], len(names) - NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def untrainable(table: pd.DataFrame, split: Split) -> list[str]:
    """Return why a split cannot be trained on, each reason with its remedy; empty where it can.

    A model cannot learn a class of which it has no training picture, in a split as in any of its
    folds. A fold without test pictures of a class is no reason: another fold tests them.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    split : Split
        Made for these data.
    """
    sets = split.assign(table)
    if split.folds is not None:
        return _untrainable_folds(table, split)
    training = set(table["label"][sets == "train"])
    return _by_class(
        {
            label: f"{label} has no training pictures, so it cannot be learnt. Move one of its"
            f" {split.by}s to training, make the split again, or exclude the class."
            for label in sorted(set(table["label"]) - training)
        }
    )


def advice(table: pd.DataFrame, split: Split) -> list[str]:
    """Return a sentence for everything about a split that makes its figures worth less.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    split : Split
        Made for these data.
    """
    sets = split.assign(table)
    missing = _missing_classes(table, sets) if split.folds is None else _unvalidated(table, split)
    return [*_patients(table), *_left_aside(table, sets, split), *missing]


# ---- folds -------------------------------------------------------------------------------------


class _Count(NamedTuple):
    """Patients (or pictures) by fold, by a class they have, and by the class they count for."""

    classes: list[str]
    inside: np.ndarray  # folds x classes x home classes
    homes: np.ndarray  # folds x home classes

    def outside(self, fold: int) -> np.ndarray:
        """Return classes x home classes: who is left to train and validate a fold."""
        return self.inside.sum(axis=0) - self.inside[fold]

    def validating(self, fold: int) -> np.ndarray:
        """Return how many of each home class the fold's inner split takes for validation."""
        left = self.homes.sum(axis=0) - self.homes[fold]
        return np.array([share_out(int(count), INNER_FRACTIONS)[1] for count in left])


def _count(table: pd.DataFrame, split: Split) -> _Count:
    column = "patient" if split.by == "patient" else "picture"
    classes = sorted(table["label"].unique())
    home = home_class(table) if split.by == "patient" else table.set_index("picture")["label"]
    fold_of = {m: fold for fold, members in enumerate(split.folds or []) for m in members}
    rows = table[[column, "label"]].drop_duplicates()
    rows = rows[rows[column].isin(list(fold_of))]
    index = {label: i for i, label in enumerate(classes)}
    folds = rows[column].map(fold_of).to_numpy(int)
    homes = rows[column].map(home).map(index).to_numpy(int)
    inside = np.zeros((len(split.folds or []), len(classes), len(classes)), int)
    np.add.at(inside, (folds, rows["label"].map(index).to_numpy(int), homes), 1)
    first = ~rows[column].duplicated().to_numpy()
    of_home = np.zeros(inside.shape[::2], int)
    np.add.at(of_home, (folds[first], homes[first]), 1)
    return _Count(classes, inside, of_home)


def _untrainable_folds(table: pd.DataFrame, split: Split) -> list[str]:
    count = _count(table, split)
    missing: dict[str, list[int]] = {}
    for fold in range(len(split.folds or [])):
        for label in _unlearnt(table, split, count, fold):
            missing.setdefault(label, []).append(fold)
    return _by_class(
        {
            label: _no_training(label, folds, count, split)
            for label, folds in sorted(missing.items())
        }
    )


def _unlearnt(table: pd.DataFrame, split: Split, count: _Count, fold: int) -> list[str]:
    """Return the classes that a fold has no training picture of.

    Validation never takes the last patient of a class. Only where all of a class's pictures come
    from patients who count for another class may it take them all; then the draw itself is asked.
    """
    outside, validating = count.outside(fold), count.validating(fold)
    doubtful = [i for i, row in enumerate(outside) if (row <= validating).all()]
    if not any(outside[i].any() for i in doubtful):
        return [count.classes[i] for i in doubtful]
    drawn = fold_sets(table, split, fold).assign(table)
    return sorted(set(count.classes) - set(table["label"][drawn == "train"]))


def _no_training(label: str, folds: list[int], count: _Count, split: Split) -> str:
    tested = count.inside[:, count.classes.index(label)].sum(axis=1)
    whole = int(tested.sum())
    if whole == 0:
        why = f"none of its {split.by}s is in a fold. Make the folds again"
    elif (tested[folds] < whole).any():
        why = (
            f"validation would take every {split.by} that is left. Choose another seed, add"
            f" {split.by}s of {label}"
        )
    elif whole == 1:
        why = f"its only {split.by} is the one being tested. Add {split.by}s of {label}"
    else:
        why = f"all {whole} of its {split.by}s are tested at once. Make the folds again"
    return (
        f"{label} has no training pictures in {_folds(folds)}, so it cannot be learnt there: {why},"
        " or exclude the class."
    )


def _by_class(sentences: dict[str, str]) -> list[str]:
    """Return the sentences of the first classes, and one that names those beyond."""
    beyond = list(sentences)[NAMED:]
    told = list(sentences.values())[:NAMED]
    return [*told, f"The same is true of {named(beyond)}."] if beyond else told


def _unvalidated(table: pd.DataFrame, split: Split) -> list[str]:
    """Tell of folds whose best epoch is chosen without some class, or cannot be chosen at all."""
    count = _count(table, split)
    validating = np.array([count.validating(fold) for fold in range(len(count.homes))])
    left = count.homes.sum(axis=0) - count.homes
    none = np.flatnonzero(~validating.any(axis=1)).tolist()
    sentences = []
    if none:
        where = "any fold" if len(none) == len(validating) else _folds(none)
        sentences.append(
            f"There are no validation pictures in {where}: the best epoch cannot be chosen, and the"
            " model of the last one is used."
        )
    # Where nothing of a class is left it cannot be learnt, which is told of elsewhere.
    lacking = (validating == 0) & (left > 0) & validating.any(axis=1, keepdims=True)
    classes = [
        f"{label} in {_folds(np.flatnonzero(lacking[:, i]).tolist())}"
        for i, label in enumerate(count.classes)
        if lacking[:, i].any()
    ]
    if classes:
        more = f"; and {len(classes) - NAMED} more classes" if len(classes) > NAMED else ""
        sentences.append(
            f"Validation lacks a class in some folds ({'; '.join(classes[:NAMED])}{more}): the best"
            " epoch is chosen without it there."
        )
    return sentences


def _folds(folds: list[int]) -> str:
    return named([f"fold {fold + 1}" for fold in folds])


# ---- sets --------------------------------------------------------------------------------------


def _patients(table: pd.DataFrame) -> list[str]:
    sentences = []
    classes = table.groupby("patient")["label"].nunique()
    several = sorted(classes.index[classes > 1])
    if several:
        homes = home_class(table)
        sentences.append(
            f"{len(several)} of {len(classes)} patients have pictures of several classes"
            f" ({named(several)}): each stays whole and counts for the class of most of its"
            f" pictures, such as {homes[several[0]]} for {several[0]}."
        )
    if len(classes) == len(table) and (table["patient"] != table["picture"]).any():
        sentences.append(
            "There are as many patients as pictures. If that is not so, the patient pattern is"
            " wrong, and a split by patient protects against nothing."
        )
    return sentences


def _left_aside(table: pd.DataFrame, sets: pd.Series, split: Split) -> list[str]:
    aside = sorted(table.loc[sets == "", split.by].unique())
    if not aside:
        return []
    return [
        f"In none of the sets: {len(aside)} of {table[split.by].nunique()} {split.by}s, such as"
        f" {aside[0]}. They came after the split was made, and are not used."
    ]


def _missing_classes(table: pd.DataFrame, sets: pd.Series) -> list[str]:
    """Tell of sets without pictures, and of classes that validation or test do not have."""
    sentences = []
    if not (sets == "val").any():
        sentences.append(
            "There are no validation pictures: the best epoch cannot be chosen, and the model of"
            " the last one is used."
        )
    if not (sets == "test").any():
        sentences.append("There are no test pictures: the model cannot be judged on new patients.")
    patients = table.groupby("label")["patient"].nunique()
    # Of the values alone: a joined table may number its rows twice.
    present = pd.crosstab(table["label"].to_numpy(), sets.to_numpy())
    present = present.reindex(columns=SET_NAMES, fill_value=0)
    for label, row in zip(present.index, present.to_dict("records"), strict=True):
        missing = [SET_WORDS[n] for n in ("val", "test") if row[n] == 0 and (sets == n).any()]
        if missing:
            count = int(patients[label])
            sentences.append(
                f"{label} has {count} {'patient' if count == 1 else 'patients'} and none in"
                f" {' and '.join(missing)}"
                + (
                    ": nothing can be said of how well it is recognised."
                    if "test" in missing
                    else "."
                )
            )
    return sentences
