"""The confusion matrix as rectangles that answer a click."""

from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from lymph.charts.style import (
    EOSIN,
    EOSIN_PALE,
    HAEMATOXYLIN,
    HAEMATOXYLIN_PALE,
    ink_on,
    mix,
    whole_percent,
)

Mode = Literal["counts", "shares"]
SELECTION = "cell"


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
        ``counts``, or ``shares`` of the true class.
    dark : bool
        Whether the page is dark.

    Returns
    -------
    DataFrame
        Columns true, predicted, count, share, text, fill, ink. Right answers are filled with
        haematoxylin violet, wrong ones with eosin pink, the more the larger their share.
    """
    counts = np.asarray(matrix, dtype=np.int64).reshape(len(classes), len(classes))
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    ground = "#221F28" if dark else "#F5F3F7"
    right, wrong = (HAEMATOXYLIN_PALE, EOSIN_PALE) if dark else (HAEMATOXYLIN, EOSIN)
    rows = []
    for i, true in enumerate(classes):
        for j, predicted in enumerate(classes):
            count, share = int(counts[i, j]), float(shares[i, j])
            fill = mix(right if i == j else wrong, ground, share)
            rows.append(
                {
                    "true": true,
                    "predicted": predicted,
                    "count": count,
                    "share": share,
                    "text": str(count) if mode == "counts" else whole_percent(share),
                    "fill": fill,
                    "ink": ink_on(fill),
                }
            )
    return pd.DataFrame(rows)


def confusion_chart(
    matrix: np.ndarray,
    classes: Sequence[str],
    mode: Mode = "counts",
    dark: bool = False,
    unit: str = "pictures",
) -> alt.LayerChart:
    """Draw a confusion matrix whose cells can be selected by a click, their text included.

    Plotly's heatmap returns nothing for a click, so the cells are Altair rectangles. The selection
    is named ``cell`` and gives the fields ``true`` and ``predicted``.

    Parameters
    ----------
    matrix, classes, mode, dark
        As for :func:`confusion_cells`.
    unit : str
        What is counted: pictures or patients.
    """
    cells = confusion_cells(matrix, classes, mode, dark)
    chosen = alt.selection_point(name=SELECTION, fields=["true", "predicted"], toggle=False)
    names = list(classes)
    axis = {
        "labelFontSize": 14,
        "titleFontSize": 13,
        "ticks": False,
        "domain": False,
        "grid": False,
    }
    cells["words"] = [
        f"is {true}, called {predicted}: {count} of the {unit}"
        for true, predicted, count in cells[["true", "predicted", "count"]].to_numpy()
    ]
    base = alt.Chart(cells).encode(
        description="words:N",
        x=alt.X(
            "predicted:N",
            sort=names,
            title="what the model says",
            axis=alt.Axis(orient="top", labelAngle=0, **axis),
        ),
        y=alt.Y("true:N", sort=names, title="what it is", axis=alt.Axis(**axis)),
        tooltip=[
            alt.Tooltip("true:N", title="what it is"),
            alt.Tooltip("predicted:N", title="model says"),
            alt.Tooltip("count:Q", title=unit),
            alt.Tooltip("share:Q", title="share of the true class", format=".0%"),
        ],
    )
    edge = "#FFFFFF" if dark else "#000000"
    squares = (
        base.mark_rect(cornerRadius=4, cursor="pointer")
        .encode(
            color=alt.Color("fill:N", scale=None),
            stroke=alt.condition(chosen, alt.value(edge), alt.value("#00000000"), empty=False),
            strokeWidth=alt.value(3),
        )
        .add_params(chosen)
    )
    text = base.mark_text(fontSize=20, fontWeight=600, cursor="pointer").encode(
        text="text:N", color=alt.Color("ink:N", scale=None)
    )
    return (
        alt.layer(squares, text)
        .properties(height=88 * len(names) + 50, background="transparent")
        .configure_scale(bandPaddingInner=0.04)
        .configure_view(strokeWidth=0)
    )
