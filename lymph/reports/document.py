"""The report of a run: one HTML file that opens without a network and shows everything."""

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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
from lymph.models.specs import MODELS
from lymph.reports.card import GUIDELINES, card_html, filled_text, model_card
from lymph.reports.charts import figure_html, matrices, run_charts
from lymph.reports.code import code_of
from lymph.reports.pictures import address_of, paragraph
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
from lymph.runs import Run, read_about

# Small copies of this many pictures stay within a few megabytes.
MOST_PICTURES = 400
THUMBNAIL = 120
WORST = 24

CSS = """
:root {color-scheme: light}
body {font: 16px/1.5 system-ui, sans-serif; color: #221C2C; margin: 0 auto; max-width: 62rem;
  padding: 2rem 1.2rem 5rem; overflow-wrap: anywhere}
h1 {font-size: 1.9rem; margin: 0} h2 {margin: 3rem 0 .6rem; font-size: 1.35rem}
.quiet {color: #5d5668; font-size: .92rem}
.leak {background: #fbe4ec; border-left: 5px solid #B3264E; padding: .7rem 1rem; margin: 1rem 0}
.numbers {display: flex; flex-wrap: wrap; gap: 3rem; margin: 1.5rem 0}
.numbers b {font-size: 2.2rem; display: block; line-height: 1.2}
.wide {overflow-x: auto}
table.plain {border-collapse: collapse; width: 100%; font-size: .93rem}
table.plain th, table.plain td {text-align: left; padding: .35rem .6rem;
  border-bottom: 1px solid #DDD8E3; vertical-align: top}
.pictures {display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px}
.pictures figure {margin: 0; font-size: .8rem; line-height: 1.3; overflow-wrap: anywhere}
.pictures img {width: 100%; border: 3px solid var(--edge); border-radius: 4px; display: block}
.charts {display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 0 1.5rem} .charts > div {min-width: 0}
.leaky h2::after, .leaky .numbers b::after {content: "⚠ leaky split"; font-size: .9rem;
  color: #B3264E; margin-left: .6rem; font-weight: 600}
.hidden {display: none}
.reasons {display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 240px), 1fr));
  gap: 12px; margin-bottom: 1.5rem}
.reasons figure {margin: 0; font-size: .85rem; max-width: 420px}
.reasons img {width: 100%; border-radius: 4px; display: block}
.stated {font-size: .92rem; max-width: 24rem}
table.card th {width: 24%} table.card td:last-child {width: 24%}
@media (max-width: 40rem) {table.card th, table.card td, table.card td:last-child
  {display: block; width: auto; padding: .15rem .3rem} table.card th, table.card td
  {border-bottom: 0} table.card td:last-child {border-bottom: 1px solid #DDD8E3}}
.blank {color: #B3264E}
pre {background: #F5F3F7; padding: 1rem; overflow-x: auto; font-size: .82rem}
summary {cursor: pointer; padding: .4rem 0}
"""

# A cell of the first matrix of each level shows its pictures; a second click takes them off.
SCRIPT = """
document.querySelectorAll(".answers").forEach((section) => {
  const figures = [...section.querySelectorAll("figure")];
  const told = section.querySelector(".told");
  section.querySelectorAll("td.cell").forEach((cell) => cell.addEventListener("click", () => {
    const button = cell.querySelector("button");
    const off = button.getAttribute("aria-pressed") === "true";
    section.querySelectorAll("td.cell button").forEach((other) =>
      other.setAttribute("aria-pressed", false));
    button.setAttribute("aria-pressed", !off);
    let count = 0;
    figures.forEach((figure) => {
      const shown = !off && figure.dataset.true === cell.dataset.true
        && figure.dataset.predicted === cell.dataset.predicted;
      figure.classList.toggle("hidden", !shown);
      count += shown;
    });
    told.textContent = off ? "" : `is ${cell.dataset.true}, called ${cell.dataset.predicted}: `
      + `${count} ${count === 1 ? "picture" : "pictures"}`;
  }));
});
"""


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
    sections = [
        _head(run, figures),
        _answers(run, figures, pictures, thumbnails),
        _measures(figures),
        _section("Curves", _charts(charts, ("ROC", "Precision"))),
        _calibration(run, pictures, charts),
        _worst(run, pictures, thumbnails),
        _section("Why it said so", reasons_html(run, pictures)),
        _map(run, charts),
        _beside(run, figures, charts),
        _section("How it learned", _charts(charts, ("Learning",))),
        _card(run, figures),
        _repeat(run, set_name),
    ]
    title = html.escape(_title(run))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{CSS}{MATRIX_CSS}</style><script>{get_plotlyjs()}</script></head>"
        f'<body class="{"leaky" if mark_of(figures) else "sound"}">'
        f"{''.join(sections)}<script>{SCRIPT}</script></body></html>"
    )


def _title(run: Run) -> str:
    return read_about(run).name or f"{MODELS[run.config.model].title}, {run.path.name}"


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>{body}"


def _table(table: pd.DataFrame) -> str:
    body = table.to_html(
        index=False, border=0, classes="plain", float_format=lambda value: f"{value:.2f}"
    )
    return f'<div class="wide">{body}</div>'


def _charts(charts: Mapping[str, Any], starts: tuple[str, ...]) -> str:
    chosen = {title: figure for title, figure in charts.items() if title.startswith(starts)}
    drawn = "".join(
        f"<div><h3>{title}</h3>{figure_html(title, figure)}</div>"
        for title, figure in chosen.items()
    )
    return f'<div class="charts">{drawn}</div>'


def _head(run: Run, figures: Mapping[str, Any]) -> str:
    pictures, patients = figures["pictures"], figures["patients"]
    warnings = list(figures["warnings"])
    leak = ""
    if mark_of(figures):
        leak = (
            f'<div class="leak"><b>{mark_title(figures)}</b> {html.escape(warnings.pop(0))}</div>'
        )
    notes = read_about(run).note
    return (
        f"<h1>{html.escape(_title(run))}</h1>"
        f"{paragraph(base_text(run, figures), 'quiet')}"
        + (paragraph("Synthetic pictures: none is from a patient.") if _drawn(run) else "")
        + leak
        + '<div class="numbers">'
        f"<div>Classified correctly, per picture<b>{100 * pictures['accuracy']:.0f} %</b>"
        f'<span class="quiet">{interval_words(pictures["interval"])}</span>'
        f"{_stated(pictures)}</div>"
        f"<div>Classified correctly, per patient<b>{right_text(figures)}</b>"
        f'<span class="quiet">{interval_words(patients["interval"])}</span>'
        f"{_stated(patients)}</div></div>"
        + paragraph(STANDARD.format(unit="pictures or patients"), "quiet")
        + "".join(paragraph(warning, "quiet") for warning in warnings)
        + (paragraph(notes) if notes else "")
        + paragraph("For learning only: this is not a medical device.", "quiet")
    )


def _stated(section: Mapping[str, Any]) -> str:
    """Say below a headline whether it may be stated, why not, and what the test cannot tell."""
    stated = section["stated"]
    parts = ("; ".join(stated["reasons"]), stated["lesson"], stated["needed_words"])
    why = html.escape(" ".join(_sentence(part) for part in parts if part))
    return f'<div class="stated"><strong>{verdict_text(section)}</strong>. {why}</div>'


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}".rstrip(".") + "."


def _drawn(run: Run) -> bool:
    return is_synthetic(run.config.data)


def _answers(
    run: Run, figures: Mapping[str, Any], pictures: pd.DataFrame, thumbnails: Mapping[str, str]
) -> str:
    tables = matrices(figures)
    parts = []
    for level, rows in (("pictures", pictures), ("patients", _of_patients(pictures))):
        own = {title: table for title, table in tables.items() if f"of {level}," in title}
        first, *others = own.items()
        more = "".join(f"<h3>{title}</h3>{table}" for title, table in others)
        shown = _figures(run, rows, pictures, thumbnails, hidden=True)
        parts.append(
            f'<div class="answers"><h3>Per {level[:-1]}</h3>{first[1]}'
            '<p class="quiet">Click a cell to see its pictures, again to take them off.</p>'
            f'<p class="told" aria-live="polite"></p><div class="pictures">{shown}</div>'
            f"<details><summary>As shares</summary>{more}</details></div>"
        )
    return _section("What is taken for what", "".join(parts) + _missing(pictures, thumbnails))


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
    return paragraph(
        f"{len(thumbnails)} of {len(pictures)} pictures are in this file: at most {MOST_PICTURES},"
        " the worst mistakes first, and none that is no longer in its folder.",
        "quiet",
    )


def _figures(
    run: Run,
    judged: pd.DataFrame,
    pictures: pd.DataFrame,
    thumbnails: Mapping[str, str],
    hidden: bool = False,
) -> str:
    """Draw pictures with what they are and what is said of them; ``judged`` names their cell."""
    colours, kind = class_colours(run.classes), ' class="hidden"' if hidden else ""
    cells = judged.set_index("picture")[["label", "predicted"]]
    found = []
    for row in pictures[pictures["picture"].isin(thumbnails)].to_dict("records"):
        label, predicted = (html.escape(str(v)) for v in cells.loc[row["picture"]])
        said = html.escape(row["predicted"])
        words = f"is {label}, called {said} ({html.escape(percent(row['p_' + row['predicted']]))})"
        mark = "✓" if row["label"] == row["predicted"] else "✗"
        name, who = (html.escape(str(row[key])) for key in ("picture", "patient"))
        found.append(
            f'<figure{kind} data-true="{label}" data-predicted="{predicted}" '
            f'style="--edge:{colours[row["label"]]}"><img src="{thumbnails[row["picture"]]}" '
            f'alt="{name}">{mark} {words}<br>{name}, patient {who}</figure>'
        )
    return "".join(found)


def _measures(figures: Mapping[str, Any]) -> str:
    parts = [
        f"<h3>Per {level[:-1]}</h3>{_table(measures_table(figures[level]))}"
        f"<br>{_table(classes_table(figures[level], level))}"
        for level in ("pictures", "patients")
    ]
    told = [
        f"Per {level[:-1]}: {method_text(figures[level])}" for level in ("pictures", "patients")
    ]
    words = "".join(paragraph(line, "quiet") for line in told)
    return _section("Every figure with its interval", "".join(parts) + words)


def _calibration(run: Run, pictures: pd.DataFrame, charts: Mapping[str, Any]) -> str:
    plainly, confidence = calibrate(pictures), confidence_of(run.predictions())
    columns = {"As the model says": plainly}
    if confidence.stated and confidence.temperature > 1:
        name = f"At temperature {confidence.temperature:.2f}"
        columns[name] = calibrate(apply_temperature(pictures, confidence.temperature))
    told = (confidence.words, chance_text(plainly), curve_text(plainly))
    body = _table(calibration_table(columns))
    body += "".join(paragraph(words, "quiet") for words in told if words)
    return _section("Can its probabilities be believed?", body + _charts(charts, ("Reliability",)))


def _worst(run: Run, pictures: pd.DataFrame, thumbnails: Mapping[str, str]) -> str:
    parts = []
    titles = (("worst", "Worst mistakes"), ("certain", "Most certain"))
    for order, title in (*titles, ("uncertain", "Least certain")):
        rows = in_order(pictures, order).head(WORST)
        body = _figures(run, rows, rows, thumbnails) or paragraph("None.")
        opened = " open" if order == "worst" else ""
        parts.append(
            f"<details{opened}><summary>{title}</summary>"
            f'<div class="pictures">{body}</div></details>'
        )
    return _section("Pictures to look at", "".join(parts))


def _map(run: Run, charts: Mapping[str, Any]) -> str:
    """Draw where all pictures of the run lie in its feature space, and who lies beside whom."""
    try:
        embedding = run_features(run)
    except LymphError as error:
        return _section("What it holds similar", paragraph(str(error), "quiet"))
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
            f" {percent(rates.chance)}. Patients that lie together while classes of other patients"
            " do not: the model has learned the stain."
        )
    return _section("What it holds similar", paragraph(told) + _charts(charts, ("Map",)))


def _beside(run: Run, figures: Mapping[str, Any], charts: Mapping[str, Any]) -> str:
    if _drawn(run):
        table = _table(published_table(run, figures, "pictures"))
        return _section("Published results", paragraph(DRAWN_BESIDE_REAL) + table)
    told = (
        "A figure means something only with its split: a leaky one (✕) cannot be compared with one "
        "on patients never seen (●). All are of other test pictures than this run, so they are "
        "neither ranked nor subtracted."
    )
    title = "Beside published figures"
    chart = figure_html(title, charts[title])
    table = _table(published_table(run, figures, "pictures"))
    return _section("Published results", paragraph(told) + chart + table)


def _card(run: Run, figures: Mapping[str, Any]) -> str:
    card = model_card(run, figures)
    told = paragraph(GUIDELINES) + paragraph(filled_text(card), "quiet")
    return _section("Model card", told + card_html(card))


def _repeat(run: Run, set_name: str) -> str:
    settings = _listed({**run.config.to_json(), **run.environment()}.items())
    code = html.escape(code_of(run, set_name))
    return _section(
        "How to repeat it",
        f"<details><summary>Settings and computer</summary>{settings}</details>"
        f"<details><summary>The code behind this</summary><pre>{code}</pre></details>",
    )


def _listed(items: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(str(key))}</th><td>{html.escape(str(value))}</td></tr>"
        for key, value in items
    )
    return f'<div class="wide"><table class="plain">{rows}</table></div>'
