"""Start: what lymph is, three doors into it, and what each page is for."""

import base64
from pathlib import Path

import streamlit as st

from lymph import runs
from lymph.data import sources
from lymph.data.read import SUFFIXES
from lymph.errors import LymphError
from lymph.facts import CLASS_NAMES, class_colours
from lymph.runs import HONEST, LEAKY, Run, record_of
from pages.shared.classify.asked import keep_pasted, small_examples, want_examples
from pages.shared.drops import content_of
from pages.shared.frame import escape, plain
from pages.shared.navigation import FILES, TITLES, ensure_app, go_to, on_stage, switch_page
from pages.shared.place import where_added_pictures_go, where_asked_pictures_go
from pages.shared.stage.deck import Slide, show_slides
from pages.shared.state import want_own_pictures

TAKEN_KEY = "start_taken"
SENTENCE = (
    "Learn and teach how pictures of malignant lymphoma are classified, and why so many published"
    " figures are too good."
)
# What each page is for, in the order of the menu.
PURPOSES = {
    "data": "What is in the pictures, and whose are they?",
    "split": "Which patients does the model never see?",
    "train": "How well does it learn? Watch the curves as it does.",
    "results": "How often is it right, and for whom? Each cell of the matrix opens its pictures.",
    "runs": "What has been tried, and what came of it?",
    "classify": "What does the model say about a new picture, and why?",
    "lessons": "What went wrong in published studies, and how would you have noticed?",
}
STYLES = Path(__file__).parent / "shared" / "start.css"


def page() -> None:
    if on_stage():
        show_slides("", [Slide("lymph", show_doors)])
        return
    st.title("lymph", anchor=False)
    show_doors()
    show_drawing()
    show_pages()


def show_doors() -> None:
    """Draw what lymph is, and the three doors into it."""
    st.html(STYLES)
    st.html(f'<div class="lymph-hero">{escape(SENTENCE)}</div>')
    drawings = st.container()
    drop, leak, own = st.columns(3, gap="medium")
    with drop.container(border=True, height="stretch", key="door_drop"):
        offer_drop()
    with leak.container(border=True, height="stretch", key="door_leak"):
        offer_leak()
    with own.container(border=True, height="stretch", key="door_own"):
        offer_own_pictures()
    # Last: the words and doors are there while they are drawn for the first time.
    with drawings:
        show_drawings()


def show_drawings() -> None:
    """Show one drawn picture of each class."""
    colours = class_colours(list(CLASS_NAMES))
    figures = "".join(
        f'<figure style="--edge:{colours[label]}"><img alt="Drawing of {escape(label)}"'
        f' src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
        f"<figcaption>{escape(label)}: {escape(CLASS_NAMES[label])}</figcaption></figure>"
        for label, jpeg in small_examples()
    )
    st.html(f'<div class="lymph-drawings">{figures}</div>')
    st.caption("Computer drawn, as is everything that lymph brings along.")


# ---- three doors -------------------------------------------------------------------------------


def offer_drop() -> None:
    st.header("Drop a picture", anchor=False)
    st.write("A small model that has learned from drawings answers at once, and shows why.")
    upload = st.file_uploader(
        "A picture to classify",
        type=sorted(suffix.lstrip(".") for suffix in SUFFIXES),
        key="start_drop",
    )
    # Whoever comes back finds the upload still there, and is not sent away again.
    if upload is not None and st.session_state.get(TAKEN_KEY) != upload.file_id:
        st.session_state[TAKEN_KEY] = upload.file_id
        keep_pasted(content_of(upload), upload.name)
        open_classify()
    if st.button("Try three drawn examples", key="start_examples"):
        want_examples()
        open_classify()
    st.caption(where_asked_pictures_go())


def open_classify() -> None:
    """Go to Classify, with the model that came with lymph unless it was deleted."""
    ready = runs.ready_run(HONEST)
    query = {"run": ready.id} if finished(ready) else {}
    switch_page(FILES["classify"], {"data": sources.DEMO_NAME, **query} if query else {})


def offer_leak() -> None:
    honest, leaky = runs.ready_run(HONEST), runs.ready_run(LEAKY)
    shares = [share_right(run) for run in (leaky, honest)]
    if None in shares:
        st.header("See how a leak inflates accuracy", anchor=False)
        st.write("Measure on the Split page what a random split would promise on your pictures.")
        if st.button("Open the leak meter", type="primary", key="start_meter"):
            go_to("split")
        return
    high, low = (plain(f"{100 * share:.0f} %") for share in shares if share is not None)
    st.header(f"See why {high} became {low}", anchor=False)
    st.write(
        "One network, one set of pictures. With pictures assigned at random to training and test,"
        f" it classifies {high} of the test pictures correctly; with each patient in one set"
        f" only, {low}."
    )
    if st.button("Show both side by side", type="primary", key="start_leak"):
        query = {"data": sources.DEMO_NAME, "run": leaky.id, "view": "twins"}
        switch_page(FILES["results"], query)
    st.caption("The results are already there; the pictures are drawn.")


def share_right(run: Run) -> float | None:
    """Return a finished run's accuracy on its test images; None where it is gone or damaged."""
    try:
        summary = record_of(run).summary
        return summary.judged["pictures"]["accuracy"] if summary else None
    except (LymphError, KeyError):
        return None


def finished(run: Run) -> bool:
    return share_right(run) is not None


def offer_own_pictures() -> None:
    st.header("Use my own folder", anchor=False)
    st.write(
        "One folder per class, folders of patients, or a table: lymph looks, says what it found,"
        " and tells whose pictures they are."
    )
    if st.button("Open a folder", type="primary", key="start_own"):
        want_own_pictures()
        go_to("data")
    st.caption(where_added_pictures_go())


# ---- below -------------------------------------------------------------------------------------


def show_drawing() -> None:
    """Follow the drawing of the demonstration set while it goes on."""
    if sources.demo_listed() and not sources.demo_ready():
        follow_drawing()


@st.fragment(run_every=1.0)
def follow_drawing() -> None:
    done, total = sources.demo_progress()
    if done < total:
        st.progress(done / total, f"Drawing the demonstration set: {done} of {total}")
    else:
        st.rerun()


def show_pages() -> None:
    st.header("What each page is for", anchor=False)
    with st.container(key="start_pages"):
        for name, purpose in PURPOSES.items():
            title, icon = TITLES[name]
            left, right = st.columns([1, 5], vertical_alignment="center")
            left.page_link(FILES[name], label=title, icon=icon)
            right.write(purpose)


ensure_app()
page()
