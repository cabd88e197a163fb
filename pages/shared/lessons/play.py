"""What can be tried in a lesson: the broadcast comparison, and pictures in four stains."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from lymph.data.pixels import shrink
from lymph.data.scan import usable
from lymph.lessons import arithmetic, colour_views
from pages.shared import loading
from pages.shared.frame import escape
from pages.shared.lessons.scene import Scene

PLAY_ROWS = 6
SHOWN = 3


def play_with_matrix(classes: list[str]) -> None:
    """Let someone change what the model says and see both accuracies follow."""
    st.header("Try it: change what the model says", anchor=False)
    truth = [classes[i % len(classes)] for i in range(PLAY_ROWS)]
    start = pd.DataFrame({"it is": truth, "the model says": classes[0]})
    left, right = st.columns([1, 1], gap="large")
    with left:
        choice = st.column_config.SelectboxColumn(options=classes, required=True)
        config = {str(column): choice for column in start}
        edited = st.data_editor(start, column_config=config, hide_index=True, key="lesson_matrix")
    labels, said = ([classes.index(name) for name in edited[c]] for c in start)
    with right:
        st.html(matrix_table(said, labels, classes))
    broken = arithmetic.broadcast_accuracy(said, labels, len(classes))
    true = sum(a == b for a, b in zip(said, labels, strict=True)) / PLAY_ROWS
    hits = round(broken * PLAY_ROWS)
    with st.grid(2, min_column_width=170, key="lesson_play_numbers"):
        st.metric("Broken", f"{100 * broken:.1f} %", f"{hits} matches / {PLAY_ROWS} pictures",
                  delta_color="off", delta_arrow="off")  # fmt: skip
        st.metric("Fixed", f"{100 * true:.1f} %", f"{round(true * PLAY_ROWS)} correct",
                  delta_color="off", delta_arrow="off")  # fmt: skip


def matrix_table(said: list[int], labels: list[int], classes: list[str]) -> str:
    """Return the comparison of every prediction with the row of its label, as HTML."""
    matches = arithmetic.broadcast_matrix(said, labels, len(classes))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = []
    for number, label, hits in zip(said, labels, matches, strict=True):
        cells = "".join(
            f'<td class="{"hit" if hit else ""}">{int(place == label)}</td>'
            for place, hit in enumerate(hits)
        )
        rows.append(f'<tr><td>{number}</td><td class="gap">=</td>{cells}</tr>')
    return (
        '<table class="lesson-table"><tr><th scope="col">says</th><td class="gap"></td>'
        f"{head}</tr>{''.join(rows)}</table>"
        "<small>Pink: the number on the left equals the 0 or 1, a “match”.</small>"
    )


def show_views(scene: Scene) -> None:
    """Show one picture of three patients as it is, grey, normalised and jittered."""
    table = usable(scene.table)
    st.header("One picture of three patients, four ways", anchor=False)
    rows = table.drop_duplicates("patient").groupby("label").head(1)
    if len(rows) < SHOWN:
        rows = table.drop_duplicates("patient")
    pictures = [view_pixels(scene.data_set.path, name) for name in rows["picture"].head(SHOWN)]
    # On a slide two views are side by side.
    homes = [*st.columns(2, gap="large"), *st.columns(2, gap="large")] if scene.stage else []
    for place, (name, view) in enumerate(colour_views.VIEWS.items()):
        home = homes[place] if homes else st.container()
        with home.container(key=f"lesson_view_{place}", gap="small"):
            st.caption(name)
            with st.grid(SHOWN, min_column_width=90, gap="small", key=f"lesson_view_grid_{place}"):
                for patient, pixels in zip(rows["patient"], pictures, strict=False):
                    changed = view(pixels[None])[0]
                    st.image(changed, width="stretch", alt=f"patient {patient}, {name}")


def view_pixels(root: Path, picture: str) -> np.ndarray:
    """Return a picture small enough to be changed at once, 312 x 416 x 3."""
    return shrink(loading.full_picture(str(root), picture), (312, 416), grey=False)
