"""Results: how often a model is right, and for whom."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lymph.charts import MODES, Mode
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.evaluation import (
    RIGHT,
    WRONG,
    Selection,
    cells_holding,
    interval_words,
    moved_pictures,
)
from lymph.runs import Run, described, record_of, titles_of
from lymph.text import SET_TITLES, counted
from pages.shared import state, training
from pages.shared.frame import (
    begin_on_pictures,
    escape,
    next_step,
    offer_training,
    plain,
    show_error,
)
from pages.shared.judging import Judged, base_of, beside, headline_of, same_test
from pages.shared.navigation import ensure_app, on_stage
from pages.shared.results import choosing, figures, keeping, twins
from pages.shared.results.choosing import Chosen
from pages.shared.results.chosen import chosen_in, show_chosen
from pages.shared.results.matrix import show_difference, show_matrix
from pages.shared.results.numbers import show_leak, show_numbers
from pages.shared.results.on_stage import slides
from pages.shared.results.opened import show_judged
from pages.shared.results.patients import list_patients
from pages.shared.stage.deck import show_page
from pages.shared.stated import show_why

QUESTION = "How often is it right, and for whom?"
LEVELS = {"pictures": "Per picture", "patients": "Per patient"}
MODES_TOLD: dict[Mode, str] = {
    "counts": "Counts",
    "of_true": "Share of the true class",
    "of_predicted": "Share of the predicted class",
}
VIEWS = ("Side by side", "Difference")
MOST_RUNS = 4
# Letters that a chooser shows on a phone.
FITS = 46
PARTS: dict[str, Callable[[Judged, Chosen], None]] = {
    "Classes": figures.show_classes,
    "Curves": figures.show_curves,
    "Calibration": figures.show_calibration,
    "Pictures": figures.show_orders,
    "Map": figures.show_map,
    "Published results": figures.show_published,
    "Export": keeping.show_downloads,
}
CLICKS = (
    "Click a patient, a cell of the matrix, a point of the map or a bar: its pictures are chosen"
    " everywhere on this page, and the page's address keeps the choice."
)
STYLES = Path(__file__).parent / "shared" / "results" / "results.css"


def page() -> None:
    if on_stage():
        show_page("results", QUESTION, slides)
        return
    data_set = begin_on_pictures(QUESTION)
    if data_set is None:
        return
    st.html(STYLES)
    try:
        run = training.choose_run(data_set, "Run", "results_choice")
        if run is None:
            offer_training()
            training.show_unreadable(data_set)
            return
        state.mark_done("results")
        show_title(run)
        if twins.wanted() and (both := twins.twins_of(data_set, run)) is not None:
            show_twins(both)
        else:
            twins.leave()
            show_results(data_set, run)
    except LymphError as error:
        show_error(error)
        training.offer_other_run()
    training.show_unreadable(data_set)


def show_title(run: Run) -> None:
    """Say below the chooser what it cuts on a phone, and of a named run what it is."""
    record = record_of(run)
    words = described(record)
    if record.about.name or len(words) > FITS:
        st.caption(plain(words))


@st.fragment
def show_twins(both: tuple[Judged, Judged]) -> None:
    """Draw the honest run beside its leaky twin, and the pictures behind a cell of either."""
    twins.show_twins(*both)
    selection = choosing.current()
    for judged in both:
        if selection is not None and selection.run == judged.run.id:
            show_chosen(judged, chosen_in(judged, selection))


def show_results(data_set: DataSet, run: Run) -> None:
    top = st.container()
    places = st.columns([2, 2, 3], gap="medium")
    set_name, level = choose_view(run, places)
    judged = Judged(run, set_name, level)
    with places[2]:
        others = [beside(other, judged) for other in choose_others(data_set, run)]
        view = choose_comparison(judged, others)
    with top:
        show_numbers(judged)
        show_leak(judged)
        st.html(f'<p class="lymph-first">{escape(headline_of(judged))}</p>')
        twins.offer_twin(data_set, run)
    show_linked(data_set, judged, others, view)
    show_cautions(judged)
    next_step(
        "Next: ask the model about a picture it has never seen.", "classify", "Classify a picture"
    )


def choose_view(run: Run, places: Sequence[DeltaGenerator]) -> tuple[str, str]:
    """Draw the choosers of the set and the level."""
    names = training.sets_judged(run)
    set_name = places[0].segmented_control(
        "Set",
        names,
        default=names[0],
        format_func=SET_TITLES.__getitem__,
        key="set_name",
        required=True,
        bind="query-params",
        persist_state="session",
    )
    level = places[1].segmented_control(
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
    return set_name, level


def choose_mode() -> Mode:
    """Draw the chooser of what the matrix shows."""
    return st.radio(
        "The matrix shows",
        MODES,
        format_func=MODES_TOLD.__getitem__,
        key="mode",
        bind="query-params",
        persist_state="session",
    )


def choose_others(data_set: DataSet, run: Run) -> list[Run]:
    """Draw the chooser of the runs to compare with; their ids stand in the address."""
    others = {r.id: r for r in training.finished_records(data_set) if r.id != run.id}
    if not others:
        return []
    asked = st.session_state.get("compare_with", st.query_params.get_all("with"))
    known = [run_id for run_id in asked if run_id in others][: MOST_RUNS - 1]
    titles = titles_of(others.values())
    st.session_state["compare_with"] = known
    chosen = st.multiselect(
        "Compare with",
        list(others),
        format_func=titles.__getitem__,
        placeholder="Choose other runs",
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


def show_cautions(judged: Judged) -> None:
    """Offer the further warnings, and whether the figures may be stated."""
    warnings = judged.report["warnings"][1 if judged.mark else 0 :]
    if warnings:
        with st.expander(f"Read these figures with care ({len(warnings)})"):
            for warning in warnings:
                st.write(f"- {plain(warning)}")
    show_why(judged.report)


@st.fragment
def show_linked(data_set: DataSet, judged: Judged, others: list[Judged], view: str) -> None:
    """Draw what is linked: patients, matrices, the chosen pictures and the further parts."""
    selection = choosing.current()
    of = chosen_of(judged, others, selection)
    chosen = chosen_in(of, selection)
    st.caption(CLICKS)
    if others:
        show_people(data_set, judged, chosen)
        show_matrices(data_set, judged, others, view, chosen)
    else:
        left, right = st.columns([9, 5], gap="large")
        with left:
            show_people(data_set, judged, chosen)
        with right:
            show_matrices(data_set, judged, others, view, chosen)
    if view != VIEWS[1] or not others:
        show_chosen(of, chosen)
    show_part(judged, chosen)


def chosen_of(judged: Judged, others: list[Judged], selection: Selection | None) -> Judged:
    """Return the run that a choice was made in; the page's first where it is not shown."""
    wanted = selection.run if selection is not None else ""
    return next((other for other in others if other.run.id == wanted), judged)


def show_people(data_set: DataSet, judged: Judged, chosen: Chosen) -> None:
    if judged.report.get("patients_unknown"):
        return
    st.header("Patients, the worst first", anchor=False)
    list_patients(data_set, judged, chosen.selection, chosen.pictures)


def show_matrices(
    data_set: DataSet, judged: Judged, others: list[Judged], view: str, chosen: Chosen
) -> None:
    st.header("Confusion matrix" if not others else "Confusion matrices", anchor=False)
    drawn = st.container()
    mode = choose_mode()
    with drawn:
        draw_matrices(data_set, judged, others, mode, view, chosen)


def draw_matrices(
    data_set: DataSet, judged: Judged, others: list[Judged], mode: Mode, view: str, chosen: Chosen
) -> None:
    if others and view == VIEWS[1]:
        show_the_difference(judged, others[0], mode, chosen.selection)
        if others[0].leaks:
            twins.offer_twin(data_set, others[0].run, "twin_1")
        return
    show_side_by_side(data_set, judged, others, mode, chosen)
    if others:
        figures.show_comparisons(judged, others)


def show_side_by_side(
    data_set: DataSet, judged: Judged, others: list[Judged], mode: Mode, chosen: Chosen
) -> None:
    shown = [judged, *others]
    width = 330 if others else 300
    with st.grid(min(2, len(shown)), min_column_width=width, key="matrices", gap="medium"):
        for place, one in enumerate(shown):
            with st.container(gap="small"):
                try:
                    show_one_matrix(one, mode, chosen, place, named=bool(others))
                    if place and one.leaks:
                        twins.offer_twin(data_set, one.run, f"twin_{place}")
                except LymphError as error:
                    show_error(error)


def show_one_matrix(judged: Judged, mode: Mode, chosen: Chosen, place: int, named: bool) -> None:
    if named:
        st.caption(f"**Run {figures.LETTERS[place]}** {plain(training.title_of(judged.run))}")
        st.caption(f"{right_words(judged)} · {base_of(judged)}")
    section, run = judged.section, judged.run.id if place else ""
    show_matrix(
        section["confusion"],
        judged.report["classes"],
        mode,
        judged.unit,
        chosen.selection,
        f"matrix_{place}",
        run,
        cells_holding(judged.pictures, chosen.pictures, judged.level == "patients"),
    )
    matrix_buttons(chosen.selection, run, place)


def right_words(judged: Judged) -> str:
    """Say how often a run is right, with its interval."""
    section = judged.section
    share, pair = section["accuracy"], interval_words(section["interval"])
    return f"**{100 * share:.0f} % classified correctly per {judged.unit[:-1]}**, {pair}"


def matrix_buttons(chosen: Selection | None, run: str, place: int) -> None:
    with st.container(horizontal=True, key=f"matrix_buttons_{place}", gap="small"):
        for part, title in ((RIGHT, "All correct"), (WRONG, "All wrong")):
            own = Selection("cell", (part,), run)
            st.button(
                title,
                key=f"{part}_{place}",
                type="primary" if chosen == own else "secondary",
                on_click=choosing.toggle,
                args=(own,),
            )


def show_the_difference(
    first: Judged, second: Judged, mode: Mode, chosen: Selection | None
) -> None:
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
            st.header(f"{words}: {counted(len(rows), 'picture')}", anchor=False)
            show_judged(one.run, rows, one.pictures, f"moved_{name}")


def show_part(judged: Judged, chosen: Chosen) -> None:
    """Draw one of the further parts; the others cost nothing until they are asked for."""
    st.header("More about this run", anchor=False)
    part = st.segmented_control(
        "More about this run",
        list(PARTS),
        key="part",
        label_visibility="collapsed",
        wrap=True,
        bind="query-params",
        persist_state="session",
    )
    if part is None:
        return
    with st.container(key="part_shown"):
        try:
            PARTS[part](judged, chosen)
        except LymphError as error:
            show_error(error)


ensure_app()
page()
