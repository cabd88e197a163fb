"""BROKEN ON PURPOSE: folds over a list that is called patients, made of file names; and the fix."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lymph.leak.meter import count_folds
from lymph.lessons.data import LessonData
from lymph.lessons.practice import Tell, score, silent
from lymph.lessons.quick import colour_numbers, need_patients, out_of_fold
from lymph.splits import Split, make_folds
from lymph.splits.audit import audit_sides
from lymph.splits.published import Row
from lymph.splits.sides import Part, Sides


def folds_of_names(data: LessonData, folds: int, seed: int) -> Split:
    """BROKEN ON PURPOSE: deal "patients" into folds, whose names still tell the single picture."""
    patients = sorted({picture.rsplit(".", 1)[0] for picture in data.table["picture"]})
    dealt = np.random.default_rng(seed).permutation(len(patients)) % folds
    fold_of = dict(zip(patients, dealt, strict=True))
    groups: list[list[str]] = [[] for _ in range(folds)]
    for picture in data.table["picture"]:
        groups[fold_of[picture.rsplit(".", 1)[0]]].append(picture)
    return Split("picture", seed, folds=groups)


def run(data: LessonData, seed: int = 0, tell: Tell = silent) -> dict[str, Any]:
    """Make folds over the list of names and over patients, audit both, and score a quick model.

    Returns
    -------
    dict
        ``listed`` (entries of the list), ``patients`` and ``pictures`` (of the set), ``example``
        (an entry of the list and the patient behind it), and under ``names`` and ``patient``:
        ``test`` (a score, out of fold), ``leaked_pictures`` (test pictures whose patient also
        trains), ``leaked`` (their share) and ``by_fold`` (the same of each fold).
    """
    need_patients(data, 2)
    folds = count_folds(data.table)
    splits = {
        "names": folds_of_names(data, folds, seed),
        "patient": make_folds(data.table, folds, "patient", seed),
    }
    features = colour_numbers(data)
    found = {}
    for place, (name, split) in enumerate(splits.items(), start=1):
        found[name] = _audit(data, split)
        with threadpool_limits(1):
            probabilities = out_of_fold(data, features, split)
        homes = split.assign(data.table).to_numpy(str)
        rows = np.arange(len(probabilities))
        found[name]["test"] = score(data, rows, probabilities, homes)
        told = f"{found[name]['leaked_pictures']} of {len(data.table)} test pictures leak"
        tell(place / 2, f"folds by {name}: {told}")
    first = data.table.iloc[0]
    entries = {picture.rsplit(".", 1)[0] for picture in data.table["picture"]}
    return {
        "listed": len(entries),
        "patients": int(data.table["patient"].nunique()),
        "pictures": len(data.table),
        "example": [first["picture"].rsplit("/", 1)[-1].rsplit(".", 1)[0], first["patient"]],
        **found,
    }


def _audit(data: LessonData, split: Split) -> dict[str, Any]:
    """Audit folds as if somebody had published them with the patient of every picture."""
    homes = split.assign(data.table)
    rows = [Row(p, who) for p, who in data.table[["picture", "patient"]].itertuples(index=False)]
    parts = [
        Part(
            name,
            [row for row, home in zip(rows, homes, strict=True) if home != name],
            [row for row, home in zip(rows, homes, strict=True) if home == name],
        )
        for name in split.names()
    ]
    audit = audit_sides(Sides([part for part in parts if part.test], []))
    leaked = sum(fold.leaked_test_images for fold in audit.folds)
    return {
        "leaked_pictures": leaked,
        "leaked": leaked / len(rows),
        "by_fold": [fold.leaked_test_images / fold.test_images for fold in audit.folds],
    }
