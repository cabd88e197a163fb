"""The Results page on a projector: figure and matrix, the patients, and each further part."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lymph.data.sources import DataSet
from lymph.predictions import sets_of
from pages.shared import state, training
from pages.shared.frame import escape, offer_training, plain
from pages.shared.judging import Judged, headline_of
from pages.shared.results import choosing, figures, twins
from pages.shared.results.choosing import Chosen
from pages.shared.results.chosen import chosen_in, show_chosen
from pages.shared.results.matrix import show_matrix
from pages.shared.results.numbers import show_leak, show_numbers
from pages.shared.results.patients import list_patients
from pages.shared.stage.deck import Slide

QUESTION = "How often is it right, and for whom?"
PARTS: dict[str, Callable[[Judged, Chosen], object]] = {
    "How good is it on each class?": figures.show_classes,
    "What if the threshold moves?": figures.show_curves,
    "How sure is it when it is wrong?": figures.show_sure,
    "Can its probabilities be believed?": figures.show_trust,
    "Which pictures look alike to the model?": figures.show_map,
    "What have others published?": figures.show_published,
}


def slides(data_set: DataSet) -> list[Slide]:
    """Return the page's slides, all of the run that the page would show first."""
    run = training.run_shown(data_set)
    if run is None:
        return [Slide(QUESTION, offer_training)]
    state.mark_done("results")
    judged = Judged(run, sets_of(training.predictions_of(run))[0], "pictures")
    chosen = chosen_in(judged, choosing.current())
    shown = [Slide(QUESTION, partial(show_answer, data_set, judged))]
    if chosen.selection is not None:
        shown.append(Slide("Which pictures are these?", partial(show_chosen, judged, chosen, 12)))
    if not judged.report.get("patients_unknown"):
        people = partial(list_patients, data_set, judged, chosen.selection, chosen.pictures)
        shown.append(Slide("Patients, the worst first", people))
    if (both := twins.twins_of(data_set, run)) is not None:
        shown.append(Slide("What would a leak have promised?", partial(twins.show_pair, *both)))
    return [*shown, *(Slide(name, partial(draw, judged, chosen)) for name, draw in PARTS.items())]


def show_answer(data_set: DataSet, judged: Judged) -> None:
    """Draw the two numbers with what makes them worthless, and the matrix beside them."""
    st.caption(plain(training.title_of(judged.run)))
    left, right = st.columns([6, 5], gap="large")
    with left:
        show_numbers(judged)
        show_leak(judged)
        st.html(f'<p class="lymph-first">{escape(headline_of(judged))}</p>')
        twins.offer_twin(data_set, judged.run)
    with right:
        selection = choosing.current()
        show_matrix(
            judged.section["confusion"],
            judged.report["classes"],
            "counts",
            judged.unit,
            selection,
            "matrix_0",
        )
        st.caption("Click a cell: its pictures are on the next slide.")
