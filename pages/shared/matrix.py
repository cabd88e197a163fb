"""The confusion matrix on a page: every cell is a button that reports its click."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lymph.charts import MATRIX_CSS, Mode, confusion_cells, difference_cells, matrix_html
from pages.shared.choice import Choice, toggle

# The whole cell answers, its rounded corners too, so the click is taken from the table cell. The
# pressed look comes at once; the pictures follow from the server. The focus stays for the keyboard.
SCRIPT = """
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector("#matrix");
  const cells = () => [...place.querySelectorAll("td.cell")];
  const focused = cells().findIndex((cell) => cell.contains(parentElement.activeElement));
  if (place.dataset.html !== data.html) {
    place.dataset.html = data.html;
    place.innerHTML = data.html;
    if (focused >= 0) cells()[focused]?.querySelector("button").focus({ preventScroll: true });
  }
  place.onclick = (event) => {
    const cell = event.target.closest("td.cell");
    if (!cell) return;
    const button = cell.querySelector("button");
    const pressed = button.getAttribute("aria-pressed") === "true";
    cells().forEach((c) => c.querySelector("button").setAttribute("aria-pressed", "false"));
    button.setAttribute("aria-pressed", String(!pressed));
    place.dataset.html = "";
    setTriggerValue("clicked", [cell.dataset.true, cell.dataset.predicted]);
  };
  return () => { place.onclick = null; };
}
"""
PAGE_CSS = """
#matrix {font-family: var(--st-font); color: var(--st-text-color);
  --ground: var(--st-background-color);}
"""

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
    chosen: Choice | None,
    key: str,
    run: str = "",
) -> None:
    """Draw a matrix; a click on a cell chooses it, a second click takes the choice off."""
    cells = confusion_cells(matrix, classes, mode, dark())
    _show(cells, classes, mode, unit, chosen, key, run)


def show_difference(
    first: np.ndarray,
    second: np.ndarray,
    classes: Sequence[str],
    mode: Mode,
    unit: str,
    chosen: Choice | None,
    key: str,
) -> None:
    """Draw what changes from the first matrix to the second."""
    cells = difference_cells(first, second, classes, mode, dark())
    _show(cells, classes, mode, unit, chosen, key, "")


def _show(
    cells: pd.DataFrame,
    classes: Sequence[str],
    mode: Mode,
    unit: str,
    chosen: Choice | None,
    key: str,
    run: str,
) -> None:
    pressed = chosen.cell if chosen is not None and chosen.run == run else None
    html = matrix_html(cells, classes, unit, mode, pressed, dark())
    _mount(data={"html": html}, key=key, on_clicked_change=_clicked(key, run))


def _clicked(key: str, run: str) -> Callable[[], None]:
    return partial(_choose, key, run)


def _choose(key: str, run: str) -> None:
    """Take the cell that a matrix reports."""
    clicked = st.session_state[key].clicked
    if clicked:
        toggle(Choice(tuple(str(name) for name in clicked), run))
