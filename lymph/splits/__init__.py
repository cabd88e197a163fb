"""The picture table becomes a split: who trains, who validates, who tests; and what leaks."""

from lymph.splits.fold import fold_sets, make_folds
from lymph.splits.leak import LeakReport, leak_report, summary
from lymph.splits.make import FRACTIONS, notebook_split, split_by_patient, split_by_picture
from lymph.splits.split import SET_NAMES, Split

__all__ = [
    "FRACTIONS",
    "SET_NAMES",
    "LeakReport",
    "Split",
    "fold_sets",
    "leak_report",
    "make_folds",
    "notebook_split",
    "split_by_patient",
    "split_by_picture",
    "summary",
]
