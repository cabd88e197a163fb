"""Charts of the picture table and of a split."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from lymph.charts.style import SET_TITLES, ink_on, quiet, whole_percent


def class_histogram(table: pd.DataFrame, colours: Mapping[str, str]) -> go.Figure:
    """Draw how many pictures each class has.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    colours : mapping
        Class to colour; its order is the order of the bars.

    Returns
    -------
    Figure
        One bar a class, labelled with its count and share.
    """
    counts = table["label"].value_counts()
    heights = [int(counts.get(name, 0)) for name in colours]
    whole = max(1, sum(heights))
    figure = go.Figure(
        go.Bar(
            x=list(colours),
            y=heights,
            marker_color=list(colours.values()),
            text=[f"<b>{n}</b><br>{whole_percent(n / whole)}" for n in heights],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y} pictures<extra></extra>",
        )
    )
    quiet(figure, 300)
    figure.update_yaxes(visible=False, range=[0, 1.2 * max(heights, default=1)])
    figure.update_xaxes(type="category", tickfont_size=14, showgrid=False)
    return figure


def patient_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count the pictures of every patient: columns label, patient, pictures; class by class."""
    counts = table.groupby(["label", "patient"]).size().rename("pictures").reset_index()
    return counts.sort_values(
        ["label", "pictures", "patient"], ascending=[True, False, True]
    ).reset_index(drop=True)


def pictures_per_patient(table: pd.DataFrame, colours: Mapping[str, str]) -> go.Figure:
    """Draw one bar a patient, coloured and sorted by class, the longest bar first in each.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    colours : mapping
        Class to colour.

    Returns
    -------
    Figure
        One trace a class; ``customdata`` of every bar is its class and patient.
    """
    counts = patient_counts(table)
    figure = go.Figure()
    for label, rows in counts.groupby("label", sort=True):
        figure.add_bar(
            x=rows.index,
            y=rows["pictures"],
            name=str(label),
            marker_color=colours[str(label)],
            text=rows["pictures"],
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            customdata=rows[["label", "patient"]].to_numpy(),
            hovertemplate="%{customdata[0]}, patient %{customdata[1]}: %{y}<extra></extra>",
        )
        figure.add_annotation(
            x=(rows.index[0] + rows.index[-1]) / 2,
            y=1.06,
            yref="paper",
            text=f"<b>{label}</b> {len(rows)} {'patient' if len(rows) == 1 else 'patients'}",
            showarrow=False,
        )
    quiet(figure, 300)
    few = len(counts) <= 60
    figure.update_xaxes(
        tickvals=list(counts.index) if few else [],
        ticktext=list(counts["patient"]),
        tickangle=-90,
        tickfont_size=11,
        showgrid=False,
    )
    figure.update_yaxes(visible=False, range=[0, 1.12 * max(counts["pictures"], default=1)])
    return figure


def set_balance(
    summary: Mapping[str, Any], colours: Mapping[str, str], whole: Mapping[str, int] | None = None
) -> go.Figure:
    """Draw the share of each class in every set, under the shares in the whole.

    Parameters
    ----------
    summary : mapping
        What ``lymph.splits.summary`` returns.
    colours : mapping
        Class to colour.
    whole : mapping, optional
        Pictures of each class in all the data; by default the sum over the sets.

    Returns
    -------
    Figure
        100 % bars, one trace a class; ``customdata`` holds the numbers of pictures.
    """
    sets = {SET_TITLES.get(name, name): part["classes"] for name, part in summary["sets"].items()}
    total = whole or {c: sum(part[c] for part in sets.values()) for c in colours}
    bars = {
        "All pictures": total,
        **{name: part for name, part in sets.items() if any(part.values())},
    }
    figure = go.Figure()
    for label, colour in colours.items():
        shares = [part[label] / sum(part.values()) for part in bars.values()]
        figure.add_bar(
            y=list(bars),
            x=shares,
            orientation="h",
            name=label,
            marker={"color": colour, "line": {"width": 1, "color": "rgba(128,128,128,0.6)"}},
            text=[f"{label} {whole_percent(share)}" if share > 0.12 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont_color=ink_on(colour),
            customdata=[part[label] for part in bars.values()],
            hovertemplate=f"%{{y}}, {label}: %{{customdata}} pictures (%{{x:.0%}})<extra></extra>",
        )
    quiet(figure, 46 * len(bars) + 20)
    figure.update_layout(barmode="stack", margin_t=4)
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(autorange="reversed", tickfont_size=14, showgrid=False)
    return figure
