"""The confusion matrix on a page: every cell is a button that reports its click."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lymph.charts import MATRIX_CSS, Mode, confusion_cells, difference_cells, matrix_html
from lymph.evaluation import Selection
from pages.shared.beside import text_beside
from pages.shared.results.choosing import toggle

PAGE_CSS = text_beside(__file__, "matrix.css")
SCRIPT = text_beside(__file__, "matrix.js")

_mount = st.components.v2.component(
    "lymph.matrix", html='<div id="matrix"></div>', css=MATRIX_CSS + PAGE_CSS, js=SCRIPT
)


def dark() -> bool:
    """Tell whether the page is dark."""
    return st.context.theme.type == "dark"


def show_matrix(
    matrix: np.ndarray,
    classes: Sequence[str],
    mode: Mode,
    unit: str,
    chosen: Selection | None,
    key: str,
    run: str = "",
    holding: Collection[tuple[str, str]] = (),
) -> None:
    """Draw a matrix; a click on a cell chooses it, a second click takes the choice off.

    ``holding`` names the cells that hold pictures chosen elsewhere.
    """
    cells = confusion_cells(matrix, classes, mode, dark())
    _show(cells, classes, mode, unit, chosen, key, run, holding)


def show_difference(
    first: np.ndarray,
    second: np.ndarray,
    classes: Sequence[str],
    mode: Mode,
    unit: str,
    chosen: Selection | None,
    key: str,
) -> None:
    """Draw what changes from the first matrix to the second."""
    cells = difference_cells(first, second, classes, mode, dark())
    _show(cells, classes, mode, unit, chosen, key, "", ())


def _show(
    cells: pd.DataFrame,
    classes: Sequence[str],
    mode: Mode,
    unit: str,
    chosen: Selection | None,
    key: str,
    run: str,
    holding: Collection[tuple[str, str]],
) -> None:
    pressed = chosen.cell if chosen is not None and chosen.run == run else None
    html = matrix_html(cells, classes, unit, mode, pressed, dark(), holding)
    _mount(data={"html": html}, key=key, on_clicked_change=_clicked(key, run))


def _clicked(key: str, run: str) -> Callable[[], None]:
    return partial(_choose, key, run)


def _choose(key: str, run: str) -> None:
    """Take the cell that a matrix reports."""
    clicked = st.session_state[key].clicked
    if clicked:
        toggle(Selection("cell", tuple(str(name) for name in clicked), run))
