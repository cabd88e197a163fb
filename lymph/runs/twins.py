"""The honest run beside its leaky twin: the same model on the same pictures, split otherwise."""

from collections.abc import Iterable

from lymph.runs.catalogue import RunRecord


def leaks(record: RunRecord) -> bool:
    """Tell whether a finished run was judged on patients that it had trained on."""
    return bool(record.summary and record.summary.judged.get("leaked_test_share"))


def is_honest(record: RunRecord) -> bool:
    """Tell whether a finished run was judged on patients known to be new to it."""
    return bool(record.summary and record.summary.judged.get("leaked_test_share") == 0)


def twin_of(record: RunRecord, others: Iterable[RunRecord]) -> RunRecord | None:
    """Return the run to set beside one: honest where it leaks, leaky where it is honest.

    Only runs of the same model on the same data are looked at; of several the one whose settings
    differ least, the newest on a tie. None where there is none.
    """
    wanted = is_honest if leaks(record) else leaks
    known = [
        one
        for one in others
        if wanted(one)
        and not one.about.archived
        and (one.config.model, one.config.data) == (record.config.model, record.config.data)
    ]
    if not (leaks(record) or is_honest(record)) or not known:
        return None
    return min(known, key=lambda one: (_apart(record, one), -one.status.queued))


def _apart(one: RunRecord, other: RunRecord) -> int:
    """Count the settings in which two runs differ; folds beside sets count as one more."""
    pairs = zip(vars(one.config).values(), vars(other.config).values(), strict=True)
    return sum(a != b for a, b in pairs) + (bool(one.split.folds) != bool(other.split.folds))
