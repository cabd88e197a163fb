"""The confusion matrix as a table of buttons: one HTML for the page, the report and a file."""

import html
from collections.abc import Collection, Hashable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lymph.charts.names import breakable, longest_part
from lymph.charts.style import EOSIN, EOSIN_PALE, HAEMATOXYLIN, HAEMATOXYLIN_PALE, ink_on, mix
from lymph.text import whole_percent

Mode = Literal["counts", "of_true", "of_predicted"]
MODES: tuple[Mode, ...] = ("counts", "of_true", "of_predicted")
WHOLE = {"of_true": "of the true class", "of_predicted": "of what is called so"}

# Widths in rem: of a bold capital letter, and of a column of the narrowest table.
LETTER = 0.68
COLUMN = 3.5

MATRIX_CSS = Path(__file__).with_name("matrix.css").read_text(encoding="utf-8")


def confusion_cells(
    matrix: np.ndarray, classes: Sequence[str], mode: Mode = "counts", dark: bool = False
) -> pd.DataFrame:
    """Lay a confusion matrix out as one row a cell.

    Parameters
    ----------
    matrix : array, shape (K, K)
        Counts; rows are the true classes, columns the predicted ones.
    classes : sequence of str
        The K classes.
    mode : str
        ``counts``, shares ``of_true`` class (rows sum to 1) or ``of_predicted`` (columns do).
    dark : bool
        Whether the page is dark.

    Returns
    -------
    DataFrame
        Columns true, predicted, count, share, text, below, fill, ink. Right answers are filled
        with haematoxylin violet, wrong ones with eosin pink, the more the larger their share.
    """
    counts = _square(matrix, classes)
    shares = _shares(counts, mode)
    rows = []
    for i, true in enumerate(classes):
        for j, predicted in enumerate(classes):
            count, share = int(counts[i, j]), float(shares[i, j])
            words = (str(count), whole_percent(share))
            fill = _fill(i == j, share, dark)
            rows.append(
                {
                    "true": true,
                    "predicted": predicted,
                    "count": count,
                    "share": share,
                    "text": words[0 if mode == "counts" else 1],
                    "below": words[1 if mode == "counts" else 0],
                    "fill": fill,
                    "ink": ink_on(fill),
                }
            )
    return pd.DataFrame(rows)


def difference_cells(
    first: np.ndarray,
    second: np.ndarray,
    classes: Sequence[str],
    mode: Mode = "counts",
    dark: bool = False,
) -> pd.DataFrame:
    """Lay out what changes from one confusion matrix to another, second minus first.

    Parameters
    ----------
    first, second : array, shape (K, K)
        Counts of two models on the same pictures.
    classes, mode, dark
        As for :func:`confusion_cells`.

    Returns
    -------
    DataFrame
        The columns of :func:`confusion_cells`; count and share are differences. A change for the
        better (more right, fewer wrong) is violet, one for the worse pink.
    """
    one, two = _square(first, classes), _square(second, classes)
    gap, share_gap = two - one, _shares(two, mode) - _shares(one, mode)
    rows = []
    for i, true in enumerate(classes):
        for j, predicted in enumerate(classes):
            count, share = int(gap[i, j]), float(share_gap[i, j])
            better = (share > 0) == (i == j)
            fill = _fill(better, min(1.0, 2 * abs(share)), dark)
            points, text = _signed(round(100 * share)) + " points", _signed(count)
            if mode != "counts":
                text, points = points, text
            row = {"true": true, "predicted": predicted, "count": count, "share": share}
            row |= {"text": text, "below": points, "fill": fill, "ink": ink_on(fill)}
            rows.append(row)
    return pd.DataFrame(rows)


def matrix_html(
    cells: pd.DataFrame,
    classes: Sequence[str],
    unit: str = "pictures",
    mode: Mode = "counts",
    chosen: tuple[str, str] | None = None,
    dark: bool = False,
    holding: Collection[tuple[str, str]] = (),
) -> str:
    """Write a matrix as an HTML table whose every cell is a button.

    Parameters
    ----------
    cells : DataFrame
        From :func:`confusion_cells` or :func:`difference_cells`.
    classes : sequence of str
        The K classes.
    unit : str
        What is counted: pictures or patients.
    mode : str
        As for the cells.
    chosen : (true, predicted), optional
        The cell that is pressed.
    dark : bool
        Whether the page is dark.
    holding : collection of (true, predicted)
        The cells that hold pictures chosen elsewhere: they get an edge.

    Returns
    -------
    str
        HTML without scripts, to be styled by ``MATRIX_CSS``. Each cell carries ``data-true`` and
        ``data-predicted``; names are escaped.
    """
    names = [breakable(str(name)) for name in classes]
    width, kind, head = _room(classes)
    grid = cells["count"].to_numpy().reshape(len(names), len(names))
    heads = "".join(f'<th scope="col"><span class="{head}">{name}</span></th>' for name in names)
    rows = []
    for i, name in enumerate(names):
        own = cells.iloc[i * len(names) : (i + 1) * len(names)]
        body = "".join(
            _cell_html(cell, unit, mode, chosen, holding) for cell in own.to_dict("records")
        )
        total = f'<td class="total">{_number(grid[i].sum())}</td>'
        rows.append(f'<tr><th scope="row" class="rows">{name}</th>{body}{total}</tr>')
    sums = "".join(f'<td class="total">{_number(n)}</td>' for n in grid.sum(axis=0))
    edge = "#FFFFFF" if dark else "#000000"
    return (
        f'<div class="lymph-matrix-frame" style="--edge:{edge}"><table class="lymph-matrix{kind}" '
        f'style="--classes:{len(names)};--rows:{width:.1f}rem" '
        f'aria-label="Confusion matrix of {unit}">'
        f'<thead><tr><td class="rows"></td><th class="axis" colspan="{len(names)}">what the model '
        f'says</th><td class="total"></td></tr><tr><th class="axis rows">what it is</th>{heads}'
        f'<th class="total">all</th></tr></thead><tbody>{"".join(rows)}</tbody>'
        f'<tfoot><tr><th class="total rows">all</th>{sums}'
        f'<td class="total">{_number(grid.sum())}</td></tr>'
        "</tfoot></table></div>"
    )


def _room(classes: Sequence[str]) -> tuple[float, str, str]:
    """Return the width of the rows' names in rem, the kind of table, and that of its headings.

    A heading stands upright where its longest part would not fit into a column: always, or, by a
    container query, on a narrow page.
    """
    part = LETTER * longest_part(classes) + 0.7
    width = min(11.0, max(5.2, part))
    kind = (" many" if len(classes) > 8 else "") + (" long" if part > COLUMN else "")
    upright = part > COLUMN and width + 3.2 + len(classes) * (part + 0.2) > 34
    return width, kind, "head sideways" if upright else "head"


def _cell_html(
    cell: dict[Hashable, Any],
    unit: str,
    mode: Mode,
    chosen: tuple[str, str] | None,
    holding: Collection[tuple[str, str]],
) -> str:
    true, predicted = (html.escape(str(cell[name])) for name in ("true", "predicted"))
    pressed = chosen == (cell["true"], cell["predicted"])
    whole = WHOLE.get(mode, WHOLE["of_true"])
    main, below = cell["text"], cell["below"]
    amount = f"{main} {unit}, {below} {whole}" if mode == "counts" else f"{main} {whole}, {below}"
    holds = (cell["true"], cell["predicted"]) in holding
    kind = f"cell{' right' if true == predicted else ''}{' holds' if holds else ''}"
    amount += ", with chosen pictures" if holds else ""
    return (
        f'<td class="{kind}" data-true="{true}" data-predicted="{predicted}" '
        f'style="--ink:{cell["ink"]}">'
        f'<button type="button" aria-pressed="{str(pressed).lower()}" '
        f'aria-label="is {true}, called {predicted}: {amount}" '
        f'style="background:{cell["fill"]};color:{cell["ink"]}">'
        f"<span><b>{main}</b><small>{below}</small></span></button></td>"
    )


def _number(value: int) -> str:
    return str(value).replace("-", "−")


def _signed(value: int) -> str:
    return f"+{value}" if value > 0 else _number(value)


def _square(matrix: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    return np.asarray(matrix, dtype=np.int64).reshape(len(classes), len(classes))


def _shares(counts: np.ndarray, mode: Mode) -> np.ndarray:
    totals = counts.sum(axis=0 if mode == "of_predicted" else 1, keepdims=True)
    totals = np.broadcast_to(totals, counts.shape)
    return np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)


def _fill(good: bool, share: float, dark: bool) -> str:
    ground = "#221F28" if dark else "#F5F3F7"
    right, wrong = (HAEMATOXYLIN_PALE, EOSIN_PALE) if dark else (HAEMATOXYLIN, EOSIN)
    return mix(right if good else wrong, ground, share)
