"""Charts of how good a model is: curves against chance, reliability, and runs laid side by side."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from lymph.charts.names import written
from lymph.charts.style import GRID, PINK_LINE, VIOLET_LINE, quiet
from lymph.text import whole_percent

CurveKind = Literal["roc", "precision_recall"]
DASHES = ("solid", "dash", "dot", "dashdot")
# Letters of a run's name in a legend.
MOST_LETTERS = 120
TICKS = [0, 0.25, 0.5, 0.75, 1]
AXES = {
    "roc": ("false positive rate: share of the other classes", "recall: share of the class found"),
    "precision_recall": (
        "recall: share of the class found",
        "precision: share of calls that are correct",
    ),
}


def class_curves(
    curves: Mapping[str, pd.DataFrame],
    kind: CurveKind,
    colours: Mapping[str, str],
    notes: Mapping[str, str],
) -> go.Figure:
    """Draw the ROC or the precision-recall curve of each class against the others.

    Parameters
    ----------
    curves : mapping
        Class to the table of `lymph.evaluation.curve`.
    kind : str
        ``roc`` or ``precision_recall``.
    colours : mapping
        Class to colour.
    notes : mapping
        Class to what is written beside its line, such as its area.
    """
    figure = go.Figure()
    if kind == "roc":
        line = {"color": "grey", "width": 1, "dash": "dot"}
        figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip")
        figure.add_annotation(x=0.72, y=0.66, text="guessing", showarrow=False, font_color="grey")
    for place, (name, table) in enumerate(curves.items()):
        x, y = _points(table, kind)
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            mode="lines",
            line={
                "color": colours[name],
                "width": 2.5,
                "dash": DASHES[place % len(DASHES)],
                # A precision holds from its threshold to the next; nothing lies between.
                "shape": "linear" if kind == "roc" else "vh",
            },
            hovertemplate=f"{written(name)}: %{{x:.0%}}, %{{y:.0%}}<extra></extra>",
        )
    _square_axes(figure, *AXES[kind])
    _key(figure, notes, colours)
    return figure


def _points(table: pd.DataFrame, kind: CurveKind) -> tuple[list[float], list[float]]:
    if kind == "roc":
        return [0.0, *table["alarms"]], [0.0, *table["found"]]
    first = table["precision"].iloc[0] if len(table) else 1.0
    return [0.0, *table["found"]], [first, *table["precision"]]


def _key(figure: go.Figure, notes: Mapping[str, str], colours: Mapping[str, str]) -> None:
    """Write the classes with their marks below the plot, where no curve can hide them."""
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        legend_font_size=13,
        margin_b=40 + 22 * len(colours),
    )
    figure.for_each_trace(lambda trace: _name_in_key(trace, notes))


def _name_in_key(trace: go.Scatter, notes: Mapping[str, str]) -> None:
    name = trace["name"]
    trace.update(showlegend=name in notes)
    if name in notes:
        trace.update(name=f"{written(name)}  {notes[name]}")


def _square_axes(figure: go.Figure, across: str, up: str) -> None:
    quiet(figure, 440)
    words = [whole_percent(tick) for tick in TICKS]
    for update, title in ((figure.update_xaxes, across), (figure.update_yaxes, up)):
        update(range=[-0.02, 1.03], tickvals=TICKS, ticktext=words, title_text=title)


def reliability_chart(tables: Mapping[str, pd.DataFrame], unit: str = "pictures") -> go.Figure:
    """Draw how often a model is right beside how sure it was.

    Parameters
    ----------
    tables : mapping
        Name to the table of `lymph.evaluation.reliability_table`; one, or two where a temperature
        was applied.
    unit : str
        What is counted.
    """
    figure = go.Figure()
    line = {"color": "grey", "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip")
    figure.add_annotation(
        x=0.3, y=0.36, text="as sure as right", showarrow=False, font_color="grey"
    )
    styles = zip(tables.items(), (VIOLET_LINE, PINK_LINE), ("circle", "diamond"), strict=False)
    for (name, table), colour, symbol in styles:
        rows = table[table["pictures"] > 0]
        sizes = 9 + 26 * (rows["pictures"] / max(1, rows["pictures"].sum())) ** 0.5
        figure.add_scatter(
            x=rows["confidence"],
            y=rows["accuracy"],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": "solid" if symbol == "circle" else "dot"},
            marker={"size": sizes, "symbol": symbol, "opacity": 0.85},
            customdata=rows["pictures"],
            cliponaxis=False,
            hovertemplate=f"{name}: sure %{{x:.0%}}, right %{{y:.0%}}, %{{customdata}} {unit}"
            "<extra></extra>",
        )
    _square_axes(figure, "mean probability of the answer", "share classified correctly")
    figure.update_layout(showlegend=len(tables) > 1)
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0})
    figure.data[0].showlegend = False
    return figure


def intervals_chart(rows: pd.DataFrame) -> go.Figure:
    """Draw accuracies with their intervals under one another, leaky ones marked.

    Parameters
    ----------
    rows : DataFrame
        Columns name, low, value, high (shares, 0 to 1; low and high may be NaN), leaks (bool), own
        (bool: measured here) and words (what is written at the end of the row).
    """
    figure = go.Figure()
    for row in rows.to_dict("records"):
        colour = VIOLET_LINE if row["own"] else "grey"
        symbol = "x" if row["leaks"] else "circle"
        if row["low"] == row["low"]:
            ends = {"x": [row["low"], row["high"]], "y": [row["name"]] * 2}
            line = {"color": colour, "width": 4 if row["own"] else 2}
            figure.add_scatter(**ends, mode="lines", line=line, hoverinfo="skip")
        figure.add_scatter(
            x=[row["value"]],
            y=[row["name"]],
            mode="markers",
            marker={"size": 13, "color": PINK_LINE if row["leaks"] else colour, "symbol": symbol},
            hovertemplate=f"{written(row['words'], 400)}<extra></extra>",
        )
    quiet(figure, 34 * len(rows) + 80)
    figure.update_xaxes(range=[0, 1.02], tickvals=TICKS, gridcolor=GRID, title_text="accuracy")
    figure.update_xaxes(ticktext=[whole_percent(tick) for tick in TICKS])
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def overlaid_curves(runs: Mapping[str, pd.DataFrame], colours: Sequence[str]) -> go.Figure:
    """Draw the validation loss of several runs over the epochs, training loss thin behind it.

    Parameters
    ----------
    runs : mapping
        Name to metrics: columns epoch, train_loss, val_loss; folds of a cross-validation are
        averaged.
    colours : sequence of str
        One colour a run, repeated where there are more.
    """
    figure = go.Figure()
    for place, (name, metrics) in enumerate(runs.items()):
        table = metrics.groupby("epoch")[["train_loss", "val_loss"]].mean()
        colour = colours[place % len(colours)]
        for column, width, dash in (("train_loss", 1.2, "dot"), ("val_loss", 2.8, "solid")):
            figure.add_scatter(
                x=table.index,
                y=table[column],
                name=written(name, MOST_LETTERS),
                mode="lines+markers" if column == "val_loss" else "lines",
                line={"color": colour, "width": width, "dash": dash},
                marker={"symbol": place % 8, "size": 8},
                showlegend=column == "val_loss",
                hovertemplate=f"{column.replace('_', ' ')}, epoch %{{x}}: %{{y:.3g}}"
                "<extra></extra>",
            )
    quiet(figure, 380)
    figure.update_layout(showlegend=True, margin_b=40 + 22 * len(runs))
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0})
    last = max((int(metrics["epoch"].max()) for metrics in runs.values()), default=1)
    figure.update_xaxes(title_text="epoch", dtick=1 if last <= 15 else None)
    figure.update_yaxes(title_text="loss: validation thick, training dotted", rangemode="tozero")
    return figure
