"""Learning curves: what happened epoch by epoch."""

from collections.abc import Sequence
from typing import Literal, Protocol

import pandas as pd
import plotly.graph_objects as go

from lymph.charts.style import HAEMATOXYLIN_PALE, PINK_LINE, VIOLET_LINE, percent_axis, quiet
from lymph.text import PHASE_TITLES

Quantity = Literal["loss", "accuracy"]
QUANTITIES: tuple[Quantity, ...] = ("loss", "accuracy")
MOST_MARKS = 60


class PhaseLike(Protocol):
    """What is needed of a phase: its name and how many epochs it takes."""

    @property
    def name(self) -> str:
        """Return what the phase is called."""

    @property
    def epochs(self) -> int:
        """Return how many epochs it takes."""


def learning_curves(
    metrics: pd.DataFrame,
    phases: Sequence[PhaseLike],
    quantity: Quantity = "loss",
    best_epoch: int | None = None,
) -> go.Figure:
    """Draw loss or accuracy over the epochs, for training and validation pictures.

    Parameters
    ----------
    metrics : DataFrame
        Columns ``epoch``, ``train_<quantity>`` and ``val_<quantity>``; may be empty.
    phases : sequence
        The phases planned, each with ``name`` and ``epochs``; marked where there are several.
    quantity : str
        ``loss`` (mean cross-entropy a picture) or ``accuracy`` (0 to 1).
    best_epoch : int, optional
        The epoch whose model is kept.
    """
    figure = go.Figure()
    total = sum(phase.epochs for phase in phases) or int(metrics["epoch"].max())
    _mark_phases(figure, phases)
    _line(figure, metrics, f"train_{quantity}", "train", VIOLET_LINE, "solid")
    _line(figure, metrics, f"val_{quantity}", "validation", PINK_LINE, "dot")
    _name_lines(figure, metrics, quantity)
    if best_epoch is not None and best_epoch in set(metrics["epoch"]):
        _mark_best(figure, metrics, f"val_{quantity}", best_epoch, total)
    quiet(figure, 300)
    whole = total <= 15
    figure.update_xaxes(
        title_text="epoch", range=[0.6, total + 0.4], dtick=1 if whole else None, showgrid=False
    )
    if quantity == "accuracy":
        percent_axis(figure)
    else:
        figure.update_yaxes(rangemode="tozero")
    figure.update_layout(margin={"r": 76, "t": 52})
    return figure


def _line(
    figure: go.Figure, metrics: pd.DataFrame, column: str, name: str, colour: str, dash: str
) -> None:
    figure.add_scatter(
        x=metrics["epoch"],
        y=metrics[column],
        name=name,
        # Hundreds of marks are no longer told apart, and drawing them costs the run its processor.
        mode="lines+markers" if len(metrics) <= MOST_MARKS else "lines",
        line={"color": colour, "dash": dash, "width": 2.5},
        marker={"size": 6, "symbol": "circle" if name == "train" else "diamond"},
        hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
    )


def _name_lines(figure: go.Figure, metrics: pd.DataFrame, quantity: Quantity) -> None:
    """Write each line's name at its end, the upper one higher so that they never overlap."""
    columns = {"train": f"train_{quantity}", "validation": f"val_{quantity}"}
    ends = {name: metrics[column].dropna() for name, column in columns.items()}
    ends = {name: values for name, values in ends.items() if len(values)}
    order = sorted(ends, key=lambda name: ends[name].iloc[-1])
    for place, name in enumerate(order):
        figure.add_annotation(
            x=metrics.loc[ends[name].index[-1], "epoch"],
            y=ends[name].iloc[-1],
            text=name,
            showarrow=False,
            xanchor="left",
            xshift=8,
            yshift=9 if place else -9,
            font_color=VIOLET_LINE if name == "train" else PINK_LINE,
            font_weight="bold",
        )


def _mark_phases(figure: go.Figure, phases: Sequence[PhaseLike]) -> None:
    if len(phases) < 2:
        return
    start = 0.5
    for number, phase in enumerate(phases):
        end = start + phase.epochs
        figure.add_vrect(
            x0=start,
            x1=end,
            fillcolor=HAEMATOXYLIN_PALE,
            opacity=0.22 if number % 2 else 0.08,
            line_width=0,
            layer="below",
            name=phase.name,
        )
        figure.add_annotation(
            x=(start + end) / 2,
            y=1.1,
            yanchor="bottom",
            yref="paper",
            showarrow=False,
            text=f"{PHASE_TITLES.get(phase.name, phase.name)}, {phase.epochs} epochs",
        )
        start = end


def _mark_best(
    figure: go.Figure, metrics: pd.DataFrame, column: str, epoch: int, total: int
) -> None:
    value = metrics.loc[metrics["epoch"] == epoch, column].iloc[0]
    early = epoch <= total / 2
    figure.add_scatter(
        x=[epoch],
        y=[value],
        name="best",
        mode="markers",
        marker={
            "size": 15,
            "symbol": "circle-open",
            "color": PINK_LINE,
            "line": {"width": 2.5, "color": PINK_LINE},
        },
        hovertemplate=f"Epoch {epoch} is kept: %{{y:.3g}}<extra></extra>",
    )
    figure.add_annotation(
        x=epoch,
        y=1.0,
        yref="paper",
        showarrow=False,
        text=f"epoch {epoch} is kept",
        yanchor="bottom",
        xanchor="left" if early else "right",
        xshift=5 if early else -5,
    )
    figure.add_vline(x=epoch, line={"width": 1, "dash": "dot", "color": "grey"})
