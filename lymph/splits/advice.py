"""What someone should know of a split before training on it, in plain sentences.

Two kinds are kept apart: what makes training impossible, and what makes its figures worth less.
"""

import numpy as np
import pandas as pd

from lymph.splits.make import home_class
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
    missing = _missing_classes(table, sets) if split.folds is None else []
    return [*_patients(table), *_left_aside(table, sets, split), *missing]


# ---- folds -------------------------------------------------------------------------------------


def _untrainable_folds(table: pd.DataFrame, split: Split) -> list[str]:
    counts = _members(table, split)
    missing = {}
    for label, tested in zip(counts.index, counts.to_numpy(), strict=True):
        # Who is tested does not train: such folds test whatever there is of the class.
        if folds := np.flatnonzero(tested == tested.sum()).tolist():
            missing[label] = _no_training(label, folds, int(tested.sum()), split)
    return _by_class(missing)


def _members(table: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Return how many patients (or pictures) of each class, in order, are in each fold."""
    column = "patient" if split.by == "patient" else "picture"
    fold_of = {m: fold for fold, members in enumerate(split.folds or []) for m in members}
    rows = table[[column, "label"]].drop_duplicates()
    counts = pd.crosstab(rows["label"], rows[column].map(fold_of))
    folds = range(len(split.folds or []))
    return counts.reindex(sorted(table["label"].unique()), columns=folds, fill_value=0)


def _no_training(label: str, folds: list[int], whole: int, split: Split) -> str:
    if whole == 0:
        why = f"none of its {split.by}s is in a fold. Make the folds again"
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
