"""The report of a run: each figure of one set, by picture and by patient, in JSON types."""

from typing import Any

import numpy as np
import pandas as pd

from lymph.evaluation import patients as patient_level
from lymph.evaluation.intervals import (
    EXACT_METHOD,
    LEAVE_ONE_OUT_METHOD,
    METHOD,
    OUT_OF_FOLD_METHOD,
    PATIENTS_METHOD,
    POOLED,
    class_intervals,
    clopper_pearson,
    fold_overlap,
    metric_intervals,
    patients_of,
)
from lymph.evaluation.metrics import METRICS, confusion, largest_class_baseline, per_class
from lymph.evaluation.statement import LEAST_PATIENTS, Answers, Origin, may_be_stated
from lymph.facts import PATIENTS_UNKNOWN
from lymph.predictions import (
    OUT_OF_FOLD,
    choose_set,
    classes_of_predictions,
    validate_predictions,
)

SEEN_BEFORE = {
    "train": "The model has learned from these very pictures: the figures say how well it "
    "remembers, not how well it judges patients it has never seen.",
    "val": "The run may have chosen its epoch by these pictures, which makes figures a little too "
    "optimistic: judge by the test patients.",
}


def report(p: pd.DataFrame, set_name: str = "test", drawn: bool = False) -> dict[str, Any]:
    """Score one set of a prediction table, by picture and by patient.

    Parameters
    ----------
    p
        Prediction table; its other sets serve only to see whether patients leak.
    set_name
        ``test``, ``train``, ``val`` or ``out-of-fold``.
    drawn
        Whether a computer drew the pictures: then no figure says anything of real slides.

    Returns
    -------
    dict
        JSON types only. ``classes``, ``set``, ``pictures``, ``patients``, ``warnings`` (sentences),
        where each picture counts as a patient of its own ``patients_unknown``, which is true,
        and, where the table tells, ``leaked_test_share`` (0 to 1): the share of the set's pictures
        whose patient the model has trained on. ``pictures`` and ``patients`` each hold n,
        accuracy, balanced_accuracy, macro_f1, kappa (None when undefined), interval (of the
        accuracy), intervals (of each metric), baseline (always the largest class), confusion (rows
        true, columns predicted), per_class (precision, recall, f1, support and their intervals) and
        stated (may the accuracy be stated? see `lymph.evaluation.statement.Statement`).
        Shares run from 0 to 1. Intervals are 95 % and never without width; interval_method beside
        each names its method in a sentence, intervals_method that of each metric.

    Raises
    ------
    EvaluationError
        When the table breaks its contract or the set is empty.
    """
    p = validate_predictions(p)
    classes = classes_of_predictions(p)
    chosen = choose_set(p, set_name)
    patients = patient_level.by_patient(chosen)
    result: dict[str, Any] = {
        "classes": classes,
        "set": set_name,
        "pictures": _section(chosen, classes, "pictures"),
        "patients": _section(patients, classes, "patients"),
    }
    _make_exact(result["patients"], patients)
    folds = set_name in ("test", OUT_OF_FOLD) and bool((chosen["fold"] != "").all())
    if folds or set_name == OUT_OF_FOLD:
        _say_overlap(result)
    leaked = leaked_share(p, set_name)
    if leaked is not None:
        result["leaked_test_share"] = leaked
    # Where nobody knows the patients each picture is its own.
    if (chosen["patient"] == chosen["picture"]).all():
        result["patients_unknown"] = True
    result["warnings"] = _warnings(result, chosen, patients)
    for level, table in (("pictures", chosen), ("patients", patients)):
        result[level]["stated"] = _stated(
            result, level, table, OUT_OF_FOLD if folds else set_name, drawn
        )
    return result


def _stated(
    result: dict[str, Any], level: str, table: pd.DataFrame, set_name: str, drawn: bool
) -> dict[str, Any]:
    """Judge whether a level's accuracy may be stated; patients count one each row of theirs."""
    right = (table["label"] == table["predicted"]).to_numpy(np.float64)
    alone = level == "patients"
    unit = np.arange(len(table)) if alone else patients_of(table)
    answers = Answers(
        np.bincount(unit, weights=right),
        np.bincount(unit).astype(np.float64),
        tuple(result[level]["interval"]),
        one_each=alone,
        overlap=fold_overlap(table),
    )
    absent, single = _thin_classes(table, result["classes"])
    origin = Origin(
        set_name=set_name,
        leaked=result.get("leaked_test_share"),
        unknown=result.get("patients_unknown", False),
        drawn=drawn,
        absent=absent,
        single=single,
    )
    return may_be_stated(answers, origin, level).to_json()


def leaked_share(p: pd.DataFrame, set_name: str = "test") -> float | None:
    """Share of a set's pictures whose patient the model has trained on, 0 to 1.

    With folds, a picture leaks when its patient also stands in another fold. None when the table
    holds neither training rows nor folds, and for the training set itself.
    """
    leaked = leaked_pictures(p, set_name)
    return None if leaked is None else float(np.mean(leaked))


def leaked_pictures(p: pd.DataFrame, set_name: str = "test") -> np.ndarray | None:
    """Tell for each picture of a set whether the model has trained on its patient; N bool or None.

    See `leaked_share` for when it cannot be told.
    """
    chosen = choose_set(p, set_name)
    trained = p[p["set"] == "train"]
    if set_name == "train":
        return None
    if len(trained):
        seen = pd.MultiIndex.from_frame(trained[["patient", "fold"]])
        return pd.MultiIndex.from_frame(chosen[["patient", "fold"]]).isin(seen)
    if (chosen["fold"] != "").all():
        return (chosen.groupby("patient")["fold"].transform("nunique") > 1).to_numpy()
    return None


def _section(table: pd.DataFrame, classes: list[str], unit: str) -> dict[str, Any]:
    matrix = confusion(table, classes)
    section: dict[str, Any] = {"n": len(table)}
    section |= {name: _number(metric(matrix)) for name, metric in METRICS.items()}
    intervals = metric_intervals(table, classes)
    section["intervals"] = {name: pair and list(pair) for name, pair in intervals.items()}
    section["interval"] = section["intervals"]["accuracy"]
    # The same condition as that of the intervals: one row a patient.
    alone = table["patient"].is_unique
    others = EXACT_METHOD if alone else LEAVE_ONE_OUT_METHOD.format(unit=unit)
    section["interval_method"] = METHOD.format(unit=unit)
    section["intervals_method"] = dict.fromkeys(METRICS, others)
    section["intervals_method"]["accuracy"] = section["interval_method"]
    section["baseline"] = _number(largest_class_baseline(matrix))
    section["confusion"] = matrix.tolist()
    section["per_class"] = per_class(matrix, classes)
    for name, pairs in class_intervals(table, classes).items():
        of_class = section["per_class"][name]
        of_class["intervals"] = {key: pair and list(pair) for key, pair in pairs.items()}
        of_class["interval_method"] = (
            f"{EXACT_METHOD if alone else METHOD.format(unit=unit)}{POOLED}"
        )
    return section


def _make_exact(section: dict[str, Any], patients: pd.DataFrame) -> None:
    """Give the patients' accuracy its exact interval: patients are independent."""
    right = int((patients["label"] == patients["predicted"]).sum())
    ends = clopper_pearson(right, len(patients), overlap=fold_overlap(patients))
    section["intervals"]["accuracy"] = list(ends)
    section["interval"] = section["intervals"]["accuracy"]
    section["intervals_method"]["accuracy"] = PATIENTS_METHOD
    section["interval_method"] = PATIENTS_METHOD


def _say_overlap(result: dict[str, Any]) -> None:
    """Say after each method what no interval of figures out of fold takes into account."""
    for section in (result["pictures"], result["patients"]):
        parts = [section, *section["per_class"].values()]
        for part in parts:
            part["interval_method"] += f"; {OUT_OF_FOLD_METHOD}"
        methods = section["intervals_method"]
        for name in methods:
            methods[name] += f"; {OUT_OF_FOLD_METHOD}"


def _number(value: np.ndarray) -> float | None:
    # JSON has no NaN.
    return None if np.isnan(value) else float(value)


def _warnings(result: dict[str, Any], chosen: pd.DataFrame, patients: pd.DataFrame) -> list[str]:
    found = []
    share, count = result.get("leaked_test_share"), int(patients["patient"].nunique())
    if share:
        found.append(
            f"{_percent(share)} of these pictures are of patients on whom the model has trained: "
            "the figures are too optimistic; split by patient."
        )
    if "patients_unknown" in result:
        found.append(PATIENTS_UNKNOWN)
    if result["set"] in SEEN_BEFORE:
        found.append(SEEN_BEFORE[result["set"]])
    if count < LEAST_PATIENTS and "patients_unknown" not in result:
        found.append(
            f"Only {count} {'patient' if count == 1 else 'patients'} in this set: with fewer than "
            f"{LEAST_PATIENTS} a single figure says little; read the interval, or cross-validate "
            "over all patients."
        )
    found += _one_class_warnings(chosen, result["classes"])
    if len(patients) > count:
        found.append(
            "Some patients have pictures of several classes: each is counted once for each class."
        )
    return found


def _one_class_warnings(chosen: pd.DataFrame, classes: list[str]) -> list[str]:
    found, predicted = [], chosen["predicted"].unique()
    if len(predicted) == 1 and len(classes) > 1:
        found.append(
            f"The model predicts a single class, {predicted[0]}, for every picture: its accuracy "
            "is only that class's share."
        )
    absent, single = _thin_classes(chosen, classes)
    if absent:
        found.append(
            f"This set has no picture of {', '.join(absent)}: the figures say nothing of that."
        )
    if single:
        found.append(
            f"A single patient stands for {', '.join(single)}: how patients of that class differ "
            "cannot be seen, and its intervals are very wide."
        )
    return found


def _thin_classes(chosen: pd.DataFrame, classes: list[str]) -> tuple[list[str], list[str]]:
    """Return the classes without a patient in a set, and those with a single one."""
    people = chosen.groupby("label")["patient"].nunique()
    absent = [name for name in classes if name not in people.index]
    return absent, [name for name in classes if people.get(name, 0) == 1]


def _percent(share: float) -> str:
    return "Under 1 %" if share < 0.01 else f"{100 * share:.0f} %"
