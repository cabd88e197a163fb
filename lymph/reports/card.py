"""The model card of a run: what it knows of three reporting guidelines, and what is left to say.

The guidelines are TRIPOD+AI (Collins et al. 2024, BMJ 385:e078378; 27 items, with their letters),
CLAIM 2024 (Tejani et al. 2024, Radiol Artif Intell 6:e240300; 44 items) and the model info sheet of
Kapoor and Narayanan (2023, Patterns 4:100804), whose questions are named by the types of leakage
that they ask about. A row answers what the guidelines ask in common, in words of our own.
"""

import html
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from lymph.data.sources import is_synthetic
from lymph.errors import SplitError
from lymph.evaluation import percent_interval_text
from lymph.evaluation.calibration import CURVE_PATIENTS
from lymph.models.architecture import Architecture
from lymph.models.augmentations import AUGMENTATIONS
from lymph.models.encoder_table import ENCODER_TABLE
from lymph.models.specs import STAGES
from lymph.models.view import scale_words
from lymph.reports.tables import (
    METRICS_TOLD,
    base_text,
    method_text,
    people_text,
    right_text,
    split_text,
)
from lymph.reports.writing import write
from lymph.runs import Run, record_of
from lymph.splits import Split
from lymph.text import SET_TITLES, counted
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from lymph.training.phases import phase_words

BLANK = "not known to lymph: fill in"
GUIDELINES = (
    "Items of TRIPOD+AI (2024), CLAIM (2024 update) and, by type of leakage (L1 to L3), of Kapoor"
    " and Narayanan's model info sheet (2023). The run fills in what it knows; the rest is yours."
)


class Row(NamedTuple):
    """One thing to report: which items ask for it, and the answer, empty where nobody knows it."""

    section: str
    title: str
    tripod: str
    claim: str
    leakage: str
    answer: str = ""

    @property
    def items(self) -> str:
        """Return the items that ask for it, in one line."""
        named = (("TRIPOD+AI", self.tripod), ("CLAIM", self.claim), ("Leakage", self.leakage))
        return "; ".join(f"{name} {items}" for name, items in named if items)


def model_card(run: Run, report: Mapping[str, Any]) -> list[Row]:
    """Fill in what a run knows of the guidelines.

    Parameters
    ----------
    run : Run
        A finished run.
    report : mapping
        What `lymph.evaluation.report` says of the set to judge by.

    Returns
    -------
    list of Row
        Every item of the three guidelines is in a row; rows of a section stand together.
    """
    predictions = run.predictions()
    return [
        *_purpose(run, report),
        *_data(run, predictions),
        *_partitions(run, report, predictions),
        *_model(run),
        *_evaluation(run, report),
        *_results(run, report),
        *_openness(run),
    ]


def _purpose(run: Run, report: Mapping[str, Any]) -> list[Row]:
    classes = ", ".join(report["classes"])
    title = f"{run.config.spec.title}: deep learning that tells pictures of {classes} apart."
    aim = "To develop a classifier and to test it on held-out pictures of the same data set."
    use = "Teaching and learning only: it is no medical device."
    return [
        Row("Purpose", "Title", "1", "1", "", title),
        Row("Purpose", "Summary", "2", "2", ""),
        Row("Purpose", "Medical context, and models there are", "3a", "3", ""),
        Row("Purpose", "Intended use and users", "3b", "41", "", use),
        Row("Purpose", "Known health inequalities", "3c", "", ""),
        Row("Purpose", "Aim", "4", "4, 6", "", aim),
        Row("Purpose", "Prospective or retrospective", "", "5", ""),
    ]


def _data(run: Run, predictions: pd.DataFrame) -> list[Row]:
    source, spec = run.config.source, run.config.spec
    drawn = is_synthetic(source.root)
    kind = "computer-drawn pictures" if drawn else "pictures"
    unknown = bool((predictions["patient"] == predictions["picture"]).all())
    people = "unknown patients"
    if not unknown:
        people = counted(int(predictions["patient"].nunique()), "patient")
    named = f"{source.path.name}: {len(predictions)} {kind} of {people}."
    if drawn:
        named += " None is from a patient: the patients are drawn too."
    height, width = spec.size
    how = (
        f"Scaled to {width} by {height} pixels, {'grey' if spec.grey else 'colour'}, with fixed"
        " means and deviations: nothing is fitted to the test pictures."
    )
    if run.config.tunes_last_block:
        how = (
            f"Scaled to {width} by {height} pixels, colour; {_normalised(run)}. The features are on"
            " the standard scales of the training pictures."
        )
    if spec.frozen:
        how = (
            f"Enlarged {spec.scale:g} times, or to {width * height:,} pixels where those are"
            f" fewer; {_normalised(run)}. The features are on the standard scales of the training"
            " pictures."
        )
    if spec.tiles:
        how = (
            f"Seen {scale_words(spec)}; tiles of bare glass are skipped. Each tile is seen as a"
            f" picture: {_normalised(run)}. A picture's answer is the mean over its tiles."
        )
        if not spec.frozen:
            how += " In an epoch it is learned from by one of them, drawn at random."
    by = {"folder": "folder", "name": "file name", "table": "table"}.get(source.labels, "folder")
    excluded = counted(len(source.excluded or {}), "picture")
    whole = f"A picture is used whole or not at all; {excluded} excluded by hand."
    pixels = "The pixels of one picture, and nothing else; no feature was chosen."
    return [
        Row("Data", "Source", "5a", "7", "", named),
        Row("Data", "Dates", "5b", "", ""),
        Row("Data", "Centres and setting", "6a", "", ""),
        Row("Data", "Who was eligible", "6b", "8", ""),
        Row("Data", "Treatments", "6c", "", ""),
        Row("Data", "Preparation", "7, 12b", "9", "L1.2", how),
        Row("Data", "Staining, scanner, magnification", "", "13", ""),
        Row("Data", "De-identification", "", "11", ""),
        Row("Data", "What is predicted", "8a", "", "", f"The class that the {by} gives a picture."),
        Row("Data", "How the diagnosis was made, and why so", "8a", "14, 15", ""),
        Row("Data", "Who made it; blinding; agreement", "8b, 8c", "16, 17, 18", ""),
        Row("Data", "What it is predicted from", "9a, 9b, 9c", "", "L1.3", pixels),
        Row("Data", "Whether stain or scanner stand in for the class", "", "", "L2"),
        Row("Data", "Missing and excluded data", "11", "10, 12", "", whole),
    ]


def _partitions(run: Run, report: Mapping[str, Any], predictions: pd.DataFrame) -> list[Row]:
    counts = []
    for home, rows in predictions.groupby("set", sort=False):
        name = str(home)
        if report.get("patients_unknown"):
            people = "unknown patients"
        else:
            people = counted(int(rows["patient"].nunique()), "patient")
        of = rows["label"].value_counts()
        classes = ", ".join(f"{label} {of.get(label, 0)}" for label in report["classes"])
        counts.append(
            f"{SET_TITLES.get(name, name)}: {len(rows)} pictures of {people} ({classes})."
        )
    needed = report["pictures"]["stated"]["needed_words"]
    size = f"As many patients as the data set has; none was planned. {needed}".strip()
    return [
        Row(
            "Partitions",
            "How pictures were assigned",
            "12a",
            "19",
            "L1.1",
            f"Split {split_text(record_of(run).split)}.",
        ),
        Row("Partitions", "Level at which they are apart", "", "20", "L3.2", _apart(report)),
        Row("Partitions", "Duplicates across the sets", "", "", "L1.4"),
        Row("Partitions", "Whether the test is later in time", "", "", "L3.1"),
        Row("Partitions", "Pictures, patients, classes", "20a, 21", "35", "", " ".join(counts)),
        Row("Partitions", "Age, sex, findings in each set", "20b, 20c", "36", ""),
        Row("Partitions", "Sample size", "10", "21", "", size),
        Row("Partitions", "Training and test compared", "16", "", "", "Of one data set."),
        Row("Partitions", "Whether the test is like the intended use", "", "", "L3.3"),
    ]


def _apart(report: Mapping[str, Any]) -> str:
    if report.get("patients_unknown"):
        return "Unknown, since the patients are: pictures of one patient may be on both sides."
    share = report.get("leaked_test_share")
    if share is None:
        return ""
    if not share:
        return "Patients: none of this set was trained on. Slides and pictures follow them."
    return f"Pictures only: {100 * share:.0f} % are of patients who were trained on too. It leaks."


def _model(run: Run) -> list[Row]:
    config, environment = run.config, run.environment()
    spec = config.spec
    versions = ", ".join(
        f"{name} {environment[name]}"
        for name in ("lymph", "python", "torch")
        if name in environment
    )
    weights = config.values_title
    start = "Random initialisation." if weights == "none" else f"Pretrained weights: {weights}."
    if (known := ENCODER_TABLE.get(config.encoder)) and config.architecture:
        start += f" They learned from {known.learned_from}; {known.terms} ({known.page})."
    ways = "; ".join(AUGMENTATIONS[way].split(":")[0].lower() for way in config.augmentation)
    phases = phase_words(config)
    training = (
        f"At most {config.epochs} epochs ({phases}), batches of {config.batch_size},"
        f" learning rate {config.learning_rate:g}, weight decay {config.weight_decay:g}, seed"
        f" {config.seed}."
        f" Augmentation: {ways or 'none'}."
    )
    if spec.frozen:
        training = (
            f"A linear head on frozen features: logistic regression by L-BFGS, {config.epochs}"
            " epochs of two iterations; each patient weighs the same. No augmentation."
        )
    if config.tunes_last_block:
        training = (
            "First a linear head on frozen features (logistic regression by L-BFGS, each patient"
            " weighs the same), then its last layer with the last block of the network, all batch"
            f" statistics frozen: {config.epochs} epochs ({phases}), batches of"
            f" {config.batch_size}, learning rate {config.learning_rate:g}, of the block"
            f" {config.learning_rate * config.backbone_factor:g}, weight decay"
            f" {config.weight_decay:g}, seed {config.seed}. No augmentation."
        )
    best = run.status().best_epoch
    kept = f" Epoch {best} is kept." if best else ""
    folds = run.split().folds
    chosen = f"The epoch that scores best on the validation set.{kept}"
    if spec.frozen:
        chosen = _regularisation(run)
    elif not config.chooses_by_validation:
        chosen = f"The last epoch, whatever validation says. {_regularisation(run)}"
    together = "None."
    if folds:
        chosen = "" if spec.frozen else _chosen_in_folds(run)
        together = "None: each picture is judged by the one model that did not train on it."
    weighed = {
        "none": "No class weights.",
        "picture": "The loss weighs classes by their inverse number of pictures.",
        "patient": "The loss weighs classes by their inverse number of patients.",
    }[config.class_weights]
    gives = (
        "A probability for each class; the most probable one is named, without a threshold. A"
        " patient is named by the mean probability of all pictures."
    )
    kind = f"{spec.title}{_up_to(config)}; {len(run.classes)} classes."
    load = "" if folds else "The weights with the lines that load them: `python -m lymph export`."
    return [
        Row("Model", "Architecture", "12c", "22", "", kind),
        Row("Model", "Software", "", "23", "", f"{versions}." if versions else ""),
        Row("Model", "Initial weights", "", "24", "", start),
        Row("Model", "Training", "12c", "25", "", training),
        Row("Model", "How the final model was chosen", "12c", "26", "", chosen),
        Row("Model", "Ensembles", "", "27", "", together),
        Row("Model", "Class imbalance", "13", "", "", weighed),
        Row("Model", "Output", "12g, 15", "", "", gives),
        Row("Model", "The model itself", "22", "43", "", load),
    ]


def _chosen_in_folds(run: Run) -> str:
    """Say which epoch of each fold is kept; versions before had a part of the others validate.

    Nothing where the fold's sets can no longer be read.
    """
    try:
        sets = Split.load(run.path / files.FOLDS / "1" / files.SPLIT).sets or {}
    except SplitError:
        return ""
    if sets.get("val"):
        return "The epoch of each fold that scores best on its validation set."
    return "The last epoch of each fold: whoever is outside it trains, and nobody validates."


def _up_to(config: TrainConfig) -> str:
    """Say where a network ends that does not have all of its stages."""
    stages = config.stages_kept
    return f", cut off after layer{stages}" if stages and stages < STAGES else ""


def _normalised(run: Run) -> str:
    """Say how a network's pictures are normalised and cut."""
    spec = run.config.spec
    if not (spec.frozen or run.config.tunes_last_block):
        return f"{'grey' if spec.grey else 'colour'}, with fixed means and deviations"
    if not run.config.architecture:
        return "each channel of each picture by its own mean and spread"
    side = Architecture.from_json(run.config.architecture).tile
    return (
        f"cut into tiles of {side} by {side} pixels, whose features are averaged, with the means"
        " and deviations that the encoder learned with"
    )


def _regularisation(run: Run) -> str:
    """Say how strongly the head of a probe is held back, and what that was chosen on."""
    told = [note for note in run.status().notes if note.startswith("Regularisation")]
    return " ".join(told)


def _evaluation(run: Run, report: Mapping[str, Any]) -> list[Row]:
    named = ", ".join(title for title, _ in METRICS_TOLD.values())
    measures = (
        f"{named}; ROC and precision-recall curves; all of them by picture and by patient. Brier"
        " score, NLL and expected calibration error."
    )
    # As the section on the probabilities does: with fewer patients there is no such curve.
    of_classes = report["patients"]["per_class"].values()
    if min(values["support"] for values in of_classes) >= CURVE_PATIENTS:
        measures += " A reliability curve."
    clusters = (
        "Patients are the clusters: every interval rests on how much its figure varies between"
        " them. Centres are not known."
    )
    inside = f"{base_text(run, report)}."
    why = "Grad-CAM and tiles, see Why it said so."
    return [
        Row("Evaluation", "Measures and plots", "12e", "28", "", measures),
        Row("Evaluation", "Uncertainty", "12e", "29", "", method_text(report["pictures"])),
        Row("Evaluation", "Differences between clusters", "12d, 23b", "", "", clusters),
        Row("Evaluation", "Updating of the model", "12f, 24", "", "", "None."),
        Row("Evaluation", "Fairness", "14", "", ""),
        Row("Evaluation", "Robustness", "", "30", ""),
        Row("Evaluation", "Explanation of answers", "", "31", "", why),
        Row("Evaluation", "Internal test", "", "32", "", inside),
        Row("Evaluation", "External test", "", "33", "", "None in this run."),
    ]


def _results(run: Run, report: Mapping[str, Any]) -> list[Row]:
    pictures, patients = report["pictures"], report["patients"]
    scored = (
        f"{100 * pictures['accuracy']:.0f} % of {pictures['n']} pictures"
        f" ({percent_interval_text(pictures['interval'])}, 95 % interval), {people_text(report)}."
    )
    if not report.get("patients_unknown"):
        right = right_text(report)
        scored += f" Patients: {right} ({percent_interval_text(patients['interval'])})."
    wrong = pictures["n"] - round(pictures["accuracy"] * pictures["n"])
    failed = f"{wrong} of {pictures['n']} pictures; see the matrices and Worst mistakes."
    limits = " ".join([pictures["stated"]["words"], *report["warnings"]])
    poor = "" if run.split().folds else "A picture unlike those of the training gets a warning."
    return [
        Row("Results", "Performance", "23a", "37, 38", "", scored),
        Row("Results", "What was mistaken", "", "39", "", failed),
        Row("Results", "Interpretation", "25", "", ""),
        Row("Results", "Limitations", "26", "40", "", limits),
        Row("Results", "Poor or missing input", "27a", "", "", poor),
        Row("Results", "Skill that users need", "27b", "", ""),
        Row("Results", "Next steps", "27c", "", ""),
    ]


def _openness(run: Run) -> list[Row]:
    repeat = "A script that repeats this run and compares the figures: `python -m lymph code`."
    return [
        Row("Openness", "Ethical approval", "17", "", ""),
        Row("Openness", "Funding", "18a", "44", ""),
        Row("Openness", "Conflicts of interest", "18b", "", ""),
        Row("Openness", "Protocol", "18c", "42", ""),
        Row("Openness", "Registration", "18d", "34", ""),
        Row("Openness", "Availability of the data", "18e", "43", ""),
        Row("Openness", "Availability of the code", "18f", "43", "", repeat),
        Row("Openness", "Involvement of patients and the public", "19", "", ""),
    ]


def filled_text(card: list[Row]) -> str:
    """Say how much of a card the run could fill in."""
    known = sum(bool(row.answer) for row in card)
    return f"{known} of {len(card)} rows are filled in; {len(card) - known} are left blank."


def card_html(card: list[Row]) -> Markup:
    """Write a card as HTML tables, one a section; a blank says so."""
    sections: dict[str, list[Row]] = {}
    for row in card:
        sections.setdefault(row.section, []).append(row)
    return write("card.html", sections=sections, parts=_parts, blank=BLANK)


def _parts(text: str) -> list[str]:
    """Cut an answer at its backticks: every second part is code."""
    parts = text.split("`")
    # A name that somebody chose may hold one.
    return parts if len(parts) % 2 else [text]


def card_markdown(run: Run, report: Mapping[str, Any]) -> str:
    """Write a run's card as Markdown, to be completed in any editor."""
    card = model_card(run, report)
    lines = ["# Model card", "", base_text(run, report), "", GUIDELINES, "", filled_text(card)]
    section = ""
    for row in card:
        if row.section != section:
            lines += ["", f"## {row.section}", "", "| What | This run | Items |", "|---|---|---|"]
            section = row.section
        cells = (row.title, row.answer or f"*{BLANK}*", row.items)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Keep a name that somebody chose from ending a cell, or from being markup."""
    escaped = html.escape(text, quote=False)
    return " ".join(escaped.replace("\\", "\\\\").replace("|", "\\|").replace("[", "\\[").split())
