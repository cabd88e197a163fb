"""The picture table becomes a split: who trains, who validates, who tests; and what leaks."""

from lymph.splits.advice import advice, untrainable
from lymph.splits.audit import Audit, audit_files, audit_lists
from lymph.splits.fold import fold_sets, make_folds
from lymph.splits.leak import LeakReport, counts_of, leak_report, summary, twins_across
from lymph.splits.make import (
    FRACTIONS,
    given_split,
    notebook_split,
    split_by_patient,
    split_by_picture,
)
from lymph.splits.published import Published, read_published
from lymph.splits.saved import delete_split, from_file, list_splits, save_split, to_csv
from lymph.splits.split import SET_NAMES, Split

__all__ = [
    "FRACTIONS",
    "SET_NAMES",
    "Audit",
    "LeakReport",
    "Published",
    "Split",
    "advice",
    "audit_files",
    "audit_lists",
    "counts_of",
    "delete_split",
    "fold_sets",
    "from_file",
    "given_split",
    "leak_report",
    "list_splits",
    "make_folds",
    "notebook_split",
    "read_published",
    "save_split",
    "split_by_patient",
    "split_by_picture",
    "summary",
    "to_csv",
    "twins_across",
    "untrainable",
]
