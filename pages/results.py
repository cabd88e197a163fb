"""Results: how often a model is right, and for whom."""

from collections.abc import Sequence

import streamlit as st

from lymph.charts import MODES, Mode
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.evaluation import cell_pictures, interval_words, judged_pictures, moved_pictures
from lymph.predictions import sets_of
from lymph.reports.tables import mark_title, people_text, right_text
from lymph.runs import Run
from lymph.text import SET_TITLES, counted
from pages.shared import choice, figures, keeping, state, training
from pages.shared.choice import RIGHT, WRONG, Choice
from pages.shared.frame import begin_on_pictures, next_step, offer_training, plain, show_error
from pages.shared.judging import Judged, base_of, beside, same_test
from pages.shared.matrix import show_difference, show_matrix
from pages.shared.navigation import ensure_app
from pages.shared.opened import show_judged
from pages.shared.stated import show_stated, show_why

QUESTION = "How often is it right, and for whom?"
LEVELS = {"pictures": "Per picture", "patients": "Per patient"}
MODES_TOLD: dict[Mode, str] = {
    "counts": "Counts",
    "of_true": "Share of the true class",
    "of_predicted": "Share of the predicted class",
}
VIEWS = ("Side by side", "Difference")
MOST_RUNS = 4
PARTS = {
    "Classes": figures.show_classes,
    "Curves": figures.show_curves,
    "Calibration": figures.show_calibration,
    "Pictures": figures.show_orders,
    "Map": figures.show_map,
    "Beside others": figures.show_published,
    "Keep": keeping.show_downloads,
}


def page() -> None:
    data_set = begin_on_pictures(QUESTION)
    if data_set is None:
        return
    try:
        run = training.choose_run(data_set, "Run", "results_choice")
        if run is None:
            offer_training()
            training.show_unreadable(data_set)
            return
        state.mark_done("results")
        show_results(data_set, run)
    except LymphError as error:
        show_error(error)
        training.offer_newest_run()
    training.show_unreadable(data_set)


def show_results(data_set: DataSet, run: Run) -> None:
    top = st.container()
    main, side = st.columns([3, 1], gap="large")
    with side, st.container(key="choosers_first"):
        set_name, level, mode = choose_view(run)
        judged = Judged(run, set_name, level)
        others = [beside(other, judged) for other in choose_others(data_set, run)]
        view = choose_comparison(judged, others)
    with top:
        show_numbers(judged)
        show_why(judged.report)
        show_warnings(judged)
    with main:
        answer_clicks(judged, others, mode, view)
        show_part(judged)
    next_step(
        "Next: ask the model about a picture it has never seen.", "classify", "Classify a picture"
    )


def choose_view(run: Run) -> tuple[str, str, Mode]:
    """Draw the choosers of the set, the level and the way to count."""
    names = sets_of(training.predictions_of(run))

    set_name = st.segmented_control(
        "Set",
        names,
        default=names[0],
        format_func=SET_TITLES.__getitem__,
        key="set_name",
        required=True,
        bind="query-params",
        persist_state="session",
    )
    level = st.segmented_control(
        "Counted",
        list(LEVELS),
        default="pictures",
        format_func=LEVELS.__getitem__,
        key="level",
        help="A patient is judged by the mean probability of all its pictures.",
        required=True,
        bind="query-params",
        persist_state="session",
    )
    mode = st.radio(
        "Shown as",
        MODES,
        format_func=MODES_TOLD.__getitem__,
        key="mode",
        bind="query-params",
        persist_state="session",
    )
    return set_name, level, mode


def choose_others(data_set: DataSet, run: Run) -> list[Run]:
    """Draw the chooser of the runs to compare with; their ids stand in the address."""
    others = {r.id: r for r in training.finished_records(data_set) if r.id != run.id}
    if not others:
        return []
    asked = st.session_state.get("compare_with", st.query_params.get_all("with"))
    known = [run_id for run_id in asked if run_id in others][: MOST_RUNS - 1]
    st.session_state["compare_with"] = known
    chosen = st.multiselect(
        "Compare with",
        list(others),
        format_func=lambda run_id: training.title_of(others[run_id]),
        placeholder="choose other runs",
        max_selections=MOST_RUNS - 1,
        key="compare_with",
        persist_state="session",
    )
    # Kept by hand: a bound parameter would hold the titles, and those change with a run's name.
    st.query_params["with"] = chosen
    return [others[run_id].run for run_id in chosen]


def choose_comparison(judged: Judged, others: Sequence[Judged]) -> str:
    """Draw the chooser of the view; runs tested on different pictures have no difference."""
    if len(others) != 1 or not same_test(judged, others[0]):
        return VIEWS[0]
    return st.segmented_control(
        "Two runs as", VIEWS, default=VIEWS[0], required=True, key="comparison"
    )


def show_numbers(judged: Judged) -> None:
    """Show the two numbers that answer the page's question."""
    report = judged.report
    pictures, patients = report["pictures"], report["patients"]
    unknown = report.get("patients_unknown")
    mark = f" · {judged.mark}" if judged.mark else ""
    with st.grid(2, min_column_width=190, key="quality"):
        with st.container(gap=None):
            st.metric(f"Right, per picture{mark}", f"{100 * pictures['accuracy']:.0f} %")
            st.caption(f"{interval_words(pictures['interval'])}, {pictures['n']} pictures")
            show_stated(pictures)
        with st.container(gap=None):
            st.metric(f"Right, per patient{mark}", right_text(report))
            if not unknown:
                st.caption(f"{interval_words(patients['interval'])}, {people_text(report)}")
                show_stated(patients)
    of_patients = f" and {100 * patients['baseline']:.0f} % of the patients"
    st.caption(
        f"{SET_TITLES[judged.set_name]} set, split by {judged.run.split().by}. Always saying the"
        f" largest class would be right on {100 * pictures['baseline']:.0f} % of the pictures"
        f"{'' if unknown else of_patients}."
    )


def show_warnings(judged: Judged) -> None:
    warnings = list(judged.report["warnings"])
    if judged.mark:
        title = mark_title(judged.report)
        st.error((f"**{title}** " if title else "") + plain(warnings.pop(0)))
    if warnings:
        with st.expander(f"Read these figures with care ({len(warnings)})"):
            for warning in warnings:
                st.write(f"- {plain(warning)}")


@st.fragment
def answer_clicks(judged: Judged, others: list[Judged], mode: Mode, view: str) -> None:
    """Draw the matrices and the pictures behind the choice; a click runs only this again."""
    chosen = choice.current()
    if others and view == VIEWS[1]:
        show_the_difference(judged, others[0], mode, chosen)
        return
    show_side_by_side(judged, others, mode, chosen)
    if others:
        figures.show_comparisons(judged, others)
    if chosen is not None:
        of = next((other for other in others if other.run.id == chosen.run), judged)
        show_chosen(of, chosen)


def show_side_by_side(
    judged: Judged, others: list[Judged], mode: Mode, chosen: Choice | None
) -> None:
    shown = [judged, *others]
    width = 330 if others else 300
    with st.grid(min(2, len(shown)), min_column_width=width, key="matrices", gap="medium"):
        for place, one in enumerate(shown):
            with st.container(gap="small"):
                try:
                    show_one_matrix(one, mode, chosen, place, named=bool(others))
                except LymphError as error:
                    show_error(error)


def show_one_matrix(
    judged: Judged, mode: Mode, chosen: Choice | None, place: int, named: bool
) -> None:
    if named:
        st.caption(f"**Run {figures.LETTERS[place]}** {plain(training.title_of(judged.run))}")
        st.caption(f"{right_words(judged)} · {base_of(judged)}")
    section, run = judged.section, judged.run.id if place else ""
    show_matrix(
        section["confusion"],
        judged.report["classes"],
        mode,
        judged.unit,
        chosen,
        f"matrix_{place}",
        run,
    )
    matrix_buttons(chosen, run, place)


def right_words(judged: Judged) -> str:
    """Say how often a run is right, with its interval."""
    section = judged.section
    share, pair = section["accuracy"], interval_words(section["interval"])
    return f"**{100 * share:.0f} % right per {judged.unit[:-1]}**, {pair}"


def matrix_buttons(chosen: Choice | None, run: str, place: int) -> None:
    with st.container(horizontal=True, key=f"matrix_buttons_{place}", gap="small"):
        for part, title in ((RIGHT, "All correct"), (WRONG, "All wrong")):
            own = Choice((part,), run)
            st.button(
                title,
                key=f"{part}_{place}",
                type="primary" if chosen == own else "secondary",
                on_click=choice.toggle,
                args=(own,),
            )


def show_the_difference(first: Judged, second: Judged, mode: Mode, chosen: Choice | None) -> None:
    """Draw run B minus run A, and behind a cell the pictures that only one of them puts there."""
    for name, one in (("A", first), ("B", second)):
        st.caption(f"**Run {name}** {plain(training.title_of(one.run))}")
        st.caption(f"{right_words(one)} · {base_of(one)}")
    matrices = [one.section["confusion"] for one in (first, second)]
    classes = first.report["classes"]
    st.markdown(
        f"**Run B minus run A**, {first.unit}: violet is for the better, pink for the worse"
    )
    before, after = matrices
    show_difference(before, after, classes, mode, first.unit, chosen, "matrix_difference")
    figures.show_difference_sentence(first, second, False, figures.choose_measure())
    if chosen is None or chosen.cell is None:
        return
    true, predicted = chosen.cell
    moved = moved_pictures(
        first.pictures, second.pictures, true, predicted, first.level == "patients"
    )
    for name, one, rows in zip("AB", (first, second), moved, strict=True):
        words = f"{plain(true)} called {plain(predicted)} by run {name} alone"
        with st.container(key=f"cell_pictures_{name}"):
            st.subheader(f"{words}: {counted(len(rows), 'picture')}", anchor=False)
            show_judged(one.run, rows, one.pictures, f"moved_{name}")


def show_chosen(judged: Judged, chosen: Choice) -> None:
    """Draw the pictures behind the choice."""
    by_patient = judged.level == "patients"
    if chosen.cell is not None:
        true, predicted = chosen.cell
        try:
            rows = cell_pictures(judged.pictures, true, predicted, by_patient)
        except LymphError:
            return  # A link to a class that this run does not know shows the matrix alone.
        verb = "rightly called" if true == predicted else "called"
        words = f"{plain(true)} {verb} {plain(predicted)}"
    else:
        right = chosen.parts == (RIGHT,)
        rows = judged_pictures(judged.pictures, right, by_patient)
        words = "All correct" if right else "All wrong, worst mistakes first"
    people = counted(rows["patient"].nunique(), "patient")
    with st.container(key="cell_pictures"):
        words += f": {counted(len(rows), 'picture')}, {people}"
        st.subheader(words, anchor=False)
        if rows.empty:
            st.write("No picture is in this cell.")
            return
        show_judged(judged.run, rows, judged.pictures, "cell")


@st.fragment
def show_part(judged: Judged) -> None:
    """Draw one of the further parts; the others cost nothing until they are asked for."""
    part = st.segmented_control(
        "More about this run",
        list(PARTS),
        key="part",
        bind="query-params",
        persist_state="session",
    )
    if part is None:
        return
    with st.container(key="part_shown"):
        try:
            PARTS[part](judged)
        except LymphError as error:
            show_error(error)


ensure_app()
page()
