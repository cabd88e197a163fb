"""Lessons: what went wrong in the notebook, guessed, run, seen and fixed."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from lymph.charts.lessons import lesson_charts
from lymph.classroom import jobs
from lymph.data.pixels import shrink
from lymph.data.scan import classes_of, usable
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.facts import class_colours
from lymph.lessons import arithmetic, colour_views
from lymph.lessons.catalogue import LESSONS, lesson_of
from lymph.lessons.findings import find
from lymph.lessons.lesson import STEPS, Finding, Lesson
from lymph.lessons.live import LiveRun, live_run, live_runs, start_lesson, stop_lesson
from lymph.lessons.notebook import make_notebook
from pages.shared import loading
from pages.shared.frame import begin_on_pictures, escape, plain, show_caveat, show_error, told
from pages.shared.glossary import show_glossary
from pages.shared.loading import duration
from pages.shared.navigation import ensure_app
from pages.shared.visitor import is_own, starter_of, who
from pages.shared.waiting import waiting_words

QUESTION = "What went wrong, and how would you have noticed?"
INTRODUCTION = (
    f"{len(LESSONS)} lessons, from a real course notebook and from published studies. In each of"
    " them you guess first, watch it happen live on the pictures you have loaded, and then see the"
    " lines that fix it."
)
LETTERS = "ABC"
GUESSES = "lesson_guesses"
PLAY_ROWS = 6

STYLES = """
<style>
.lesson-steps {display:flex; flex-wrap:wrap; gap:.25rem .9rem; font-size:.92rem;}
.lesson-steps span {opacity:.6; padding-bottom:.1rem; border-bottom:2px solid transparent;}
.lesson-steps .now {opacity:1; font-weight:650; border-color:currentColor;}
.lesson-table {border-collapse:collapse; font-variant-numeric:tabular-nums;}
.lesson-table th {font-weight:600; font-size:.85rem; padding:.2rem .5rem; text-align:center;}
.lesson-table td {text-align:center; padding:.3rem .8rem; min-width:2.2rem;
  border:1px solid color-mix(in srgb, currentColor 18%, transparent);}
.lesson-table .hit {background:#D6478B; color:#000; font-weight:650;}
.lesson-table .gap {border:none;}
.st-key-lesson_takeaway p {font-size:1.45rem; line-height:1.5;}
[class*="st-key-lesson_card_"] {height:100%;}
.st-key-clicker_back, .st-key-clicker_next {position:absolute; width:1px; height:1px;
  overflow:hidden; opacity:0; pointer-events:none;}
</style>
"""
# One lesson a screen: the sidebar goes, the type grows.
LECTURE_STYLES = """
<style>
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"] {display:none;}
[data-testid="stMainBlockContainer"] {max-width:1500px; margin:0 auto;}
[data-testid="stMain"] h1 {font-size:clamp(1.9rem, 3.4vw, 3.1rem);}
.st-key-lesson_body p, .st-key-lesson_body li, .st-key-lesson_body label p
  {font-size:clamp(1.2rem, 1.75vw, 1.7rem); line-height:1.45;}
.st-key-lesson_body [data-testid="stCaptionContainer"] p {font-size:1.15rem;}
.st-key-lesson_body [data-testid="stMetricValue"] {font-size:clamp(2.2rem, 3.4vw, 3.2rem);}
.st-key-lesson_body [data-testid="stMetricValue"] p {font-size:inherit; line-height:1.2;}
.st-key-lesson_body [data-testid="stMetricLabel"] p {font-size:1.2rem;}
.st-key-lesson_body pre, .st-key-lesson_body pre code {font-size:clamp(.95rem, 1.45vw, 1.4rem);}
.st-key-lesson_body button p {font-size:1.15rem;}
.st-key-lesson_guesses button p {font-size:clamp(1.2rem, 1.75vw, 1.7rem);}
.st-key-lesson_takeaway p {font-size:clamp(1.5rem, 2.5vw, 2.4rem);}
.lesson-steps, .lesson-table {font-size:1.2rem;}
</style>
"""


def page() -> None:
    slug = st.query_params.get("lesson")
    try:
        lesson = lesson_of(slug) if slug else None
        data_set = begin_on_pictures(lesson.question if lesson else QUESTION)
        if data_set is None:
            return
        st.html(STYLES)
        table = loading.picture_table(data_set)
        show_caveat(loading.found(data_set).source.caveat)
        if lesson:
            show_lesson(lesson, data_set, table)
        else:
            list_lessons(data_set, table)
    except LymphError as error:
        show_error(error)
        st.button("All lessons", on_click=leave, key="all_lessons")


# ---- the way through ---------------------------------------------------------------------------


def go(slug: str, step: int = 1) -> None:
    """Open a lesson at a step; both stand in the address."""
    st.query_params["lesson"] = slug
    st.query_params["step"] = str(step)


def leave() -> None:
    """Go back to the list of lessons."""
    for key in ("lesson", "step", "screen"):
        st.query_params.pop(key, None)


def start_over(slug: str) -> None:
    """Forget the guess and begin at the question; the figures of the run stay."""
    st.session_state.get(GUESSES, {}).pop(slug, None)
    go(slug)


def step_in_address() -> int:
    """Return the step to show, 1 to 5; anything else in the address is the first."""
    text = st.query_params.get("step", "1")
    return int(text) if text.isdecimal() and 1 <= int(text) <= len(STEPS) else 1


def lecturing() -> bool:
    """Tell whether the lecturer's view is on."""
    return st.query_params.get("screen") == "lecture"


def switch_view() -> None:
    """Switch the lecturer's view on or off."""
    if lecturing():
        del st.query_params["screen"]
    else:
        st.query_params["screen"] = "lecture"


def guess_of(slug: str) -> int | None:
    """Return what was guessed in this session, or None."""
    return st.session_state.get(GUESSES, {}).get(slug)


def keep_guess(slug: str, place: int) -> None:
    """Remember a guess for this session."""
    st.session_state.setdefault(GUESSES, {})[slug] = place


def run_of(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> LiveRun:
    return live_run(lesson.slug, loading.found(data_set).source, table)


def list_lessons(data_set: DataSet, table: pd.DataFrame) -> None:
    st.write(INTRODUCTION)
    grid = st.grid("auto", min_column_width=280, key="lessons")
    slugs = [lesson.slug for lesson in LESSONS]
    runs = live_runs(slugs, loading.found(data_set).source, table)
    for lesson, run in zip(LESSONS, runs, strict=True):
        with grid.cell().container(border=True, key=f"lesson_card_{lesson.slug}"):
            st.subheader(f"{lesson.number}. {lesson.title}", anchor=False)
            st.write(lesson.question)
            kept = run.figures() is not None
            st.caption("✓ has been run here" if kept else f"runs in about {lesson.seconds} s")
            st.button("Open", on_click=go, args=(lesson.slug,), key=f"open_{lesson.slug}")


def show_lesson(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    step = step_in_address()
    if lecturing():
        st.html(LECTURE_STYLES)
    show_position(lesson, step)
    show_keys(lesson, step)
    with st.container(key="lesson_body"):
        bodies = (show_question, show_run, show_answer, show_lines, show_takeaway)
        bodies[step - 1](lesson, data_set, table)


def show_position(lesson: Lesson, step: int) -> None:
    names = "".join(
        f'<span class="{"now" if place == step else ""}">{place} {name}</span>'
        for place, name in enumerate(STEPS, start=1)
    )
    st.html(
        f'<div class="lesson-steps"><b>Lesson {lesson.number} of {len(LESSONS)}:'
        f" {escape(lesson.title)}</b>{names}</div>"
    )


def show_keys(lesson: Lesson, step: int) -> None:
    """Draw the buttons; arrow keys press them, and so do the keys of a presenter's clicker."""
    back = go, (lesson.slug, step - 1)
    onward = go, (lesson.slug, step + 1)
    if step == len(STEPS):
        following = LESSONS[lesson.number % len(LESSONS)]
        onward = go, (following.slug, 1)
    if step == 1:
        previous = LESSONS[lesson.number - 2]
        back = go, (previous.slug, len(STEPS))
    waiting = step == 1 and guess_of(lesson.slug) is None and not lecturing()
    next_name = "Next lesson" if step == len(STEPS) else "Guess first" if waiting else "Next"
    first = step == 1 and lesson.number == 1
    with st.container(horizontal=True, key="lesson_keys"):
        st.button("Back", on_click=back[0], args=back[1], key="back", shortcut="Left",
                  disabled=first)  # fmt: skip
        st.button(next_name, on_click=onward[0], args=onward[1], key="next", type="primary",
                  shortcut="Right", disabled=waiting)  # fmt: skip
        st.button("Start over", on_click=start_over, args=(lesson.slug,), key="reset",
                  shortcut="Home")  # fmt: skip
        view = "Leave lecture view" if lecturing() else "Lecture view"
        st.button(view, on_click=switch_view, key="lecture_view", shortcut="L")
        st.button("All lessons", on_click=leave, key="all_lessons")
        show_glossary(lesson.terms, "Words used here", key="lesson_terms")
    st.button("Back, clicker", on_click=back[0], args=back[1], key="clicker_back",
              shortcut="PageUp", disabled=first)  # fmt: skip
    st.button("Next, clicker", on_click=onward[0], args=onward[1], key="clicker_next",
              shortcut="PageDown", disabled=waiting)  # fmt: skip


# ---- the five steps ----------------------------------------------------------------------------


def show_question(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    st.markdown(lesson.story)
    st.markdown("**What is your guess?**")
    guessed = guess_of(lesson.slug)
    with st.container(gap="small", key="lesson_guesses"):
        # Buttons, not a radio: its input would swallow the keys that lead on.
        for place, choice in enumerate(lesson.choices):
            st.button(
                f"**{LETTERS[place]}**  {choice}",
                on_click=keep_guess,
                args=(lesson.slug, place),
                type="primary" if place == guessed else "secondary",
                key=f"guess_{lesson.slug}_{place}",
                shortcut=str(place + 1),
            )


def show_run(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    run = run_of(lesson, data_set, table)
    status = run.status()
    over = status is None or status.over
    st.markdown(f"{lesson.task} About {lesson.seconds} s on two cores, no graphics card.")

    def live() -> None:
        draw_run(lesson, run, data_set)
        now = run.status()
        if (now is None or now.over) != over:
            st.rerun()

    st.fragment(live, run_every=None if over else 1.0)()


def draw_run(lesson: Lesson, run: LiveRun, data_set: DataSet) -> None:
    status = run.status()
    if status is None:
        start_button("Run it live", run, data_set)
        return
    if not status.over:
        running = f"Running: {100 * status.share:.0f} %"
        words = waiting_words(run.folder) if status.state == "queued" else running
        with st.container(key="lesson_progress"):
            st.progress(min(1.0, status.share), words)
            if starter := starter_of(run.folder):
                st.caption(plain(starter))
        if lines := run.lines():
            st.code("\n".join(lines), language=None)
        if is_own(run.folder):
            st.button("Stop", on_click=stop, args=(run,), key="stop_lesson")
        return
    if status.state == "finished" and run.figures() is not None:
        when = datetime.fromtimestamp(run.when()).strftime("%d %b %H:%M")
        st.success(f"Done in {duration(status.seconds)}, on {when}. Next: the answer.")
        st.code("\n".join(run.lines()), language=None)
        start_button("Run it again", run, data_set, again=True)
        return
    if status.state == "failed":
        st.error(plain(status.error))
    else:
        st.info("The run was stopped before its end.")
    start_button("Run it again", run, data_set)


def start_button(label: str, run: LiveRun, data_set: DataSet, again: bool = False) -> None:
    if again and not is_own(run.folder):
        return
    if st.button(label, type="secondary" if again else "primary", key="run_lesson"):
        source = loading.found(data_set).source
        with told():
            if again:
                jobs.restart_job(who(), run.folder, start_lesson, run, source, True)
            else:
                jobs.start_job(who(), run.folder, start_lesson, run, source)
            st.rerun()


def stop(run: LiveRun) -> None:
    """Stop a lesson, or say why it cannot be stopped."""
    try:
        jobs.change_job(who(), run.folder, stop_lesson, run)
    except LymphError as error:
        st.toast(plain(str(error)))


def show_answer(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    figures = run_of(lesson, data_set, table).figures()
    if figures is None:
        with st.container(border=True, key="lesson_not_run"):
            st.write("The lesson has not been run on these pictures yet.")
            st.button("Go to the run", on_click=go, args=(lesson.slug, 2), key="go_run",
                      type="primary")  # fmt: skip
        return
    finding = find(lesson.slug, figures)
    show_verdict(lesson, finding)
    colours = class_colours(classes_of(table))
    if lecturing():
        # Numbers beside the chart, so that both stand on one projected screen.
        left, right = st.columns([1, 2.6], gap="large")
        with left:
            show_numbers(finding, columns=1)
        with right:
            show_charts(lesson, figures, colours)
    else:
        show_numbers(finding, columns=len(finding.numbers))
        show_charts(lesson, figures, colours)
    st.markdown(plain(finding.sentence))
    st.markdown(f"**Why.** {lesson.because}")
    if lesson.slug == "broadcast":
        play_with_matrix(classes_of(table))
    if lesson.slug == "colour":
        show_views(data_set, usable(table))


def show_numbers(finding: Finding, columns: int) -> None:
    with st.grid(columns, min_column_width=210, key="lesson_numbers"):
        for number in finding.numbers:
            with st.container(gap=None):
                st.metric(plain(number.label), number.value)
                st.caption(plain(number.note))


def show_verdict(lesson: Lesson, finding: Finding) -> None:
    guess, happened = guess_of(lesson.slug), finding.happened
    answer = f"**{LETTERS[happened]}**: {lesson.choices[happened]}"
    if guess is None:
        st.markdown(f"It was {answer}.")
    elif guess == happened:
        st.success(f"You guessed it: {answer}.")
    else:
        st.info(f"You guessed {LETTERS[guess]}. It was {answer}.")


def show_charts(lesson: Lesson, figures: dict, colours: dict[str, str]) -> None:
    stop = choose_stop(lesson, figures)
    charts = lesson_charts(lesson.slug, figures, colours, stop, lecturing())
    for place, (column, chart) in enumerate(zip(st.columns(len(charts)), charts, strict=True)):
        with column:
            st.markdown(f"**{chart.title}**")
            st.plotly_chart(chart.figure, key=f"lesson_chart_{place}", alt=chart.words,
                            config={"displayModeBar": False})  # fmt: skip


def choose_stop(lesson: Lesson, figures: dict) -> int:
    """Draw the slider of a lesson that has one and return its place."""
    if lesson.slug == "class-weights":
        names = [setting["name"] for setting in figures["settings"]]
        name = st.select_slider("Class weights", names, key="lesson_stop_weights")
        weights = figures["settings"][names.index(name)]["weights"]
        told = (f"{c} {w:.3g}" for c, w in zip(figures["classes"], weights, strict=True))
        st.caption(plain(f"Weights: {', '.join(told)}"))
        return names.index(name)
    if lesson.slug == "depth":
        epochs = len(figures["plain"]["gradients"])
        return st.slider("Epoch", 1, max(2, epochs), 1, key="lesson_stop_depth") - 1
    return 0


def show_lines(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    broken, mended = st.columns(2)
    with broken:
        st.subheader("✗ Broken", anchor=False)
        st.code(lesson.broken, language="python", wrap_lines=True)
    with mended:
        st.subheader("✓ Fixed", anchor=False)
        st.code(lesson.mended, language="python", wrap_lines=True)
    figures = run_of(lesson, data_set, table).figures()
    if lesson.slug == "stale-optimiser" and figures:
        st.markdown("Given the old optimiser, lymph's own loop refuses to train:")
        st.code(figures["refusal"], language=None, wrap_lines=True)


def show_takeaway(lesson: Lesson, data_set: DataSet, table: pd.DataFrame) -> None:
    with st.container(border=True, key="lesson_takeaway"):
        st.markdown(lesson.takeaway)
    st.markdown(f"Source: [{lesson.source}]({lesson.source_address})")
    st.download_button(
        "Download this lesson as a notebook",
        make_notebook(lesson, loading.found(data_set).source),
        f"lymph-lesson-{lesson.number}-{lesson.slug}.ipynb",
        "application/x-ipynb+json",
        key="download_lesson",
    )


# ---- to play with ------------------------------------------------------------------------------


def play_with_matrix(classes: list[str]) -> None:
    """Let someone change what the model says and see both accuracies follow."""
    st.subheader("Try it: change what the model says", anchor=False)
    truth = [classes[i % len(classes)] for i in range(PLAY_ROWS)]
    start = pd.DataFrame({"it is": truth, "the model says": classes[0]})
    left, right = st.columns([1, 1], gap="large")
    with left:
        choice = st.column_config.SelectboxColumn(options=classes, required=True)
        config = {str(column): choice for column in start}
        edited = st.data_editor(start, column_config=config, hide_index=True,
                                key="lesson_matrix")  # fmt: skip
    labels, said = ([classes.index(name) for name in edited[c]] for c in start)
    with right:
        st.html(matrix_table(said, labels, classes))
    broken = arithmetic.broadcast_accuracy(said, labels, len(classes))
    true = sum(a == b for a, b in zip(said, labels, strict=True)) / PLAY_ROWS
    hits = round(broken * PLAY_ROWS)
    with st.grid(2, min_column_width=170, key="lesson_play_numbers"):
        st.metric("Broken", f"{100 * broken:.1f} %", f"{hits} matches / {PLAY_ROWS} pictures",
                  delta_color="off", delta_arrow="off")  # fmt: skip
        st.metric("Fixed", f"{100 * true:.1f} %", f"{round(true * PLAY_ROWS)} right",
                  delta_color="off", delta_arrow="off")  # fmt: skip


def matrix_table(said: list[int], labels: list[int], classes: list[str]) -> str:
    """Return the comparison of every prediction with the row of its label, as HTML."""
    matches = arithmetic.broadcast_matrix(said, labels, len(classes))
    head = "".join(f"<th>{escape(name)}</th>" for name in classes)
    rows = []
    for number, label, hits in zip(said, labels, matches, strict=True):
        cells = "".join(
            f'<td class="{"hit" if hit else ""}">{int(place == label)}</td>'
            for place, hit in enumerate(hits)
        )
        rows.append(f'<tr><td>{number}</td><td class="gap">=</td>{cells}</tr>')
    return (
        f'<table class="lesson-table"><tr><th>says</th><th></th>{head}</tr>{"".join(rows)}</table>'
        "<small>Pink: the number on the left equals the 0 or 1, a “match”.</small>"
    )


def show_views(data_set: DataSet, table: pd.DataFrame) -> None:
    """Show one picture of three patients as it is, grey, normalised and jittered."""
    st.subheader("One picture of three patients, four ways", anchor=False)
    rows = table.drop_duplicates("patient").groupby("label").head(1)
    if len(rows) < 3:
        rows = table.drop_duplicates("patient")
    pictures = [view_pixels(data_set.path, name) for name in rows["picture"].head(3)]
    for name, view in colour_views.VIEWS.items():
        st.caption(name)
        with st.grid(3, min_column_width=90, gap="small", key=f"lesson_view_{name}"):
            for patient, pixels in zip(rows["patient"], pictures, strict=False):
                changed = view(pixels[None])[0]
                st.image(changed, width="stretch", alt=f"patient {patient}, {name}")


def view_pixels(root: Path, picture: str) -> np.ndarray:
    return shrink(loading.full_picture(str(root), picture), (312, 416), grey=False)


ensure_app()
page()
