"""The further parts of the Results page: classes, curves, calibration, lists, other figures."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from lymph import reports
from lymph.charts import class_curves, intervals_chart, reliability_chart, sure_chart
from lymph.data.sources import is_synthetic
from lymph.errors import LymphError
from lymph.evaluation import (
    AREA_METHOD,
    ORDERS,
    Calibration,
    Order,
    Selection,
    curve,
    figure_text,
    in_order,
    sure_bars,
    why_not_subtracted,
)
from lymph.facts import class_colours
from lymph.reports.tables import DRAWN_BESIDE_REAL, METRICS_TOLD, area_text
from pages.shared import training
from pages.shared.charts import draw, sized
from pages.shared.frame import plain
from pages.shared.judging import (
    Judged,
    areas_of,
    base_of,
    calibration_of,
    confidence_of,
    difference_of,
    same_test,
    side_of,
)
from pages.shared.navigation import on_stage
from pages.shared.results.choosing import Chosen, toggle
from pages.shared.results.map import show_embedding
from pages.shared.results.opened import show_judged

ORDERS_TOLD: dict[Order, str] = {
    "worst": "Worst mistakes",
    "certain": "Most certain",
    "uncertain": "Least certain",
}
LETTERS = "ABCD"
# In pixels, of each of the two charts of curves on a slide.
SLIDE_CURVES = 370


def show_classes(judged: Judged, chosen: Chosen) -> None:
    """Show every measure of the whole and of each class, with its interval."""
    st.caption(base_of(judged))
    tables = {
        "figures_table": reports.measures_table(judged.section),
        "classes_table": reports.classes_table(judged.section, judged.unit),
    }
    number = st.column_config.NumberColumn(format="%.2f")
    config = dict.fromkeys(("Value", "Precision", "Recall", "F1"), number)
    for key, table in tables.items():
        if on_stage():  # a table that is drawn as text grows with the slide
            st.table(table.map(_cell).map(plain).set_index(table.columns[0]))
        else:
            st.dataframe(table, hide_index=True, column_config=config, key=key, placeholder="–")
    st.caption(
        "Precision: share of calls that are correct. Recall: share of the class that is found. F1:"
        " their harmonic mean."
        f" {reports.method_text(judged.section)}"
    )


def _cell(value: object) -> str:
    """Write a figure of a table with two decimals; what is not there is a dash."""
    if value is None or value != value:
        return "–"
    return figure_text(value) if isinstance(value, float) else str(value)


def show_curves(judged: Judged, chosen: Chosen) -> None:
    """Draw the ROC and precision-recall curves with their areas."""
    st.caption(base_of(judged))
    areas, table = areas_of(judged), judged.table
    colours = class_colours(judged.run.classes)
    curves = {
        name: curve(table, name)
        for name in judged.run.classes
        if areas[name]["roc"].value is not None
    }
    titles = (("roc", "ROC"), ("precision_recall", "Precision and recall"))
    with st.grid(2, min_column_width=330, key="curves"):
        for kind, title in titles:
            with st.container():
                st.header(title, anchor=False)
                notes = {name: area_text(areas[name][kind]) for name in curves}
                figure = class_curves(curves, kind, colours, notes)
                draw(
                    sized(figure, SLIDE_CURVES),
                    f"curves_{kind}",
                    f"{title} of each class against the others",
                )
                st.caption(f"Mean area {area_text(areas['macro'][kind])}")
    st.caption(
        "Each class against the others, as the threshold on its probability falls. In brackets the"
        f" 95 % interval ({AREA_METHOD}); each point is one of the {judged.unit}."
    )


def show_calibration(judged: Judged, chosen: Chosen) -> None:
    """Show whether the probabilities can be believed, and what a temperature changes."""
    st.caption(base_of(judged))
    show_sure(judged, chosen)
    columns = show_reliability(judged, chosen)
    show_scores(judged, columns)
    plainly = calibration_of(judged)
    st.caption(
        "Brier score: squared distance from the truth, 0 to 2. NLL: mean surprise at the truth, in"
        " nats. ECE: mean gap of confidence and truth, on few pictures far above 0 by chance alone."
        " Of each, 0 is best; in brackets the 95 % interval."
        f" {plainly.interval_method}."
        " A temperature changes no prediction of a picture."
    )


def show_scores(judged: Judged, columns: dict[str, Calibration]) -> None:
    """Say whether the probabilities beat chance, and show the scores."""
    st.markdown(f"**{reports.chance_text(calibration_of(judged))}**")
    st.table(reports.calibration_table(columns).set_index("Score"))


def show_trust(judged: Judged, chosen: Chosen) -> None:
    """Draw on a slide whether the probabilities can be believed: the curve, else the scores."""
    columns = show_reliability(judged, chosen)
    if not calibration_of(judged).has_curve:
        show_scores(judged, columns)


def show_reliability(judged: Judged, chosen: Chosen) -> dict[str, Calibration]:
    """Draw how often the answers are correct by their probability; return each column's figures."""
    plainly, confidence = calibration_of(judged), confidence_of(judged.run)
    tables, columns = {"as the model says": plainly.reliability}, {"As the model says": plainly}
    if confidence.stated:
        st.markdown(plain(f"{confidence.words} {checked_on(judged)}"))
    else:
        st.warning(plain(confidence.words))
    if confidence.stated and confidence.temperature > 1:
        softened = calibration_of(judged, confidence.temperature)
        tables[f"temperature {confidence.temperature:.2f}"] = softened.reliability
        columns[f"At temperature {confidence.temperature:.2f}"] = softened
    if plainly.has_curve:
        words = "How often the answers are correct, by their mean probability"
        draw(reliability_chart(tables, judged.unit), "reliability", words)
    else:
        st.info(reports.curve_text(plainly))
    return columns


def show_sure(judged: Judged, chosen: Chosen) -> None:
    """Draw how many pictures were answered with which probability; a bar chooses its pictures."""
    pictures = judged.pictures
    right = (pictures["label"] == pictures["predicted"]).to_numpy()
    bars = pd.DataFrame({"bar": sure_bars(pictures), "right": right})
    bar = chosen.selection.bar if chosen.selection is not None else None
    st.plotly_chart(
        sized(sure_chart(bars, bar), 400),
        key="sure_bars",
        on_select=partial(choose_bar, "sure_bars"),
        selection_mode="points",
        config={"displayModeBar": False},
        alt="Bars: pictures by the probability of their answer, correct and wrong apart",
    )
    st.caption("Click a bar to see its pictures: look first at the confident mistakes, far right.")


def choose_bar(chart: str) -> None:
    points = st.session_state[chart]["selection"]["points"]
    if points:
        toggle(Selection("sure", tuple(str(part) for part in points[0]["customdata"])))


def checked_on(judged: Judged) -> str:
    """Say how the pictures that confidence was checked on relate to those that are judged."""
    if judged.set_name == "val":
        return "This is that very set, so the effect looks better than it is."
    if judged.leaks:
        return "Some of their patients may be in this set too: the split leaks."
    return "None of them is of a patient judged here."


def show_orders(judged: Judged, chosen: Chosen) -> None:
    """List pictures by loss or by certainty."""
    order = st.segmented_control(
        "Order",
        ORDERS,
        default=ORDERS[0],
        format_func=ORDERS_TOLD.__getitem__,
        required=True,
        key="order",
    )
    rows = in_order(judged.pictures, order)
    words = {
        "worst": "Mistakes only, the lowest probability of the true class first.",
        "certain": "The highest probability first, correct or wrong.",
        "uncertain": "The lowest probability first, correct or wrong.",
    }
    st.caption(f"{words[order]} {base_of(judged)}")
    if rows.empty:
        st.write("There is no mistake in this set.")
        return
    show_judged(judged.run, rows, judged.pictures, f"order_{order}")


def show_map(judged: Judged, chosen: Chosen) -> None:
    """Draw where all pictures of the run lie in its feature space."""
    mark = f" :red[**{judged.mark}**]" if judged.mark else ""
    st.caption(f"All pictures of the run, whichever set is chosen.{mark}")
    show_embedding(judged.run, "results_map", chosen.pictures)


def show_published(judged: Judged, chosen: Chosen) -> None:
    """Show published figures and the notebook's with the run, each with its protocol."""
    st.caption(base_of(judged))
    table = reports.published_table(judged.run, judged.report, judged.level)
    if is_synthetic(judged.run.config.data):
        st.info(DRAWN_BESIDE_REAL)
        st.table(table.map(plain).set_index("Who"))
        return
    st.markdown(
        "A figure means something only with its split. Where pictures of one patient are on both"
        " sides (✕), the model can know the patient instead of the disease: such a figure cannot be"
        " compared with one on patients never seen (●). All were measured on other test pictures"
        " than this run, so they are neither ranked nor subtracted."
    )
    draw(
        intervals_chart(reports.others_chart_table(judged.run, judged.report, judged.level)),
        "beside_others",
        "Accuracies with their intervals: this run, published ones and the notebook's",
    )
    st.table(table.map(plain).set_index("Who"))


def choose_measure() -> str:
    """Draw the chooser of the measure that runs are compared by."""
    return st.selectbox(
        "Compare by",
        list(METRICS_TOLD),
        format_func=lambda name: METRICS_TOLD[name][0],
        key="compare_by",
        bind="query-params",
        persist_state="session",
        width=260,
    )


def show_comparisons(judged: Judged, others: Sequence[Judged]) -> None:
    """Compare a run with others: a difference on the same pictures, else side by side, with why."""
    same = [other for other in others if same_test(judged, other)]
    if same:
        measure = choose_measure()
        for other in same:
            show_difference_sentence(judged, other, len(others) > 1, measure)
    for place, other in enumerate(others, start=1):
        if other not in same:
            show_beside(judged, other, LETTERS[place])


def show_beside(judged: Judged, other: Judged, letter: str) -> None:
    """Lay two runs that were tested on different pictures beside one another, and say why."""
    try:
        sides = [side_of(judged, "run A"), side_of(other, f"run {letter}")]
    except LymphError as error:
        st.info(plain(str(error)))
        return
    with st.container(border=True, key=f"beside_{letter}"):
        st.markdown(f"**Run A and run {letter} were tested on different pictures**")
        st.table(reports.beside_table(sides, judged.level).map(plain).set_index(""))
        st.markdown("\n".join(f"- {plain(words)}" for words in why_not_subtracted(*sides)))


def show_difference_sentence(first: Judged, second: Judged, named: bool, measure: str) -> None:
    """Say whether two runs of the same test differ, and how many patients it would take to see."""
    try:
        difference = difference_of(first, second, measure)
    except LymphError as error:
        st.info(plain(str(error)))
        return
    lead = f"{plain(training.title_of(second.run))}: " if named else ""
    why = first.mark or second.mark
    mark = f" :red[**{why}: this comparison cannot be trusted.**]" if why else ""
    words = plain(f"{difference.sentence} Per {first.unit[:-1]}. {difference.needed.sentence}")
    st.info(f"{lead}{words}{mark}")
