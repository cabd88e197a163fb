"""Classify: what the model says about a new picture."""

import io
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from lymph.charts import percent, probability_bars
from lymph.data.read import read_picture
from lymph.errors import LymphError, PictureError
from lymph.facts import CLASS_NAMES, class_colours
from lymph.runs import Run
from pages.shared import loading, state, training
from pages.shared.frame import begin, next_step, plain, show_error
from pages.shared.navigation import ensure_app

QUESTION = "What does the model say about a new picture?"
PICTURE_TYPES = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"]
MAX_FILES = 200
PER_PAGE = 24
PREVIEW = (760, 760)
ANSWERS_KEY = "answers"


def page() -> None:
    data_set = state.current_data_set()
    begin(QUESTION, data_set)
    if data_set is None:
        next_step("There are no pictures yet.", "data", "Add pictures")
        return
    try:
        run = training.choose_run(data_set, "Model", "classify_choice")
        if run is None:
            next_step("No model has learned from these pictures yet.", "train", "Train a model")
            return
        st.caption(
            f"{plain(training.quality_sentence(run))} For learning only: this is not a medical"
            " device."
        )
        classify(run)
    except LymphError as error:
        show_error(error)
        training.offer_newest_run()


def classify(run: Run) -> None:
    uploads = st.file_uploader(
        "Drop one or many pictures",
        type=PICTURE_TYPES,
        accept_multiple_files=True,
        key="classify_upload",
    )
    if not uploads:
        st.caption("PNG, JPEG, TIFF, BMP or WebP. The pictures stay on this computer.")
        return
    if len(uploads) > MAX_FILES:
        st.warning(f"Only the first {MAX_FILES} of {len(uploads)} pictures are answered.")
    answers = answer_all(run, uploads[:MAX_FILES])
    state.mark_done("classify")
    show_problems(answers)
    good = [answer for answer in answers if not answer["problem"]]
    if len(good) > 1:
        show_table(run, good)
    download(run, answers)
    pages = -(-len(good) // PER_PAGE)
    page = min(st.pagination(pages, key="classify_page"), pages) if pages > 1 else 1
    with st.grid(2, min_column_width=460, key="answer_cards"):
        for place, answer in enumerate(good[(page - 1) * PER_PAGE : page * PER_PAGE]):
            show_answer(run, answer, place)


def show_problems(answers: list[dict[str, Any]]) -> None:
    """Say of each broken file what is wrong, above the answers of the others."""
    for answer in answers:
        if answer["problem"]:
            st.error(f"**{plain(answer['picture'])}** {plain(answer['problem'])}")


def answer_all(run: Run, uploads: list[Any]) -> list[dict[str, Any]]:
    """Answer every dropped file once; answers are kept as long as their file is there."""
    model = (run.id, training.changed(run))
    kept = st.session_state.get(ANSWERS_KEY, {})
    fresh = [upload for upload in uploads if (model, upload.file_id) not in kept]
    if fresh:
        classifier = training.classifier_of(*model)
        with loading.progress_bar("Pictures answered") as progress:
            for done, upload in enumerate(fresh, start=1):
                kept[model, upload.file_id] = answer_one(classifier, upload)
                progress(done, len(fresh))
    wanted = {(model, upload.file_id): None for upload in uploads}
    st.session_state[ANSWERS_KEY] = {key: kept[key] for key in wanted}
    return [kept[key] for key in wanted]


def answer_one(classifier: Any, upload: Any) -> dict[str, Any]:
    # Loaded late: torch stands behind it.
    from lymph.inference import classify_files

    content = upload.getvalue()
    answer = next(iter(classify_files(classifier, [(upload.name, content)])))
    return {**answer, "preview": "" if answer["problem"] else preview(content)}


def preview(content: bytes) -> bytes:
    """Return a JPEG small enough to keep for the session."""
    try:
        picture = Image.fromarray(read_picture(content))
    except PictureError:
        return b""
    picture.thumbnail(PREVIEW)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def show_answer(run: Run, answer: dict[str, Any], place: int) -> None:
    with st.container(border=True, key=f"answer_{place}"):
        left, right = st.columns(2, gap="medium")
        left.image(answer["preview"], width="stretch", alt=f"Dropped picture {place + 1}")
        left.text(answer["picture"])
        with right:
            show_prediction(run, answer, place)


def show_prediction(run: Run, answer: dict[str, Any], place: int) -> None:
    colours = class_colours(run.classes)
    predicted = answer["predicted"]
    probability = answer["probabilities"][predicted]
    st.metric(CLASS_NAMES.get(predicted, "The model says"), f"{predicted}, {percent(probability)}")
    if not answer["familiar"]:
        st.warning("This picture looks unlike those that the model learned from: do not trust it.")
    figure = probability_bars(answer["probabilities"], colours)
    st.plotly_chart(figure, key=f"bars_{place}", config={"displayModeBar": False})


def table_of(run: Run, answers: list[dict[str, Any]]) -> pd.DataFrame:
    rows = [
        {
            "picture": answer["picture"],
            "predicted": answer["predicted"],
            **{f"p_{name}": answer["probabilities"].get(name) for name in run.classes},
            "familiar": answer["familiar"] if not answer["problem"] else None,
            "problem": answer["problem"],
        }
        for answer in answers
    ]
    return pd.DataFrame(rows)


def show_table(run: Run, answers: list[dict[str, Any]]) -> None:
    table = table_of(run, answers)
    shares = [f"p_{name}" for name in run.classes]
    table[shares] *= 100
    bars = {
        f"p_{name}": st.column_config.ProgressColumn(
            name, min_value=0, max_value=100, format="%.0f %%"
        )
        for name in run.classes
    }
    titles = {"picture": "Picture", "predicted": "Answer"}
    with st.container(key="answers"):
        st.dataframe(
            table,
            hide_index=True,
            column_order=["picture", "predicted", *shares],
            column_config={**titles, **bars},
            key="answers_table",
        )


def download(run: Run, answers: list[dict[str, Any]]) -> None:
    st.download_button(
        "Download as CSV",
        table_of(run, answers).to_csv(index=False),
        "answers.csv",
        "text/csv",
        key="download_answers",
    )


ensure_app()
page()
