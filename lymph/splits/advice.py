"""What someone should know of a split before trusting it, in plain sentences."""

import pandas as pd

from lymph.splits.make import home_class
from lymph.splits.split import SET_NAMES, Split

TITLES = {"train": "training", "val": "validation", "test": "test"}

# Classes named one by one in a sentence; more are counted.
NAMED = 3


def named(names: list[str]) -> str:
    """Name up to three things, and count the rest."""
    shown = ", ".join(names[:NAMED])
    more = len(names) - NAMED
    return f"{shown} and {more} more" if more > 0 else shown


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
    sentences = [*_patients(table), *_left_aside(table, sets, split)]
    if split.folds is None:
        sentences += _missing_classes(table, sets)
    return sentences


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
    if len(classes) == len(table):
        sentences.append(
            "There are as many patients as pictures. If that is not so, the patient pattern is"
            " wrong, and a split by patient protects from nothing."
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
    sentences = []
    patients = table.groupby("label")["patient"].nunique()
    present = pd.crosstab(table["label"], sets).reindex(columns=SET_NAMES, fill_value=0)
    for label, row in present.iterrows():
        missing = [TITLES[name] for name in SET_NAMES if row[name] == 0 and (sets == name).any()]
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
