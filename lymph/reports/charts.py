"""Every chart of a run, as figures and as pages that open without a network."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lymph.charts import (
    MATRIX_CSS,
    class_curves,
    confusion_cells,
    embedding_chart,
    intervals_chart,
    learning_curves,
    matrix_html,
    reliability_chart,
)
from lymph.charts.confusion import MODES
from lymph.data.sources import is_synthetic
from lymph.errors import LymphError
from lymph.evaluation import (
    Calibration,
    apply_temperature,
    areas,
    by_patient,
    calibrate,
    choose_set,
    confidence_of,
    curve,
)
from lymph.explain import project, run_features
from lymph.facts import class_colours
from lymph.reports.tables import area_text, base_text, others_chart_table
from lymph.reports.writing import write
from lymph.runs import Run
from lymph.training.phases import plan_phases

LEVELS = ("pictures", "patients")
PLOTLY = "plotly.min.js"


def run_charts(run: Run, report: Mapping[str, Any]) -> dict[str, go.Figure]:
    """Draw every chart of a run and one of its sets.

    Parameters
    ----------
    run : Run
        A finished run.
    report : mapping
        What `lymph.evaluation.report` says of the set.

    Returns
    -------
    dict
        Title to figure: learning curves, then ROC, precision-recall and, with patients enough,
        reliability by picture and by patient, the maps of all its pictures, then the run beside
        published figures.
    """
    pictures = choose_set(run.predictions(), report["set"])
    charts = _learning(run)
    for level in LEVELS:
        table = by_patient(pictures) if level == "patients" else pictures
        charts |= _curves(run, table, level)
        charts |= _reliability(run, pictures, level)
    charts |= _maps(run)
    if not is_synthetic(run.config.data):
        charts["Beside published figures"] = intervals_chart(
            others_chart_table(run, report, "pictures")
        )
    return charts


def _learning(run: Run) -> dict[str, go.Figure]:
    metrics, best = run.metrics(), run.status().best_epoch or None
    if metrics.empty:
        return {}
    if "fold" in metrics:
        metrics, best = metrics.groupby("epoch", as_index=False).mean(numeric_only=True), None
    phases = plan_phases(run.config)
    return {
        f"Learning curve, {quantity}": learning_curves(metrics, phases, quantity, best)
        for quantity in ("loss", "accuracy")
    }


def _maps(run: Run) -> dict[str, go.Figure]:
    """Draw the map of the run's pictures by class and by patient, where it has one."""
    try:
        embedding = run_features(run)
    except LymphError:
        return {}
    places, colours = project(embedding.features), class_colours(run.classes)
    return {
        f"Map of the pictures, by {by}": embedding_chart(embedding.table, places, by, colours)
        for by in ("class", "patient")
    }


def _curves(run: Run, table: pd.DataFrame, level: str) -> dict[str, go.Figure]:
    found, colours = areas(table), class_colours(run.classes)
    curves = {
        name: curve(table, name) for name in run.classes if found[name]["roc"].value is not None
    }
    charts = {}
    for kind, title in (("roc", "ROC"), ("precision_recall", "Precision and recall")):
        notes = {name: area_text(found[name][kind]) for name in curves}
        charts[f"{title}, {level}"] = class_curves(curves, kind, colours, notes)
    return charts


def _reliability(run: Run, pictures: pd.DataFrame, level: str) -> dict[str, go.Figure]:
    """Draw the reliability of a set, where it has patients enough for one."""

    def judged(rows: pd.DataFrame) -> Calibration:
        return calibrate(by_patient(rows) if level == "patients" else rows)

    plainly = judged(pictures)
    if not plainly.has_curve:
        return {}
    tables, confidence = (
        {"as the model says": plainly.reliability},
        confidence_of(run.predictions()),
    )
    if confidence.stated and confidence.temperature > 1:
        softened = judged(apply_temperature(pictures, confidence.temperature))
        tables[f"temperature {confidence.temperature:.2f}"] = softened.reliability
    return {f"Reliability, {level}": reliability_chart(tables, level)}


def matrices(report: Mapping[str, Any]) -> dict[str, Markup]:
    """Return every matrix of a report as HTML: by picture and by patient, in each way to count."""
    titles = {"counts": "counts", "of_true": "shares of the true class"}
    titles["of_predicted"] = "shares of the predicted class"
    classes = report["classes"]
    return {
        f"Matrix of {level}, {titles[mode]}": Markup(
            matrix_html(
                confusion_cells(report[level]["confusion"], classes, mode), classes, level, mode
            )
        )
        for level in LEVELS
        for mode in MODES
    }


def charts_zip(run: Run, report: Mapping[str, Any]) -> bytes:
    """Pack every chart and matrix as an HTML page of its own; they open without a network.

    The pages share one copy of Plotly, and each says set, split, patients and whether it leaks.
    """
    memory, same = io.BytesIO(), {"base": base_text(run, report)}
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PLOTLY, get_plotlyjs())
        for title, body in matrices(report).items():
            page = write("chart.html", title=title, body=body, css=MATRIX_CSS, plotly="", **same)
            archive.writestr(f"{title}.html", page)
        for title, figure in run_charts(run, report).items():
            body = figure_html(title, figure)
            page = write("chart.html", title=title, body=body, css="", plotly=PLOTLY, **same)
            archive.writestr(f"{title}.html", page)
    return memory.getvalue()


def figure_html(title: str, figure: go.Figure) -> Markup:
    """Return a figure as HTML for a page that holds Plotly already; a click keeps it as SVG."""
    config = {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        # Sharp at any size that a paper wants.
        "toImageButtonOptions": {"format": "svg", "filename": title},
        "responsive": True,
    }
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, config=config))
