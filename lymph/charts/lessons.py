"""Charts of the lessons: plain figures in, one or two Plotly figures out."""

import math
from collections.abc import Callable, Mapping, Sequence

import plotly.graph_objects as go

from lymph.charts.lesson_chart import BROKEN, FIXED, HEIGHT, MARK, Figures, LessonChart
from lymph.charts.lesson_confidence import confidence_charts
from lymph.charts.lesson_control import control_charts
from lymph.charts.lesson_coverage import coverage_charts
from lymph.charts.lesson_patient_names import patient_names_charts
from lymph.charts.lesson_selection import selection_charts
from lymph.charts.names import written
from lymph.charts.style import height_of, quiet
from lymph.text import whole_percent


def _lines(lines: Mapping[str, tuple[Sequence[float], str, str]], first: int = 1) -> go.Figure:
    """Draw lines over the epochs, each named at its end; a line is its values, colour and dash."""
    figure = go.Figure()
    longest = max(len(values) for values, _, _ in lines.values())
    for name, (values, colour, dash) in lines.items():
        figure.add_scatter(
            x=list(range(first, first + len(values))),
            y=list(values),
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3},
            marker={"size": 7},
            cliponaxis=False,
            hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
        )
    quiet(figure, HEIGHT)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin_t=16,
    )
    step = 1 if longest <= 13 else 5
    figure.update_xaxes(title_text="epoch", dtick=step, tick0=0, showgrid=False)
    return figure


def _hundred(shares: Sequence[float]) -> list[float]:
    """Return shares in percent."""
    return [100 * share for share in shares]


def _mark(figure: go.Figure, y: float, text: str = "", place: str = "top left") -> None:
    """Draw a dashed line across at a height, with its meaning unless the title tells it."""
    # Plotly adds an annotation, "new text", as soon as any of its settings is given.
    words = {"text": text, "position": place, "font_color": MARK} if text else {}
    line = {"dash": "dash", "width": 1.5, "color": MARK}
    figure.add_hline(y=y, line=line, **{f"annotation_{name}": v for name, v in words.items()})


def _percent_axis(figure: go.Figure, top: float = 1.0) -> None:
    step = 0.25 if top <= 1.2 else 0.5
    ticks = [step * i for i in range(int(top / step) + 1)]
    figure.update_yaxes(
        range=[0, top * 1.06], tickvals=ticks, ticktext=[whole_percent(tick) for tick in ticks]
    )


def _bars(
    names: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    intervals: Sequence[Sequence[float]] | None = None,
) -> go.Figure:
    """Draw shares, 0 to 1, as bars; their values stand over them, or over their intervals."""
    figure = go.Figure(
        go.Bar(
            x=list(names),
            y=list(values),
            marker_color=list(colours),
            hovertemplate="%{x}: %{y:.0%}<extra></extra>",
        )
    )
    if intervals:
        figure.update_traces(
            error_y={
                "type": "data",
                "array": [high - v for (_, high), v in zip(intervals, values, strict=True)],
                "arrayminus": [v - low for (low, _), v in zip(intervals, values, strict=True)],
                "thickness": 2.5,
                "width": 10 if any(low < high for low, high in intervals) else 0,
                "color": MARK,
            },
        )
    figure.add_scatter(
        x=list(names),
        y=[high for _, high in intervals] if intervals else list(values),
        mode="text",
        text=[f"<b>{whole_percent(value)}</b>" for value in values],
        textposition="top center",
        textfont_size=20,
        cliponaxis=False,
        hoverinfo="skip",
    )
    quiet(figure, HEIGHT)
    figure.update_layout(bargap=0.45)
    figure.update_xaxes(showgrid=False, type="category")
    _percent_axis(figure)
    return figure


def _leak(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    sides = [figures[by]["test"] for by in ("picture", "patient")]
    figure = _bars(
        ["split by picture", "split by patient"],
        [side["accuracy"] for side in sides],
        [BROKEN, FIXED],
        [side["interval"] for side in sides],
    )
    _mark(figure, figures["baseline"])
    words = ", ".join(whole_percent(side["accuracy"]) for side in sides)
    title = "Test accuracy of the same model, with its 95 % interval; dashed: always the largest"
    title += " class"
    return [LessonChart(title, figure, f"{title}: by picture, by patient: {words}")]


def _stale(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    figure = _lines(
        {
            "old optimiser": (_hundred(figures["broken"]["distance"]), BROKEN, "solid"),
            "its own optimiser": (_hundred(figures["fixed"]["distance"]), FIXED, "solid"),
        },
        first=0,
    )
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %")
    title = "How far the model's parameters are from where they started"
    end = figures["fixed"]["distance"][-1]
    words = f"{title}: 0 % in every epoch with the old optimiser, {end:.0%} in the end with its own"
    return [LessonChart(title, figure, words)]


def _broadcast(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    figure = _lines(
        {
            "index against one-hot": (figures["broken"], BROKEN, "solid"),
            "index against index": (figures["fixed"], FIXED, "solid"),
        }
    )
    for key, colour in (("broken", BROKEN), ("fixed", FIXED)):
        epoch = figures[f"kept_{key}"]
        figure.add_scatter(
            x=[epoch], y=[figures[key][epoch - 1]], mode="markers", showlegend=False,
            marker={"symbol": "star", "size": 19, "color": colour},
            hovertemplate="kept as the best model<extra></extra>",
        )  # fmt: skip
    top = max(1.0, *figures["broken"])
    _percent_axis(figure, top)
    _mark(figure, 1.0, "all right", "bottom right")
    title = "Validation “accuracy” of the same epochs; ★ the epoch that is kept as the best"
    return [LessonChart(title, figure, f"{title}; the broken one reaches {top:.0%}")]


def _mode(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    names = {"broken": "train() once", "fixed": "train() each epoch"}
    moved = {
        names["broken"]: (_hundred(figures["broken"]["moved"]), BROKEN, "solid"),
        names["fixed"]: (_hundred(figures["fixed"]["moved"]), FIXED, "solid"),
    }
    accuracy = {
        names["broken"]: (figures["broken"]["val_accuracy"], BROKEN, "solid"),
        names["fixed"]: (figures["fixed"]["val_accuracy"], FIXED, "solid"),
    }
    statistics, curves = _lines(moved), _lines(accuracy)
    statistics.update_yaxes(rangemode="tozero", ticksuffix=" %")
    _percent_axis(curves)
    first = "How far the batch-norm statistics move in each epoch"
    second = f"Validation accuracy, {figures['pictures']} pictures, {figures['patients']} patients"
    return [
        LessonChart(first, statistics, f"{first}: not at all after epoch 1 with train() once"),
        LessonChart(second, curves, second),
    ]


def _class_weights(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    setting = figures["settings"][stop]
    names, colours = list(figures["classes"]), [classes[name] for name in figures["classes"]]
    weights = ", ".join(f"{n} {w:.3g}" for n, w in zip(names, setting["weights"], strict=True))
    titles = {"called": "Test pictures called", "recall": "Found of each class (recall)"}
    charts = []
    for key, title in titles.items():
        figure = _bars([written(name) for name in names], setting[key], colours)
        values = ", ".join(
            f"{n} {whole_percent(v)}" for n, v in zip(names, setting[key], strict=True)
        )
        charts.append(LessonChart(title, figure, f"{title} at weights {weights}: {values}"))
    return charts


def _freeze(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    ways = {
        "finetune_then_linear_probe": ("fine-tuning, then probe", BROKEN, "solid"),
        "linear_probe_then_finetune": ("probe, then fine-tuning", FIXED, "solid"),
        "drifting": ("probe, statistics running", BROKEN, "dot"),
        "frozen": ("probe, statistics kept", FIXED, "dot"),
    }
    figure = _lines(
        {
            name: (_hundred(figures[key]["drift"]), colour, dash)
            for key, (name, colour, dash) in ways.items()
        },
        first=0,
    )
    half = len(figures["frozen"]["phases"]) / 2
    figure.add_vline(x=half, line={"dash": "dash", "width": 1.5, "color": MARK})
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %")
    title = "How far the features have drifted from the pretrained ones; the phases change at the"
    title += " dashed line"
    return [LessonChart(title, figure, title)]


def _luck(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    figure = go.Figure()
    groups = {"the seed": ("seeds", BROKEN, "seed"), "the split": ("splits", FIXED, "split")}
    for place, (key, colour, what) in enumerate(groups.values()):
        attempts = figures[key]
        shift = [(i / max(1, len(attempts) - 1) - 0.5) * 0.5 for i in range(len(attempts))]
        tests = [attempt["test"] for attempt in attempts]
        figure.add_scatter(
            x=[place + s for s in shift],
            y=[test["accuracy"] for test in tests],
            mode="markers",
            marker={"size": 14, "color": colour, "opacity": 0.9},
            error_y={
                "type": "data",
                "array": [t["interval"][1] - t["accuracy"] for t in tests],
                "arrayminus": [t["accuracy"] - t["interval"][0] for t in tests],
                "thickness": 1.2,
                "width": 0,
                "color": MARK,
            },
            customdata=[attempt[what] + 1 for attempt in attempts],
            hovertemplate=f"{what} %{{customdata}}: %{{y:.0%}}<extra></extra>",
        )
    quiet(figure, HEIGHT)
    ticks = [
        f"{len(figures[k])} times, only<br>{name} changes" for name, (k, _, _) in groups.items()
    ]
    figure.update_xaxes(tickvals=[0, 1], ticktext=ticks, range=[-0.5, 1.5], showgrid=False)
    _percent_axis(figure)
    title = "Test accuracy of one and the same model, with 95 % intervals"
    return [LessonChart(title, figure, title), _needed(figures)]


def _needed(figures: Figures) -> LessonChart:
    differences = _hundred([difference for difference, _ in figures["needed"]])
    needed = [n for _, n in figures["needed"]]
    figure = go.Figure(
        go.Scatter(
            x=differences, y=needed, mode="lines+markers", line={"color": FIXED, "width": 3},
            marker_size=7, hovertemplate="%{x:.0f} points apart: %{y} patients<extra></extra>",
        )
    )  # fmt: skip
    quiet(figure, HEIGHT)
    here = figures["patients"]
    _mark(figure, here)
    # On a logarithmic axis a line takes the value and an annotation its logarithm.
    figure.add_annotation(
        x=0, xref="x domain", xanchor="left", y=math.log10(here), yanchor="bottom",
        showarrow=False, text=f"{here} patients, all that are here", font_color=MARK,
    )  # fmt: skip
    ticks = [10, 30, 100, 300, 1000]
    figure.update_yaxes(type="log", tickvals=ticks, title_text="patients for each model")
    figure.update_xaxes(
        ticksuffix=" %", title_text="true difference between the models", showgrid=False
    )
    title = "Patients needed to tell two models apart, from 45 % upwards"
    return LessonChart(title, figure, f"{title}: {needed[0]} at 5 points, {needed[-1]} at 40")


def _colour(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    known = figures["recognised"]
    patients = _bars(list(known), list(known.values()), [BROKEN, FIXED, FIXED, FIXED])
    _mark(patients, figures["chance"])
    scores = [figures["by_picture"], figures["by_patient"]]
    answer = _bars(
        ["folds by picture", "folds by patient"],
        [score["accuracy"] for score in scores],
        [BROKEN, FIXED],
        [score["interval"] for score in scores],
    )
    _mark(answer, figures["baseline"])
    first = "Patient told from the mean colour alone; dashed: always the largest patient"
    second = "Class told from it, with its 95 % interval; dashed: always the largest class"
    told = ", ".join(f"{name} {whole_percent(share)}" for name, share in known.items())
    return [LessonChart(first, patients, f"{first}: {told}"), LessonChart(second, answer, second)]


def _depth(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    looks = {
        "fifteen plain layers": ("plain", BROKEN, "solid"),
        "with He's weights": ("he", FIXED, "dot"),
        "residual": ("residual", FIXED, "solid"),
        "three layers": ("three", BROKEN, "dot"),
    }
    figure = _lines(
        {
            name: (figures[key]["gradients"][stop], colour, dash)
            for name, (key, colour, dash) in looks.items()
        }
    )
    figure.update_xaxes(title_text="layer, the first one left", dtick=2, tick0=1)
    figure.update_yaxes(type="log", exponentformat="power", title_text="length of the gradient")
    figure.update_traces(hovertemplate="layer %{x}: %{y:.2g}<extra></extra>")
    epochs = len(figures["plain"]["gradients"])
    title = f"Gradient that reaches each layer, epoch {stop % epochs + 1}"
    losses = _lines(
        {
            name: (figures[key]["train_loss"], colour, dash)
            for name, (key, colour, dash) in looks.items()
        }
    )
    _mark(losses, figures["ln_classes"])
    second = "Training loss; dashed: guessing"
    ends = ", ".join(
        f"{name} {figures[key]['train_loss'][-1]:.2f}" for name, (key, _, _) in looks.items()
    )
    words = f"{second}; after the last epoch: {ends}"
    return [LessonChart(title, figure, title), LessonChart(second, losses, words)]


def _set_type(figure: go.Figure, size: int) -> None:
    """Set every size of type: the page's theme would shrink those that are left open."""
    figure.update_layout(font_size=size, legend_font_size=size)
    figure.update_annotations(font_size=size)
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(tickfont_size=size, title_font_size=size)


CHARTS: dict[str, Callable[[Figures, Mapping[str, str], int], list[LessonChart]]] = {
    "leak": _leak,
    "stale-optimiser": _stale,
    "broadcast": _broadcast,
    "mode": _mode,
    "class-weights": _class_weights,
    "freeze": _freeze,
    "luck": _luck,
    "colour": _colour,
    "depth": _depth,
    "control": control_charts,
    "patient-names": patient_names_charts,
    "coverage": coverage_charts,
    "selection": selection_charts,
    "confidence": confidence_charts,
}


def lesson_charts(
    slug: str,
    figures: Figures,
    classes: Mapping[str, str] | None = None,
    stop: int = 0,
    large: bool = False,
) -> list[LessonChart]:
    """Draw the one or two charts that settle a lesson.

    Parameters
    ----------
    slug : str
        The lesson.
    figures : mapping
        What its ``run`` returned.
    classes : mapping, optional
        Class to colour, where classes are drawn.
    stop : int
        Place of the slider, for the lessons that have one.
    large : bool
        Type and height for a projector.
    """
    charts = CHARTS[slug](figures, classes or {}, stop)
    for chart in charts:
        _set_type(chart.figure, 20 if large else 14)
        if large:
            chart.figure.update_layout(height=round(1.2 * height_of(chart.figure)))
    return charts
