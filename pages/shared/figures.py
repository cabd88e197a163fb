"""The further parts of the Results page: classes, curves, calibration, lists, other figures."""

from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lymph.charts import class_curves, intervals_chart, reliability_chart
from lymph.errors import LymphError
from lymph.evaluation import METRICS, Area, curve, in_order
from lymph.facts import NOTEBOOK_FIGURES, PUBLISHED, class_colours
from pages.shared import training
from pages.shared.frame import plain
from pages.shared.judging import (
    Judged,
    areas_of,
    base_of,
    calibration_of,
    difference_of,
    temperature_of,
)
from pages.shared.opened import show_judged

METRICS_TOLD = {
    "accuracy": ("Accuracy", "share judged rightly"),
    "balanced_accuracy": ("Balanced accuracy", "mean share found over the classes"),
    "macro_f1": ("Macro F1", "mean F1 over the classes"),
    "kappa": ("Cohen's kappa", "agreement beyond chance, 0 to 1"),
}
CLASS_TOLD = {"precision": "Right when called so", "recall": "Found", "f1": "F1"}
SCORES_TOLD = {
    "expected_calibration_error": ("ECE", "mean gap of confidence and truth; 0 is best"),
    "brier_score": ("Brier score", "squared distance from the truth, 0 to 2; 0 is best"),
    "negative_log_likelihood": ("NLL", "mean surprise at the truth, in nats; 0 is best"),
}
ORDERS_TOLD = {
    "worst": "Worst mistakes",
    "certain": "Most certain",
    "uncertain": "Least certain",
}
# The camera keeps a chart as PNG; nothing is asked of the network.
CHART = {"displaylogo": False, "modeBarButtons": [["toImage"]]}


def interval(pair: Iterable[float] | None, digits: int = 2) -> str:
    """Write an interval of any figure."""
    if pair is None:
        return "undefined"
    low, high = pair
    return f"{low:.{digits}f} to {high:.{digits}f}"


def draw(figure: go.Figure, key: str) -> None:
    """Draw a chart that can be kept as PNG."""
    st.plotly_chart(figure, key=key, config={**CHART, "toImageButtonOptions": {"filename": key}})


def show_classes(judged: Judged) -> None:
    """Show every measure of the whole and of each class, with its interval."""
    st.caption(base_of(judged))
    section = judged.section
    rows = [
        {
            "figure": METRICS_TOLD[name][0],
            "value": section[name],
            "interval": interval(section["intervals"][name]),
            "what": METRICS_TOLD[name][1],
        }
        for name in METRICS
    ]
    rows.append(
        {
            "figure": "Always the largest class",
            "value": section["baseline"],
            "interval": "",
            "what": "accuracy of a model that never looks",
        }
    )
    number = st.column_config.NumberColumn
    titles = {"figure": "Figure", "interval": "95 % interval", "what": "What it is"}
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={**titles, "value": number("Value", format="%.2f")},
        key="figures_table",
    )
    show_each_class(judged)


def show_each_class(judged: Judged) -> None:
    rows = []
    for name, values in judged.section["per_class"].items():
        row: dict[str, object] = {"class": name, "number": values["support"]}
        for key in CLASS_TOLD:
            row[key] = values[key]
            row[f"{key}_interval"] = interval(values["intervals"][key])
        rows.append(row)
    config: dict[str, object] = {"class": "Class", "number": judged.unit.capitalize()}
    for key, title in CLASS_TOLD.items():
        config[key] = st.column_config.NumberColumn(title, format="%.2f")
        config[f"{key}_interval"] = "95 % interval"
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=config, key="classes_table")
    st.caption(
        "Found is recall, right when called so is precision, and F1 their harmonic mean. Intervals:"
        " patients drawn again within their class, 2,000 times; of the patients' accuracy"
        " Clopper-Pearson's."
    )


def area_words(area: Area) -> str:
    """Write an area with its interval."""
    if area.value is None:
        return "undefined here"
    return f"{area.value:.2f} ({interval(area.interval)})"


def show_curves(judged: Judged) -> None:
    """Draw the ROC and precision-recall curves with their areas."""
    st.caption(base_of(judged))
    areas, table = areas_of(judged), judged.table
    colours = class_colours(judged.run.classes)
    curves = {name: curve(table, name) for name in judged.run.classes if areas[name]["roc"].value}
    titles = (("roc", "ROC"), ("precision_recall", "Precision and recall"))
    with st.grid(2, min_column_width=330, key="curves"):
        for kind, title in titles:
            with st.container():
                st.subheader(title, anchor=False)
                notes = {name: area_words(areas[name][kind]) for name in curves}
                draw(class_curves(curves, kind, colours, notes), f"curves_{kind}")
                st.caption(f"Mean area {area_words(areas['macro'][kind])}")
    st.caption(
        "Each class against the others, as the threshold on its probability falls. In brackets the"
        f" 95 % interval; each point is one of the {judged.unit}."
    )


def show_calibration(judged: Judged) -> None:
    """Show whether the probabilities can be believed, and what a temperature changes."""
    st.caption(base_of(judged))
    plainly = calibration_of(judged)
    tables, columns = {"as the model says": plainly.reliability}, {"As the model says": plainly}
    try:
        temperature = temperature_of(judged.run)
    except LymphError:
        st.info("Without validation patients no temperature can be fitted for this run.")
    else:
        softened = calibration_of(judged, temperature.value)
        tables[f"temperature {temperature.value:.2f}"] = softened.reliability
        columns[f"At temperature {temperature.value:.2f}"] = softened
        st.markdown(temperature_words(judged, temperature.value, temperature.bounded))
        st.caption(
            f"Fitted on {temperature.pictures} validation pictures of {temperature.patients}"
            " patients, never on the test patients."
            + (" This is that very set: the effect flatters." if judged.set_name == "val" else "")
        )
    with st.grid(2, min_column_width=330, key="calibration"):
        with st.container():
            draw(reliability_chart(tables, judged.unit), "reliability")
        with st.container():
            scores_table(columns)


def temperature_words(judged: Judged, value: float, bounded: bool) -> str:
    """Say what the temperature means."""
    if bounded:
        return "The validation pictures set no limit to the temperature: do not use it."
    if value > 1.05:
        return f"The model is **too sure of itself**: a temperature of {value:.2f} softens it."
    if value < 0.95:
        return f"The model is **less sure than it could be**: a temperature of {value:.2f}."
    return f"The temperature is {value:.2f}: the model is **about as sure as it should be**."


def scores_table(columns: dict[str, object]) -> None:
    rows = []
    for name, (title, meaning) in SCORES_TOLD.items():
        row = {"score": title}
        for column, calibration in columns.items():
            value, pair = calibration.scores[name]
            row[column] = f"{value:.2f} ({interval(pair)})"
        rows.append(row | {"what it is": meaning})
    st.table(pd.DataFrame(rows).set_index("score"))
    st.caption("In brackets 95 % intervals. A temperature changes no prediction of a picture.")


def show_orders(judged: Judged) -> None:
    """List pictures by loss or by certainty."""
    order = st.segmented_control(
        "Order",
        list(ORDERS_TOLD),
        default="worst",
        format_func=ORDERS_TOLD.get,
        required=True,
        key="order",
    )
    rows = in_order(judged.pictures, order)
    words = {
        "worst": "The least probability for the truth first; only mistakes.",
        "certain": "The most probable answers first, right or wrong.",
        "uncertain": "The least probable answers first, right or wrong.",
    }
    st.caption(f"{words[order]} {base_of(judged)}")
    if rows.empty:
        st.write("There is no mistake in this set.")
        return
    show_judged(judged.run, rows, judged.pictures, f"order_{order}")


def show_published(judged: Judged) -> None:
    """Lay published figures and the notebook's beside the run, each with its protocol."""
    st.caption(base_of(judged))
    st.markdown(
        "A figure means something only with its split. Where pictures of one patient stand on both"
        " sides (✕), the model can know the patient instead of the disease: such a figure cannot be"
        " compared with one on patients never seen (●)."
    )
    section = judged.section
    low, high = section["interval"]
    own = {
        "name": f"This run, per {judged.unit[:-1]}",
        "value": section["accuracy"],
        "low": low,
        "high": high,
        "leaks": judged.leaks,
        "own": True,
        "words": base_of(judged),
    }
    others = [
        {
            "name": figure.source,
            "value": figure.value,
            "low": None,
            "high": None,
            "leaks": figure.leaks,
            "own": False,
            "words": f"{figure.accuracy}, {figure.split}",
        }
        for figure in (*PUBLISHED, *NOTEBOOK_FIGURES)
        if figure.value is not None
    ]
    draw(intervals_chart(pd.DataFrame([own, *others])), "beside_others")
    st.table(published_table(judged).set_index("who"))


def published_table(judged: Judged) -> pd.DataFrame:
    """Return the figures with their protocols as text."""
    section, report = judged.section, judged.report
    mine = {
        "who": "**This run**",
        "method": training.model_title(judged.run),
        "split": f"by {judged.run.split().by}, {report['patients']['n']} patients judged",
        "accuracy": f"{100 * section['accuracy']:.0f} %,"
        f" {training.interval_words(section['interval'])}",
        "leaks": "yes" if judged.leaks else "no",
    }
    others = [
        {
            "who": plain(figure.source),
            "method": plain(figure.method),
            "split": plain(figure.split),
            "accuracy": plain(figure.accuracy),
            "leaks": "yes" if figure.leaks else "no",
        }
        for figure in (*PUBLISHED, *NOTEBOOK_FIGURES)
    ]
    return pd.DataFrame([mine, *others])


def show_difference_sentence(first: Judged, second: Judged, named: bool) -> None:
    """Say whether two runs differ, where they were judged on the same pictures."""
    try:
        difference = difference_of(first, second, "accuracy")
    except LymphError as error:
        st.info(plain(str(error)))
        return
    lead = f"{plain(training.title_of(second.run))}: " if named else ""
    leaky = first.leaks or second.leaks
    mark = " :red[**A split leaks: this comparison cannot be trusted.**]" if leaky else ""
    st.info(f"{lead}{plain(difference.sentence)} Per {first.unit[:-1]}.{mark}")
