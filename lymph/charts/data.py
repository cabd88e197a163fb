"""Charts of the picture table and of a split."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from lymph.charts.names import shortened, written
from lymph.charts.style import VIOLET_LINE, height_of, ink_on, quiet
from lymph.text import SET_TITLES, whole_percent

# Bars that stand out from chosen ones, bars with names under them, and bars at all.
PALE = 0.3
FEW_BARS = 60
MOST_BARS = 600
# Letters of a name under a bar: more would leave no room for the bars.
MOST_LETTERS = 40

# Pixels: the mean letter of a chart's text, and the room in the charts on a page of usual width.
LETTER = 7.5
CLASS_CHART = 190
PATIENT_CHART = 640
SET_CHART = 600


def _stand_out(figure: go.Figure) -> go.Figure:
    """Let a click dim the other bars; Plotly fails on bars with text that do not say how."""
    return figure.update_traces(
        selected={"marker": {"opacity": 1.0}, "textfont": {"color": "grey"}},
        unselected={"marker": {"opacity": PALE}, "textfont": {"color": "grey"}},
    )


def _opacities(names: Iterable[str], chosen: str | None) -> list[float] | float:
    """Leave the chosen bar full and the others pale; all full when none is chosen."""
    return [1.0 if name == chosen else PALE for name in names] if chosen else 1.0


def class_histogram(
    table: pd.DataFrame, colours: Mapping[str, str], chosen: str | None = None
) -> go.Figure:
    """Draw how many pictures each class has.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    colours : mapping
        Class to colour; its order is the order of the bars.
    chosen : str, optional
        The class that stands out.

    Returns
    -------
    Figure
        One bar a class, labelled with its count and share; ``customdata`` is its class.
    """
    counts = table["label"].value_counts()
    heights = [int(counts.get(name, 0)) for name in colours]
    whole = max(1, sum(heights))
    figure = go.Figure(
        go.Bar(
            x=list(colours),
            y=heights,
            marker={"color": list(colours.values()), "opacity": _opacities(colours, chosen)},
            customdata=[[name] for name in colours],
            hovertext=[written(name) for name in colours],
            text=[f"<b>{n}</b><br>{whole_percent(n / whole)}" for n in heights],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{hovertext}: %{y} pictures<extra></extra>",
        )
    )
    names = [shortened(name) for name in colours]
    long = _too_wide(names, CLASS_CHART)
    quiet(figure, 300 + (LETTER * max(map(len, names)) if long else 0))
    figure.update_yaxes(visible=False, range=[0, 1.2 * max(heights, default=1)])
    figure.update_xaxes(
        type="category",
        tickvals=list(colours),
        ticktext=[written(name) for name in names],
        tickangle=-90 if long else 0,
        tickfont_size=14,
        showgrid=False,
    )
    return _stand_out(figure)


def _too_wide(texts: Iterable[str], width: int) -> bool:
    """Tell whether texts set side by side in columns of one width would run into each other."""
    lengths = [len(text) for text in texts]
    return len(lengths) * LETTER * max(lengths, default=0) > width


def patient_counts(table: pd.DataFrame, by: str = "patient") -> pd.DataFrame:
    """Count the pictures of every patient (or slide): columns label, patient, pictures."""
    counts = table.groupby(["label", by]).size().rename("pictures").reset_index()
    return counts.sort_values(["label", "pictures", by], ascending=[True, False, True]).reset_index(
        drop=True
    )


def pictures_per_patient(
    table: pd.DataFrame,
    colours: Mapping[str, str],
    chosen: str | None = None,
    by: Literal["patient", "slide"] = "patient",
) -> go.Figure:
    """Draw one bar a patient (or slide), coloured by class, the longest bar first in each.

    Parameters
    ----------
    table : DataFrame
        Picture table, sound pictures only.
    colours : mapping
        Class to colour.
    chosen : str, optional
        The patient (or slide) that stands out.
    by : str
        What a bar is.

    Returns
    -------
    Figure
        One trace a class; ``customdata`` of every bar is its class and patient. Of thousands the
        ``MOST_BARS`` largest are drawn.
    """
    counts = patient_counts(table, by)
    whole = len(counts)
    if whole > MOST_BARS:
        counts = counts.loc[counts["pictures"].nlargest(MOST_BARS).index.sort_values()]
        counts = counts.reset_index(drop=True)
    figure = go.Figure()
    for label, rows in counts.groupby("label", sort=True):
        figure.add_bar(
            x=rows.index,
            y=rows["pictures"],
            name=written(label),
            marker={"color": colours[str(label)], "opacity": _opacities(rows[by], chosen)},
            text=rows["pictures"] if whole <= FEW_BARS else None,
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            customdata=rows[["label", by]].to_numpy(),
            hovertext=[f"{written(label)}, {by} {written(name)}" for name in rows[by]],
            hovertemplate="%{hovertext}: %{y}<extra></extra>",
        )
    quiet(figure, 300)
    _name_groups(figure, counts, by)
    few = whole <= FEW_BARS
    figure.update_xaxes(
        tickvals=list(counts.index) if few else [],
        ticktext=[written(name, MOST_LETTERS) for name in counts[by]],
        tickangle=-90,
        tickfont_size=11,
        showgrid=False,
    )
    figure.update_yaxes(visible=False, range=[0, 1.12 * max(counts["pictures"], default=1)])
    return _stand_out(figure)


def _name_groups(figure: go.Figure, counts: pd.DataFrame, by: str) -> None:
    """Write every class over its bars with its number of patients; upright where names are long."""
    groups = [(str(label), rows) for label, rows in counts.groupby("label", sort=True)]
    people = [f"{len(rows)} {by if len(rows) == 1 else by + 's'}" for _, rows in groups]
    names = [shortened(label) for label, _ in groups]
    told = [f"{name} {count}" for name, count in zip(names, people, strict=True)]
    upright = _too_wide(told, PATIENT_CHART)
    for (_, rows), name, count in zip(groups, names, people, strict=True):
        figure.add_annotation(
            x=(rows.index[0] + rows.index[-1]) / 2,
            y=1.0 if upright else 1.06,
            yref="paper",
            yanchor="bottom" if upright else "auto",
            text=f"<b>{written(name)}</b>{'<br>' if upright else ' '}{count}",
            textangle=-90 if upright else 0,
            align="left",
            showarrow=False,
        )
    if upright:
        room = LETTER * max(len(text) for text in (*names, *people)) + 12
        figure.update_layout(margin_t=room, height=height_of(figure) + room - 28)


def kinds_of(table: pd.DataFrame) -> pd.Series:
    """Describe every picture's file: size, pixels and format, as ``1388 x 1040, RGB, tif``."""
    suffixes = table["picture"].str.rsplit(".", n=1).str[-1].str.lower()
    sizes = table["width"].astype(str) + " x " + table["height"].astype(str)
    return sizes + ", " + table["mode"].astype(str) + ", " + suffixes


def kinds_histogram(kinds: pd.Series, chosen: str | None = None) -> go.Figure:
    """Draw how many pictures are of each size and kind, the commonest first; at most ten.

    Returns
    -------
    Figure
        ``customdata`` of every bar is its kind.
    """
    counts = kinds.value_counts().head(10)
    names = [str(name) for name in counts.index]
    figure = go.Figure(
        go.Bar(
            y=names,
            x=counts.to_numpy(),
            orientation="h",
            marker={"color": VIOLET_LINE, "opacity": _opacities(names, chosen)},
            customdata=[[name] for name in names],
            text=counts.to_numpy(),
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x} pictures<extra></extra>",
        )
    )
    quiet(figure, 34 * len(names) + 24)
    figure.update_layout(margin={"t": 4, "r": 48})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return _stand_out(figure)


def set_balance(
    summary: Mapping[str, Any],
    colours: Mapping[str, str],
    whole: Mapping[str, int] | None = None,
    unit: str = "pictures",
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
    unit : str
        What is counted, for the words: pictures or patients.

    Returns
    -------
    Figure
        100 % bars, one trace a class; ``customdata`` holds the numbers of pictures. The classes
        are named in the bars where ``names_fit``.
    """
    sets = {SET_TITLES.get(name, name): part["classes"] for name, part in summary["sets"].items()}
    total = whole or {c: sum(part[c] for part in sets.values()) for c in colours}
    bars = {
        f"All {unit}": total,
        **{name: part for name, part in sets.items() if any(part.values())},
    }
    named = names_fit(colours)
    figure = go.Figure()
    for label, colour in colours.items():
        shares = [part[label] / sum(part.values()) for part in bars.values()]
        figure.add_bar(
            y=list(bars),
            x=shares,
            orientation="h",
            name=written(label),
            marker={"color": colour, "line": {"width": 1, "color": "rgba(128,128,128,0.6)"}},
            text=[_in_bar(label, share, named) for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont_color=ink_on(colour),
            customdata=[part[label] for part in bars.values()],
            hovertemplate=f"%{{y}}, {written(label)}: %{{customdata}} {unit} (%{{x:.0%}})"
            "<extra></extra>",
        )
    quiet(figure, 46 * len(bars) + 20)
    figure.update_layout(barmode="stack", margin_t=4)
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(autorange="reversed", tickfont_size=14, showgrid=False)
    return figure


def names_fit(names: Iterable[str]) -> bool:
    """Tell whether the bars of ``set_balance`` carry the classes' names; else a legend must."""
    return not _too_wide([f"{name} 100 %" for name in names], SET_CHART)


def _in_bar(label: str, share: float, named: bool) -> str:
    """Return what is written in a bar: nothing in a short one."""
    if share <= (0.12 if named else 0.08):
        return ""
    return f"{written(label)} {whole_percent(share)}" if named else whole_percent(share)
