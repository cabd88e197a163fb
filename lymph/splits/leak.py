"""What a split leaks: patients that the model trains on and is tested on."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from lymph.splits.split import Split


class LeakReport(NamedTuple):
    """Patients in training and test at once, and the test pictures that come from them."""

    leaked_patients: list[str]
    leaked_test_pictures: int
    test_pictures: int

    @property
    def leaked_test_share(self) -> float:
        """Return the share of test pictures whose patient is in training, 0 to 1."""
        return self.leaked_test_pictures / self.test_pictures if self.test_pictures else 0.0

    @property
    def sentence(self) -> str:
        """Return the report in one plain sentence."""
        if not self.test_pictures:
            return "This split has no test pictures."
        if not self.leaked_test_pictures:
            return "No test picture comes from a patient that the model trains on."
        return (
            f"{self.leaked_test_pictures} of {self.test_pictures} test pictures come from patients"
            " that the model trains on."
        )


def _leak_between(train: pd.DataFrame, test: pd.DataFrame) -> LeakReport:
    seen = set(train["patient"])
    leaked = test[test["patient"].isin(seen)]
    return LeakReport(sorted(leaked["patient"].unique()), len(leaked), len(test))


def leak_report(table: pd.DataFrame, split: Split, tested: str = "test") -> LeakReport:
    """Count the test pictures whose patient also trains; with folds, each fold against the rest.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    split : Split
    tested : str
        The set that is asked about: ``test`` or ``val``; folds have no such sets.
    """
    sets = split.assign(table)
    if split.folds is None:
        return _leak_between(table[sets == "train"], table[sets == tested])
    parts = [
        _leak_between(table[(sets != name) & (sets != "")], table[sets == name])
        for name in split.names()
    ]
    return LeakReport(
        sorted({patient for part in parts for patient in part.leaked_patients}),
        sum(part.leaked_test_pictures for part in parts),
        sum(part.test_pictures for part in parts),
    )


def counts_of(rows: pd.DataFrame, sets: pd.Series, split: Split) -> dict[str, Any]:
    """Count rows, patients and classes of each set (or fold).

    Parameters
    ----------
    rows : DataFrame
        Rows of a picture table: all of them, or one a patient to count patients by class.
    sets : Series
        The set of each row.
    """
    classes = sorted(rows["label"].unique())
    counted = pd.crosstab(sets.to_numpy(), rows["label"].to_numpy())
    counted = counted.reindex(index=split.names(), columns=classes, fill_value=0)
    patients = rows["patient"].groupby(sets).nunique()
    return {
        str(name): {
            "pictures": int(row.sum()),
            "patients": int(patients.get(name, 0)),
            "classes": {label: int(row[label]) for label in classes},
        }
        for name, row in counted.iterrows()
    }


def summary(table: pd.DataFrame, split: Split) -> dict[str, Any]:
    """Count pictures, patients and classes of each set (or fold), with what leaks."""
    leak = leak_report(table, split)
    return {
        "sets": counts_of(table, split.assign(table), split),
        "leaked_patients": leak.leaked_patients,
        "leaked_test_share": leak.leaked_test_share,
    }


def twins_across(
    table: pd.DataFrame, split: Split, pairs: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the pairs of (nearly) the same picture that the split puts on two sides.

    They leak whatever the patients are called, and whether patients are known at all.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    split : Split
    pairs : iterable of (str, str)
        Pictures that look alike, as ``lymph.data.quality`` finds them.
    """
    home = dict(zip(table["picture"], split.assign(table), strict=True))
    return [(a, b) for a, b in pairs if home.get(a) and home.get(b) and home[a] != home[b]]
