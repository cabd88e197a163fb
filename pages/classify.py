"""Classify: what the model says about a new picture, and how far to trust it."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from lymph.charts import breakable, percent
from lymph.data.sources import DataSet
from lymph.errors import LymphError, PictureError
from lymph.facts import CLASS_NAMES, class_colours
from lymph.runs import Run, titles_of
from lymph.text import as_cell, counted
from pages.shared import loading, state, training
from pages.shared.classify.asked import (
    examples,
    forget_session,
    keep_pasted,
    pasted,
    want_examples,
    wants_examples,
)
from pages.shared.classify.pasting import paste_area
from pages.shared.drops import opened
from pages.shared.frame import (
    begin_on_pictures,
    escape,
    next_step,
    offer_training,
    plain,
    show_error,
)
from pages.shared.judging import confidence_of
from pages.shared.navigation import FILES, ensure_app, on_stage
from pages.shared.pictures.explaining import show_explanation
from pages.shared.pictures.galleries import badge
from pages.shared.place import where_asked_pictures_go
from pages.shared.results.twins import offer_twin
from pages.shared.stage.deck import Slide, show_page

if TYPE_CHECKING:  # torch stands behind both
    from lymph.inference.answers import Answer
    from lymph.inference.classify import Answered

QUESTION = "What does the model say about a new picture?"
# What is dropped here may well be real.
DRAWN_NOTICE = "Synthetic set: its models have learned from computer-drawn pictures only."
NOT_MEDICAL = "For learning only: this is not a medical device."

FROM_FILES, FROM_FOLDER, FROM_CAMERA, FROM_CLIPBOARD = "Pictures", "Folder", "Camera", "Clipboard"
WAYS = [FROM_FILES, FROM_FOLDER, FROM_CAMERA, FROM_CLIPBOARD]

MAX_FILES = 500
PER_PAGE = 24
PREVIEW = (640, 640)
ANSWERS_KEY = "answers"

STYLES = Path(__file__).parent / "shared" / "classify" / "classify.css"


class File(NamedTuple):
    """One dropped file: what it is known by in this session, its name, and a way to its bytes."""

    key: str
    name: str
    open: Callable[[], bytes] | None
    problem: str = ""


def page() -> None:
    if on_stage():
        show_page("classify", QUESTION, slides)
        return
    data_set = begin_on_pictures(QUESTION, DRAWN_NOTICE)
    if data_set is None:
        return
    st.html(STYLES)
    try:
        runs = choose_runs(data_set)
        if not runs:
            offer_model(data_set)
            training.show_unreadable(data_set)
            return
        show_qualities(data_set, runs)
        classify(runs, gather())
    except LymphError as error:
        show_error(error)
        training.offer_other_run()
    training.show_unreadable(data_set)


def slides(data_set: DataSet) -> list[Slide]:
    """Return the page's slide."""
    run = training.run_shown(data_set, single=True)
    if run is None:
        return [Slide(QUESTION, partial(offer_model, data_set))]
    return [Slide(QUESTION, partial(show_on_stage, data_set, run))]


def offer_model(data_set: DataSet) -> None:
    """Offer the way to a model that answers; a cross-validation has one for each fold and none."""
    if training.finished_records(data_set):
        words = "Cross-validation keeps no single model to ask: train one on a split."
        next_step(words, "train", "Train a model")
    else:
        offer_training()


def show_on_stage(data_set: DataSet, run: Run) -> None:
    """Draw the ways in on one side, and on the other what the model says."""
    st.html(STYLES)
    ways, answers = st.columns([1, 2], gap="large")
    with ways:
        files = gather()
    with answers:
        show_qualities(data_set, [run])
        classify([run], files)


def show_qualities(data_set: DataSet, runs: list[Run]) -> None:
    """Say how good each model is and what its confidence is worth; a leaky one warns."""
    for run in runs:
        name = f"{training.title_of(run)}: " if len(runs) > 1 else ""
        words = plain(f"{name}{training.quality_sentence(run)} {confidence_of(run).words}")
        leaks = training.judged_by_test(run).get("leaked_test_share")
        (st.warning if leaks else st.caption)(words)
        if leaks:
            offer_twin(data_set, run, f"twin_{run.path.name}")
    st.caption(NOT_MEDICAL)


def choose_runs(data_set: DataSet) -> list[Run]:
    """Let one run be chosen, and where there are more a second one to set beside it."""
    left, right = st.columns(2)
    with left:
        first = training.choose_run(data_set, "Model", "classify_choice", single=True)
    if first is None:
        return []
    others = [record for record in training.finished_records(data_set) if not record.split.folds]
    known = {record.id: record for record in others if record.id != first.id}
    if not known:
        return [first]
    with right:
        second = st.selectbox(
            "Compare with",
            ["", *known],
            format_func={"": "No other", **titles_of(known.values())}.__getitem__,
            key="classify_second",
        )
    return [first, known[second].run] if second in known else [first]


# ---- what is dropped ---------------------------------------------------------------------------


def gather() -> list[File]:
    """Draw the ways in and return every file that came by any of them."""
    way = st.segmented_control(
        "Take pictures from", WAYS, default=FROM_FILES, required=True, key="classify_way"
    )
    files = []
    if way == FROM_CAMERA:
        shot = st.camera_input("Take a picture", key="classify_camera")
        taken = unpacked(shot) if shot else []
        files = [file._replace(name="camera picture") for file in taken]
    elif way == FROM_CLIPBOARD:
        paste_area(keep_pasted, "classify_paste")
    else:
        files = uploaded(folder=way == FROM_FOLDER)
    files += in_session()
    if not files:
        st.caption(f"PNG, JPEG, TIFF, BMP or WebP, or a zip of them. {where_asked_pictures_go()}")
        st.button("Try three synthetic examples", on_click=want_examples, key="classify_examples")
    return files


def uploaded(folder: bool) -> list[File]:
    uploads = st.file_uploader(
        "Drop a folder" if folder else "Drop one or many pictures, or a zip",
        accept_multiple_files="directory" if folder else True,
        key="classify_folder" if folder else "classify_upload",
    )
    return [file for upload in uploads or [] for file in unpacked(upload)]


def unpacked(upload: Any) -> list[File]:
    """Return the files of an upload: itself, or the pictures of a zip."""
    from lymph.inference.dropped import unpack_drop

    try:
        found = unpack_drop(upload.name, opened(upload))
    except LymphError as error:  # there was no room for it
        return [File(upload.file_id, upload.name, None, str(error))]
    return [File(f"{upload.file_id}/{i}", *dropped) for i, dropped in enumerate(found)]


def in_session() -> list[File]:
    """Return the pictures that were pasted and, when wanted, the examples."""
    files = [File(key, name, lambda c=c: c) for key, (name, c) in pasted().items()]
    if wants_examples():
        files += [File(name, name, lambda c=c: c) for name, c in examples()]
    if files:
        st.button("Remove these pictures", on_click=forget_session, key="classify_forget")
    return files


# ---- the answers -------------------------------------------------------------------------------


def classify(runs: list[Run], files: list[File]) -> None:
    if not files:
        return
    if len(files) > MAX_FILES:
        st.warning(
            f"Only the first {MAX_FILES} of {len(files)} files are classified here;"
            " `python -m lymph classify` takes folders of any size."
        )
    files = files[:MAX_FILES]
    summary = st.container(key="classify_summary")
    per_page = 1 if on_stage() else PER_PAGE
    pages = -(-len(files) // per_page)
    page = min(st.pagination(pages, key="classify_page"), pages) if pages > 1 else 1
    shown = range((page - 1) * per_page, min(page * per_page, len(files)))
    # Two models need the whole width to stand side by side.
    columns = 1 if len(shown) == 1 or len(runs) > 1 else 2
    answered = []
    with loading.progress_bar("Pictures classified") as progress, st.container(key="answer_cards"):
        grid = st.grid(columns, min_column_width=330, key="answer_grid")
        for place, entry in enumerate(answer_all(runs, files)):
            answered.append(entry)
            progress(len(answered), len(files))
            if place in shown:
                with grid.cell():
                    show_card(runs, files[place], entry, place)
    state.mark_done("classify")
    with summary:
        summarise(runs, answered)


def answer_all(runs: list[Run], files: list[File]) -> "Iterator[Answered]":
    """Yield the answers of each file as they are ready; they are kept while the file is there.

    An entry holds one answer a run, and a small JPEG of the picture.
    """
    model = tuple((run.id, training.changed(run)) for run in runs)
    wanted = {(model, file.key) for file in files}
    before = st.session_state.get(ANSWERS_KEY, {})
    # Filled as answers come, so that a click in between loses none of them.
    kept = {key: entry for key, entry in before.items() if key in wanted}
    st.session_state[ANSWERS_KEY] = kept
    fresh = [file for file in files if (model, file.key) not in kept and file.open]
    new = answer_fresh(model, fresh) if fresh else iter(())
    for file in files:
        key = (model, file.key)
        if key not in kept:
            kept[key] = next(new) if file.open else refusal(file, runs)
        yield kept[key]


def answer_fresh(model: tuple, files: list[File]) -> "Iterator[Answered]":
    # Loaded late: torch stands behind it.
    from lymph.inference import answer_files

    classifiers = [training.classifier_of(*one) for one in model]
    named = [(file.name, file.open) for file in files if file.open]
    return answer_files(classifiers, named, keep=preview)


def refusal(file: File, runs: list[Run]) -> "Answered":
    from lymph.inference.answers import refused
    from lymph.inference.classify import Answered

    return Answered([refused(file.name, file.problem) for _ in runs], None)


def preview(pixels: np.ndarray) -> bytes:
    """Return a JPEG small enough to keep for the session."""
    picture = Image.fromarray(pixels)
    picture.thumbnail(PREVIEW, Image.Resampling.BILINEAR, reducing_gap=2.0)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


# ---- one card a file ---------------------------------------------------------------------------


def show_card(runs: list[Run], file: File, entry: "Answered", place: int) -> None:
    first = entry.answers[0]
    with st.container(border=True, key=f"answer_{place}"):
        if first["problem"]:
            st.error(f"**{plain(file.name)}**  \n{plain(first['problem'])}")
            return
        left, *places = st.columns([1, *[1.15] * len(runs)], gap="medium")
        with left:
            st.image(entry.kept, width="stretch", alt=f"Dropped picture {place + 1}: {file.name}")
            notes = "".join(f"<br>{escape(note)}" for note in first["notes"])
            st.html(f'<div class="lymph-file">{escape(file.name)}{notes}</div>')
        for column, run, answer in zip(places, runs, entry.answers, strict=True):
            with column:
                st.html(said(run, answer, named=len(runs) > 1))
                if st.button("Why?", key=f"why_{place}_{run.id}", help="Open the explanation"):
                    explain(run, file, answer)


def said(run: Run, answer: "Answer", named: bool) -> str:
    """Return an answer as HTML: the class, how sure, the probabilities, and every reserve."""
    from lymph.inference.answers import check_words, only_drawn
    from lymph.inference.provenance import ONLY_DRAWN, provenance_words

    drawn = only_drawn(answer)
    title = f'<div class="lymph-file">{escape(training.title_of(run))}</div>' if named else ""
    full = "" if drawn else escape(CLASS_NAMES.get(answer["predicted"], ""))
    head = (
        f'<div class="lymph-said"><b>{breakable(answer["predicted"])}</b> {full}<br>'
        f"{escape(sure_words(answer))}</div>"
    )
    reserves = []
    if drawn:
        reserves.append(f'<div class="lymph-drawn">{escape(ONLY_DRAWN)}</div>')
    if not answer["familiar"]:
        reserves.append(
            '<div class="lymph-doubt"><strong>Do not trust this answer.</strong>'
            f" {escape(answer['reason'])} {escape(check_words(answer))}</div>"
        )
    if answer["confidence"] is None:
        reserves.append(f'<div class="lymph-doubt">{escape(answer["confidence_note"])}</div>')
    body = head + bars_of(run, answer)
    if drawn or not answer["familiar"]:
        body = f'<div class="lymph-void">{body}</div>'
    seen = f'<div class="lymph-seen">{escape(answer["seen"])}</div>' if answer["seen"] else ""
    if learned := answer["learned_from"]:
        leaks = " lymph-leaks" if learned["leaks"] else ""
        origin = escape(provenance_words(learned))
        seen += f'<div class="lymph-file lymph-origin{leaks}">{origin}</div>'
    return title + "".join(reserves) + body + seen


def sure_words(answer: "Answer") -> str:
    """Say how sure an answer is, as far as that may be said."""
    from lymph.inference.answers import how_sure, only_drawn

    if only_drawn(answer):
        return "the kind of drawing that it looks most like"
    if not answer["familiar"]:
        return "its answer for such a picture is meaningless"
    if answer["confidence"] is None:
        return "the class it names; how sure it is cannot be stated"
    return how_sure(answer["probabilities"])


def bars_of(run: Run, answer: "Answer") -> str:
    """Return one bar a class as HTML: even and grey where no confidence may be stated."""
    colours, shares = class_colours(run.classes), answer["probabilities"]
    stated = answer["confidence"] is not None
    bars = []
    for name, share in shares.items():
        rest = "" if name == answer["predicted"] else " rest"
        width = share if stated else 1 / len(shares)
        edge = colours[name] if stated else "grey"
        bars.append(
            f'<div class="lymph-bar{rest}" style="--edge:{edge}">'
            f'<span>{breakable(name)}</span><i style="width:{100 * width:.1f}%"></i>'
            f"<span>{escape(percent(share)) if stated else '?'}</span></div>"
        )
    return f'<div class="lymph-bars">{"".join(bars)}</div>'


@st.cache_data(show_spinner="Opening the picture", max_entries=3, scope="session")
def pixels_of(key: str, _open: Callable[[], bytes] | None, white: int) -> np.ndarray:
    from lymph.inference import read_for_answer

    if _open is None:
        raise PictureError("The file is no longer there; drop it again.")
    return read_for_answer(_open, white).pixels


@st.dialog("Why the model said so", width="large")
def explain(run: Run, file: File, answer: "Answer") -> None:
    from lymph.inference.answers import only_drawn
    from lymph.inference.provenance import ONLY_DRAWN

    try:
        white = training.classifier_of(run.id, training.changed(run)).white
        pixels = pixels_of(file.key, file.open, white)
    except PictureError as error:
        show_error(error)
        return
    stated = answer["confidence"]
    share = "" if stated is None else f", {plain(percent(stated))}"
    seen = "from its tiles together" if run.config.tiles else "from the whole picture"
    said_of_all = f"**{plain(answer['predicted'])}**{share} {seen}"
    st.markdown(f"{plain(file.name)}: {said_of_all}")
    if only_drawn(answer):
        st.warning(plain(ONLY_DRAWN))
    if answer["reason"]:
        st.warning(plain(f"Do not trust this answer. {answer['reason']}"))
    if stated is None:
        st.warning(plain(answer["confidence_note"]))
    show_explanation(run, file.name, pixels, answer["predicted"], "why")


# ---- all together ------------------------------------------------------------------------------


def summarise(runs: list[Run], answered: "list[Answered]") -> None:
    """Say what came out in all, patient by patient, and offer it to take away."""
    problems = sum(1 for entry in answered if entry.answers[0]["problem"])
    for number, run in enumerate(runs):
        answers = [entry.answers[number] for entry in answered]
        if len(answered) > 1:
            st.write(tally(run, answers, named=len(runs) > 1))
        show_patients(run, answers)
    if problems and len(answered) > 1:
        st.write(f"{counted(problems, 'file')} could not be read; each says why below.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download all answers (CSV)",
            table_of(runs, answered).to_csv(index=False),
            "answers.csv",
            "text/csv",
            on_click="ignore",
            key="download_answers",
        )
        for run in runs:
            label = "The run that answered" if len(runs) == 1 else f"Run {plain(run.id)}"
            st.page_link(FILES["results"], label=label, query_params={"run": run.id})


def tally(run: Run, answers: "list[Answer]", named: bool) -> str:
    from lymph.inference.answers import only_drawn

    good = [answer for answer in answers if not answer["problem"]]
    counts = {name: sum(a["predicted"] == name for a in good) for name in run.classes}
    words = ", ".join(f"**{count:d}** {plain(name)}" for name, count in counts.items() if count)
    doubted = sum(not answer["familiar"] for answer in good)
    drawn = any(only_drawn(answer) for answer in good)
    like = " with the kind of drawing that each looks most like" if drawn else ""
    text = f"{counted(len(good), 'picture')} classified{like}: {words or 'none'}"
    text += f"; **{doubted}** not to be trusted" if doubted else ""
    return f"{plain(training.title_of(run))}  \n{text}" if named else text


def show_patients(run: Run, answers: "list[Answer]") -> None:
    """Give one answer for each patient of whom there are several pictures."""
    from lymph.inference.answers import how_sure, patient_answers

    colours, stated = class_colours(run.classes), confidence_of(run).stated
    lines = []
    for one in patient_answers(answers, run.classes):
        shares = one["probabilities"]
        sure = f"{percent(shares[one['predicted']])}, {how_sure(shares)}" if stated else ""
        lines.append(
            f'<div class="lymph-patient"><div class="who">Patient {escape(one["patient"])}<br>'
            f"<small>{one['pictures']:d} pictures together</small></div>"
            f"<div>{badge(one['predicted'], colours[one['predicted']])} {escape(sure)}</div></div>"
        )
    if lines:
        st.html("".join(lines))


def table_of(runs: list[Run], answered: "list[Answered]") -> pd.DataFrame:
    """Return every answer as one table, one row a file and run, safe to open as a spreadsheet."""
    from lymph.inference.answers import answer_table

    tables = []
    for number, run in enumerate(runs):
        table = answer_table([entry.answers[number] for entry in answered], run.classes)
        tables.append(table.map(as_cell).assign(run=run.id))
    return pd.concat(tables, ignore_index=True)


ensure_app()
page()
