"""The figures of a run as tables to read, each with its interval, leaky ones marked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lymph.data.sources import is_synthetic
from lymph.evaluation import (
    METRICS,
    OUT_OF_FOLD_METHOD,
    Area,
    Calibration,
    Tested,
    Verdict,
    figure_text,
    interval_text,
    interval_words,
    leaked_pictures,
    percent_interval_text,
)
from lymph.evaluation.calibration import CURVE_PATIENTS
from lymph.evaluation.words import NOT_GIVEN
from lymph.facts import NOTEBOOK_FIGURES, PUBLISHED
from lymph.predictions import as_cells
from lymph.runs import Run, RunRecord, SplitKind, short_title
from lymph.text import SET_TITLES, counted
from lymph.training.phases import phase_words

LEAK_MARK = "⚠ leaky split"
UNKNOWN_MARK = "⚠ patients unknown"
METRICS_TOLD = {
    "accuracy": ("Accuracy", "share classified correctly"),
    "balanced_accuracy": ("Balanced accuracy", "mean recall over the classes"),
    "macro_f1": ("Macro F1", "mean F1 over the classes"),
    "kappa": ("Cohen's kappa", "agreement beyond chance; 1 is best"),
}
CLASS_METRICS_TOLD = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
SCORES_TOLD = {
    "expected_calibration_error": "ECE",
    "brier_score": "Brier score",
    "negative_log_likelihood": "NLL",
}
SKILL, PERFECT = "Brier skill score", "ECE of a perfectly calibrated model"
CALIBRATION_ROWS = ("Brier score", SKILL, "NLL", "ECE", PERFECT)
LEAKED = "patient_in_training"
# Marks that tell verdicts apart without colour.
VERDICT_MARKS = {Verdict.CAN: "✓", Verdict.CARE: "~", Verdict.CANNOT: "✕"}


def area_text(area: Area) -> str:
    """Write an area under a curve with its interval."""
    if area.value is None:
        return "undefined here"
    return f"{figure_text(area.value)} ({interval_text(area.interval)})"


def base_text(run: Run, report: Mapping[str, Any]) -> str:
    """Say on what every figure of a report stands: set, split, pictures, patients, leak."""
    words = (
        f"{SET_TITLES[report['set']]} set, split by {run.split().by},"
        f" {report['pictures']['n']} pictures of {people_text(report)}"
    )
    mark = mark_of(report)
    return f"{words} · {mark}" if mark else words


def people_text(report: Mapping[str, Any]) -> str:
    """Count the patients of a report, or say that nobody knows them."""
    if report.get("patients_unknown"):
        return "unknown patients"
    return counted(report["patients"]["n"], "patient")


def right_text(report: Mapping[str, Any]) -> str:
    """Count the patients judged correctly, or say that nobody knows them."""
    patients = report["patients"]
    if report.get("patients_unknown"):
        return "unknown"
    return f"{round(patients['accuracy'] * patients['n'])} of {patients['n']}"


def mark_of(report: Mapping[str, Any]) -> str:
    """Return the mark of figures that cannot be trusted as they stand, or nothing."""
    if report.get("leaked_test_share"):
        return LEAK_MARK
    return UNKNOWN_MARK if report.get("patients_unknown") else ""


def mark_title(report: Mapping[str, Any]) -> str:
    """Return what a leak's warning begins with; others say themselves what is the matter."""
    return "This split leaks." if mark_of(report) == LEAK_MARK else ""


def verdict_text(section: Mapping[str, Any]) -> str:
    """Say with a mark whether a section's accuracy may be stated."""
    verdict = Verdict(section["stated"]["verdict"])
    return f"{VERDICT_MARKS[verdict]} {verdict.value.capitalize()}"


def honest_rank(report: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """Rank a run's report: tested on patients of its own first, whatever a leaky one scores.

    Runs may be tested on other patients and on more or fewer, so their figures are not compared:
    first comes the one that promises most, by the lower ends of the intervals of accuracy and of
    balanced accuracy, whichever is lower. The first is that of a model that names the largest class
    whatever it sees; the second varies little where a model names one class always. A class that
    the test set lacks is not counted; ties are left to the caller.
    """
    of_test = report["set"] == "test"
    intervals = [
        report["pictures"]["intervals"][name] for name in ("accuracy", "balanced_accuracy")
    ]
    return (not mark_of(report), of_test, min(pair[0] if pair else 0.0 for pair in intervals))


def leak_word(report: Mapping[str, Any]) -> str:
    """Say in a word whether the figures leak: yes, no, or unknown where the patients are."""
    return {"": "no", LEAK_MARK: "yes", UNKNOWN_MARK: "unknown"}[mark_of(report)]


def measures_table(section: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out the measures of a report's section: columns figure, value, interval, what it is."""
    rows = [
        (METRICS_TOLD[name][0], section[name], section["intervals"][name], METRICS_TOLD[name][1])
        for name in METRICS
    ]
    table = pd.DataFrame(rows, columns=["Figure", "Value", "95 % interval", "What it is"])
    table["95 % interval"] = [interval_text(pair) for pair in table["95 % interval"]]
    chance = ("Always the largest class", section["baseline"], "", "accuracy without looking")
    table.loc[len(table)] = chance
    return table


def method_text(section: Mapping[str, Any]) -> str:
    """Say in sentences how the 95 % intervals of a report's section are made."""
    of_class = next(iter(section["per_class"].values()))
    methods = {
        "Accuracy": section["interval_method"],
        "Other measures": section["intervals_method"]["balanced_accuracy"],
        "Each class": of_class["interval_method"],
    }
    overlap = f"; {OUT_OF_FOLD_METHOD}"
    told = " ".join(f"{name}: {words.removesuffix(overlap)}." for name, words in methods.items())
    if section["interval_method"].endswith(overlap):
        told += f" {OUT_OF_FOLD_METHOD[0].upper()}{OUT_OF_FOLD_METHOD[1:]}."
    return f"Intervals are 95 %. {told}"


def classes_table(section: Mapping[str, Any], unit: str) -> pd.DataFrame:
    """Lay out precision, recall and F1 of each class of a report's section, with intervals.

    A class that was never answered has no precision: it is not a number, though a 0 in the report.
    """
    rows = []
    answered = np.sum(section["confusion"], axis=0)
    for (name, values), count in zip(section["per_class"].items(), answered, strict=True):
        row: dict[str, object] = {"Class": name, unit.capitalize(): values["support"]}
        for key, title in CLASS_METRICS_TOLD.items():
            defined = count > 0 or key != "precision"
            row[title] = values[key] if defined else np.nan
            row[f"{title}, 95 %"] = interval_text(values["intervals"][key] if defined else None)
        rows.append(row)
    return pd.DataFrame(rows)


def calibration_table(columns: Mapping[str, Calibration]) -> pd.DataFrame:
    """Lay out Brier score and skill, NLL and ECE beside what perfect calibration would give.

    One column a way of reading the probabilities.
    """
    table = {column: _calibration_column(one) for column, one in columns.items()}
    return pd.DataFrame(table).rename_axis("Score").reset_index()


def _calibration_column(calibration: Calibration) -> dict[str, str]:
    cells = {
        title: f"{figure_text(value)} ({interval_text(pair)})"
        for name, title in SCORES_TOLD.items()
        for value, pair in [calibration.scores[name]]
    }
    skill, perfect = calibration.skill, calibration.perfect
    cells[SKILL] = f"{figure_text(skill[0])} ({interval_text(skill[1])})" if skill else NOT_GIVEN
    cells[PERFECT] = f"{perfect.mean:.2f} (up to {perfect.high:.2f})" if perfect else NOT_GIVEN
    return {title: cells[title] for title in CALIBRATION_ROWS}


def chance_text(calibration: Calibration) -> str:
    """Say whether the ECE speaks against the model, or whether chance alone explains it."""
    error, perfect = calibration.scores["expected_calibration_error"][0], calibration.perfect
    if perfect is None:
        return (
            "What ECE chance alone would give cannot be told from a single patient: do not judge"
            " by it."
        )
    chance = (
        "on as many pictures and patients a perfectly calibrated model would have"
        f" {perfect.mean:.2f} on average and up to {perfect.high:.2f} in 95 of 100 tests"
    )
    if calibration.error_is_chance:
        return f"The ECE of {error:.2f} is within chance: {chance}."
    return f"The ECE of {error:.2f} is more than chance: {chance}."


def curve_text(calibration: Calibration) -> str:
    """Say why no reliability curve is drawn; an empty text where one is."""
    if calibration.has_curve:
        return ""
    fewest = counted(calibration.patients_per_class, "patient")
    return (
        f"No reliability curve: below {CURVE_PATIENTS} patients per class its points are chance,"
        f" and here the smallest class has {fewest}. Read the Brier skill score: 1 is perfect, 0 no"
        " better than always stating how common each class is."
    )


DRAWN_BESIDE_REAL = (
    "This run learned from computer-drawn pictures and was tested on such: its figures are not set"
    " beside published ones, which are of real slides."
)


def beside_table(sides: Sequence[Tested], level: str) -> pd.DataFrame:
    """Lay out models that were tested on different pictures, one column each; nothing is ranked.

    The first column names what a row says; ``level`` is pictures or patients.
    """
    columns = {side.name[:1].upper() + side.name[1:]: _side(side) for side in sides}
    rows = [
        f"Classified correctly, per {level[:-1]}",
        "95 % interval",
        "May it be stated?",
        "Split",
        "Tested on",
    ]
    return pd.DataFrame({"": [*rows, "Of patients it trained on"], **columns})


def _side(side: Tested) -> list[str]:
    people = "unknown patients" if side.patients is None else counted(side.patients, "patient")
    known = "unknown"
    if side.known_pictures is not None:
        pictures, patients = len(side.pictures), side.patients
        known = (
            f"{side.known_pictures} of {pictures} pictures, {side.known_patients} of {patients}"
            " patients"
        )
    verdict = Verdict(side.stated)
    return [
        f"{100 * side.accuracy:.0f} %",
        percent_interval_text(side.interval),
        f"{VERDICT_MARKS[verdict]} {verdict.value.capitalize()}",
        side.split,
        f"{SET_TITLES[side.set_name]} set: {counted(len(side.pictures), 'picture')} of {people}",
        f"{LEAK_MARK}: {known}" if side.leaks else known,
    ]


def split_text(split: SplitKind) -> str:
    """Say how a run's split was made: by what, in how many folds, from which seed."""
    folds = f"{split.folds} folds " if split.folds else ""
    return f"{folds}by {split.by}, seed {split.seed}"


def published_table(run: Run, report: Mapping[str, Any], level: str) -> pd.DataFrame:
    """Lay published figures and the notebook's beside a run, each with its protocol.

    A run on drawings is left out: the others are of real slides.
    """
    section = report[level]
    mine = {
        "Who": "This run",
        "Method": run.config.spec.title,
        "Split": f"by {run.split().by}, {people_text(report)} judged",
        "Accuracy": f"{100 * section['accuracy']:.0f} % per {level[:-1]},"
        f" {interval_words(section['interval'])}, {section['stated']['verdict']}",
        "Leaks": leak_word(report),
    }
    others = [
        {
            "Who": figure.source,
            "Method": figure.method,
            "Split": figure.split,
            "Accuracy": figure.accuracy,
            "Leaks": "yes" if figure.leaks else "no",
        }
        for figure in (*PUBLISHED, *NOTEBOOK_FIGURES)
    ]
    drawn = is_synthetic(run.config.data)
    return pd.DataFrame(others if drawn else [mine, *others])


def others_chart_table(run: Run, report: Mapping[str, Any], level: str) -> pd.DataFrame:
    """Return the rows of `lymph.charts.intervals_chart`: the run, then the published figures."""
    section = report[level]
    low, high = section["interval"]
    own = {
        "name": f"This run, per {level[:-1]}",
        "value": section["accuracy"],
        "low": low,
        "high": high,
        "leaks": bool(mark_of(report)),
        "own": True,
        "words": base_text(run, report),
    }
    others = [
        {
            "name": figure.source,
            "value": figure.value,
            "leaks": figure.leaks,
            "own": False,
            "words": f"{figure.accuracy}, {figure.split}",
        }
        for figure in (*PUBLISHED, *NOTEBOOK_FIGURES)
    ]
    return pd.DataFrame([own, *others])


def predictions_csv(run: Run) -> str:
    """Return a run's prediction table with ``patient_in_training``, safe in a spreadsheet.

    Raises
    ------
    LymphError
        When the run has none yet, or it is damaged.
    """
    return as_cells(marked_predictions(run.predictions())).to_csv(index=False)


def marked_predictions(p: pd.DataFrame) -> pd.DataFrame:
    """Return a prediction table whose further column tells which patients the model trained on.

    ``patient_in_training`` is yes or no, and empty where the table cannot tell: of the training
    pictures themselves it says yes.
    """
    marked = p.copy()
    marked[LEAKED] = ""
    marked.loc[p["set"] == "train", LEAKED] = "yes"
    for name in set(p["set"]) - {"train"}:
        leaked = leaked_pictures(p, name)
        if leaked is not None:
            words = pd.Series(leaked).map({True: "yes", False: "no"})
            marked.loc[p["set"] == name, LEAKED] = words.to_numpy()
    return marked


def lettered_percent(share: float | None, letter: str) -> str | None:
    """Write a share after the letter of its test, so that it sorts among its own; None stays None.

    Percents take three places, since the column is sorted as text.
    """
    if share is None or pd.isna(share):
        return None
    percent = f"{100 * share:3.0f} %"
    return f"{letter} · {percent}" if letter else percent


def run_row(
    record: RunRecord, judged: Mapping[str, Any] | None, validated: Mapping[str, Any] | None
) -> dict[str, object]:
    """Lay out one run as a row of the table of all runs.

    Parameters
    ----------
    record : RunRecord
    judged, validated : mapping, optional
        Reports of the set to judge by (test or out-of-fold) and of the validation set; None where
        there is none, as for a run that is not finished.

    Returns
    -------
    dict
        Figures are shares, 0 to 1, or None; intervals, split and leak stand beside them.
    """
    config, status, about = record.config, record.status, record.about
    found: dict[str, object] = {}
    if judged is not None:
        pictures = judged["pictures"]
        mark = mark_of(judged)
        found = {
            "Leaks": "⚠ unknown" if mark == UNKNOWN_MARK else mark or "no",
            "Test": pictures["accuracy"],
            "95 % interval": percent_interval_text(pictures["interval"]) + (" ⚠" if mark else ""),
            "May it be stated?": verdict_text(pictures),
            "Patients right": right_text(judged),
        }
    return {
        "Name": short_title(record),
        "Split": split_text(record.split),
        "Leaks": found.get("Leaks", ""),
        "Test": found.get("Test"),
        "95 % interval": found.get("95 % interval", ""),
        "May it be stated?": found.get("May it be stated?", ""),
        "Patients right": found.get("Patients right", ""),
        "Validation": validated and validated["pictures"]["accuracy"],
        "Model": config.spec.title,
        "Seed": config.seed,
        "Epochs": config.epochs,
        "Minutes": status.seconds / 60,
        "Schedule": phase_words(config) if config.model != "cnn" else "",
        "Start": config.values_title if config.model != "cnn" else "random weights",
        "Class weights": config.class_weights,
        "State": status.state,
        "Note": about.note,
    }
