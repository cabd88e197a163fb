"""The report of a run: one HTML file that opens without a network and shows everything."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lymph.charts import MATRIX_CSS, percent
from lymph.data.sources import is_synthetic
from lymph.data.thumbnails import thumbnail_paths
from lymph.errors import LymphError
from lymph.evaluation import (
    STANDARD,
    apply_temperature,
    by_patient,
    calibrate,
    choose_set,
    confidence_of,
    in_order,
    interval_words,
)
from lymph.evaluation import report as make_report
from lymph.explain import neighbour_rates, run_features
from lymph.facts import class_colours
from lymph.reports.card import GUIDELINES, card_html, filled_text, model_card
from lymph.reports.charts import figure_html, matrices, run_charts
from lymph.reports.code import code_of
from lymph.reports.pictures import address_of
from lymph.reports.reasons import reasons_html
from lymph.reports.tables import (
    DRAWN_BESIDE_REAL,
    base_text,
    calibration_table,
    chance_text,
    classes_table,
    curve_text,
    mark_of,
    mark_title,
    measures_table,
    method_text,
    published_table,
    right_text,
    verdict_text,
)
from lymph.reports.writing import table_html, write
from lymph.runs import Run, read_about

# Small copies of this many pictures stay within a few megabytes.
MOST_PICTURES = 400
THUMBNAIL = 120
WORST = 24


def report_html(run: Run, set_name: str = "test") -> str:
    """Write the report of a run and one of its sets as one HTML file.

    Parameters
    ----------
    run : Run
        A finished run.
    set_name : str
        ``test``, ``val``, ``train`` or ``out-of-fold``.

    Returns
    -------
    str
        HTML that asks nothing of a network: charts, matrices that answer a click, and small copies
        of up to 400 pictures stand in it. Pictures that are gone are left out, and it says so.

    Raises
    ------
    EvaluationError
        When the run has no predictions for the set.
    """
    figures = make_report(run.predictions(), set_name, _drawn(run))
    pictures = choose_set(run.predictions(), set_name)
    charts = run_charts(run, figures)
    thumbnails = _thumbnails(run, pictures)
    sections = {
        "What is taken for what": _answers(run, figures, pictures, thumbnails),
        "Every figure with its interval": _measures(figures),
        "Curves": _section(charts=_chosen(charts, ("ROC", "Precision"))),
        "Can its probabilities be believed?": _calibration(run, pictures, charts),
        "Pictures to look at": _worst(run, pictures, thumbnails),
        "Why it said so": reasons_html(run, pictures),
        "Which pictures it finds similar": _map(run, charts),
        "Published results": _beside(run, figures, charts),
        "How it learned": _section(charts=_chosen(charts, ("Learning",))),
        "Model card": _card(run, figures),
        "How to repeat it": _repeat(run, set_name),
    }
    return write(
        "report.html",
        title=_title(run),
        matrix_css=Markup(MATRIX_CSS),
        plotly=Markup(get_plotlyjs()),
        kind="leaky" if mark_of(figures) else "sound",
        head=_head(run, figures),
        sections=sections,
    )


def _title(run: Run) -> str:
    return read_about(run).name or f"{run.config.spec.title}, {run.path.name}"


def _section(
    told: Sequence[str] = (),
    table: Markup | None = None,
    quietly: Sequence[str] = (),
    body: Markup | None = None,
    charts: Mapping[str, Markup] | None = None,
) -> Markup:
    """Write a section: words, a table, quiet words below it, what else there is, charts."""
    return write(
        "section.html", told=told, table=table, quietly=quietly, body=body or "", charts=charts
    )


def _chosen(charts: Mapping[str, go.Figure], starts: tuple[str, ...]) -> dict[str, Markup]:
    """Return the charts whose titles begin so, as HTML."""
    return {
        title: figure_html(title, figure)
        for title, figure in charts.items()
        if title.startswith(starts)
    }


class Number(NamedTuple):
    """A headline of the report: one figure, and whether it may be stated."""

    unit: str
    value: str
    interval: str
    verdict: str
    why: str


def _head(run: Run, figures: Mapping[str, Any]) -> Markup:
    pictures, patients = figures["pictures"], figures["patients"]
    warnings = list(figures["warnings"])
    leak = warnings.pop(0) if mark_of(figures) else ""
    return write(
        "head.html",
        title=_title(run),
        base=base_text(run, figures),
        drawn=_drawn(run),
        leak=leak,
        leak_title=mark_title(figures),
        numbers=[
            _number("picture", f"{100 * pictures['accuracy']:.0f} %", pictures),
            _number("patient", right_text(figures), patients),
        ],
        standard=STANDARD.format(unit="pictures or patients"),
        warnings=warnings,
        note=read_about(run).note,
    )


def _number(unit: str, value: str, section: Mapping[str, Any]) -> Number:
    """Say below a headline whether it may be stated, why not, and what the test cannot tell."""
    stated = section["stated"]
    parts = ("; ".join(stated["reasons"]), stated["lesson"], stated["needed_words"])
    why = " ".join(_sentence(part) for part in parts if part)
    return Number(unit, value, interval_words(section["interval"]), verdict_text(section), why)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}".rstrip(".") + "."


def _drawn(run: Run) -> bool:
    return is_synthetic(run.config.data)


class Pictured(NamedTuple):
    """A picture of the report: the cell of the matrix it is in, and what is written below it."""

    label: str
    predicted: str
    edge: str
    address: str
    name: str
    words: str
    patient: str


class Answer(NamedTuple):
    """The matrices of one level, and the pictures that a click on the first one shows."""

    unit: str
    counts: Markup
    shares: dict[str, Markup]
    pictures: list[Pictured]


def _answers(
    run: Run, figures: Mapping[str, Any], pictures: pd.DataFrame, thumbnails: Mapping[str, str]
) -> Markup:
    tables = matrices(figures)
    answers = []
    for level, rows in (("pictures", pictures), ("patients", _of_patients(pictures))):
        shares = {title: table for title, table in tables.items() if f"of {level}," in title}
        counts = shares.pop(next(iter(shares)))
        shown = _pictured(run, rows, pictures, thumbnails)
        answers.append(Answer(level[:-1], counts, shares, shown))
    return write("answers.html", answers=answers, missing=_missing(pictures, thumbnails))


def _of_patients(pictures: pd.DataFrame) -> pd.DataFrame:
    """Return the pictures with what is predicted for their patient."""
    table = by_patient(pictures).set_index(["label", "patient"])["predicted"]
    keys = pd.MultiIndex.from_frame(pictures[["label", "patient"]])
    return pictures.assign(predicted=table.reindex(keys).to_numpy())


def _thumbnails(run: Run, pictures: pd.DataFrame) -> dict[str, str]:
    """Return small copies as addresses; of many pictures the worst mistakes come first."""
    root = Path(run.config.data)
    ordered = in_order(pictures, "worst", mistakes_only=False)
    names = [name for name in ordered["picture"].head(MOST_PICTURES) if (root / name).is_file()]
    try:
        files = thumbnail_paths(root, names, height=192)
    except LymphError:
        return {}
    return {
        name: address_of(file, 4 * THUMBNAIL, THUMBNAIL)
        for name, file in zip(names, files, strict=True)
    }


def _missing(pictures: pd.DataFrame, thumbnails: Mapping[str, str]) -> str:
    if len(thumbnails) == len(pictures):
        return ""
    return (
        f"{len(thumbnails)} of {len(pictures)} pictures are in this file: at most {MOST_PICTURES},"
        " the worst mistakes first, and none that is no longer in its folder."
    )


def _pictured(
    run: Run, judged: pd.DataFrame, pictures: pd.DataFrame, thumbnails: Mapping[str, str]
) -> list[Pictured]:
    """Return pictures with what they are and are called; ``judged`` names their cell."""
    colours = class_colours(run.classes)
    cells = judged.set_index("picture")[["label", "predicted"]]
    found = []
    for row in pictures[pictures["picture"].isin(thumbnails)].to_dict("records"):
        label, predicted = map(str, cells.loc[row["picture"]])
        said = row["predicted"]
        mark = "✓" if row["label"] == said else "✗"
        words = f"{mark} is {label}, called {said} ({percent(row['p_' + said])})"
        own = colours[row["label"]], thumbnails[row["picture"]], row["picture"]
        found.append(Pictured(label, predicted, *own, words, str(row["patient"])))
    return found


class Level(NamedTuple):
    """Every figure of one level, by picture or by patient, and how its intervals are made."""

    unit: str
    measures: Markup
    classes: Markup
    method: str


def _measures(figures: Mapping[str, Any]) -> Markup:
    levels = [
        Level(
            level[:-1],
            table_html(measures_table(figures[level])),
            table_html(classes_table(figures[level], level)),
            method_text(figures[level]),
        )
        for level in ("pictures", "patients")
    ]
    return write("measures.html", levels=levels)


def _calibration(run: Run, pictures: pd.DataFrame, charts: Mapping[str, go.Figure]) -> Markup:
    plainly, confidence = calibrate(pictures), confidence_of(run.predictions())
    columns = {"As the model says": plainly}
    if confidence.stated and confidence.temperature > 1:
        name = f"At temperature {confidence.temperature:.2f}"
        columns[name] = calibrate(apply_temperature(pictures, confidence.temperature))
    told = (confidence.words, chance_text(plainly), curve_text(plainly))
    return _section(
        table=table_html(calibration_table(columns)),
        quietly=[words for words in told if words],
        charts=_chosen(charts, ("Reliability",)),
    )


def _worst(run: Run, pictures: pd.DataFrame, thumbnails: Mapping[str, str]) -> Markup:
    lists = {}
    titles = (("worst", "Worst mistakes"), ("certain", "Most certain"))
    for order, title in (*titles, ("uncertain", "Least certain")):
        rows = in_order(pictures, order).head(WORST)
        lists[title] = _pictured(run, rows, rows, thumbnails)
    return write("worst.html", lists=lists)


def _map(run: Run, charts: Mapping[str, go.Figure]) -> Markup:
    """Draw where all pictures of the run lie in its feature space, and who lies beside whom."""
    try:
        embedding = run_features(run)
    except LymphError as error:
        return _section(quietly=[str(error)])
    labels, patients = (embedding.table[name].to_numpy(str) for name in ("label", "patient"))
    rates = neighbour_rates(embedding.features, labels, patients)
    told = (
        f"The nearest picture is of the same patient for {percent(rates.same_patient)} of all"
        f" {len(labels)} pictures, those it trained on included."
    )
    if not np.isnan(rates.same_class_other_patient):
        told += (
            " The nearest one of another patient has the same class for"
            f" {percent(rates.same_class_other_patient)}; by chance that would be"
            f" {percent(rates.chance)}. Where patients lie together and the classes of different"
            " patients do not, the model has learned the stain."
        )
    return _section([told], charts=_chosen(charts, ("Map",)))


def _beside(run: Run, figures: Mapping[str, Any], charts: Mapping[str, go.Figure]) -> Markup:
    table = table_html(published_table(run, figures, "pictures"))
    if _drawn(run):
        return _section([DRAWN_BESIDE_REAL], table)
    told = (
        "A figure means something only with its split: a leaky one (✕) cannot be compared with one "
        "on patients never seen (●). All are of other test pictures than this run, so they are "
        "neither ranked nor subtracted."
    )
    title = "Beside published figures"
    return write("beside.html", told=told, chart=figure_html(title, charts[title]), table=table)


def _card(run: Run, figures: Mapping[str, Any]) -> Markup:
    card = model_card(run, figures)
    return _section([GUIDELINES], quietly=[filled_text(card)], body=card_html(card))


def _repeat(run: Run, set_name: str) -> Markup:
    settings = {**run.config.to_json(), **run.environment()}
    return write("repeat.html", settings=settings, code=code_of(run, set_name))
