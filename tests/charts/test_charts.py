"""Charts say what the tables say: numbers, colours and the cells that a click returns."""

import numpy as np
import pandas as pd
import pytest

from lymph import charts, splits
from lymph.charts.learning import learning_curves
from lymph.charts.style import mix
from lymph.facts import class_colours
from lymph.training.phases import Phase

COLOURS = class_colours(["CLL", "FL", "MCL"])


@pytest.fixture
def table() -> pd.DataFrame:
    """Return 12 pictures: CLL of patients a (3) and b (1), FL of c (6), MCL of d (2)."""
    rows = [("CLL", "a")] * 3 + [("CLL", "b")] + [("FL", "c")] * 6 + [("MCL", "d")] * 2
    table = pd.DataFrame(rows, columns=["label", "patient"])
    return table.assign(picture=[f"{i}.png" for i in range(len(table))])


@pytest.fixture
def metrics() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "train_loss": [1.1, 0.8, 0.5],
            "val_loss": [1.0, 0.9, 1.2],
            "train_accuracy": [0.3, 0.6, 0.9],
            "val_accuracy": [0.4, 0.5, 0.45],
        }
    )


def test_class_histogram_counts_each_class_in_its_colour(table: pd.DataFrame) -> None:
    bars = charts.class_histogram(table, COLOURS).data[0]
    assert list(bars.x) == ["CLL", "FL", "MCL"]
    assert list(bars.y) == [4, 6, 2]
    assert list(bars.marker.color) == ["#0072B2", "#E69F00", "#009E73"]
    assert bars.text[1] == "<b>6</b><br>50 %"


HOSTILE = "<a href='http://127.0.0.2'>x</a><b>&lt;%{x}&#58;"


def test_no_name_is_markup_in_a_chart() -> None:
    """Plotly takes tags, entities and %{} in every text: names come through as letters only."""
    rows = [(f"{HOSTILE}{label}", f"{HOSTILE}{n}") for label in "AB" for n in range(4)]
    table = pd.DataFrame(rows, columns=["label", "patient"])
    table["patient"] += table["label"].str[-1]
    table["picture"] = [f"{HOSTILE}{place}.png" for place in range(len(table))]
    colours = class_colours(sorted(set(table["label"])))
    table = table.assign(haematoxylin=range(8), eosin=range(8), predicted=table["label"])
    curve = pd.DataFrame({"found": [1.0], "alarms": [0.5], "precision": [0.5]})
    metrics = pd.DataFrame({"epoch": [1], "train_loss": [1.0], "val_loss": [1.0]})
    sides = splits.summary(table, splits.split_by_picture(table))
    own = {"name": "own", "low": 0.1, "value": 0.5, "high": 0.9, "leaks": False, "own": True}
    figures = [
        charts.class_histogram(table, colours),
        charts.pictures_per_patient(table, colours),
        charts.set_balance(sides, colours),
        charts.probability_bars(dict.fromkeys(colours, 0.5), colours),
        charts.embedding_chart(table, np.zeros((8, 2)), "class", colours),
        charts.embedding_chart(table, np.zeros((8, 2)), "patient", colours),
        charts.stain_map(table, colours),
        charts.stain_map(table, colours, by="patient"),
        *(
            charts.class_curves(dict.fromkeys(colours, curve), kind, colours, colours)
            for kind in ("roc", "precision_recall")
        ),
        charts.intervals_chart(pd.DataFrame([own | {"words": HOSTILE}])),
        charts.overlaid_curves({HOSTILE: metrics}, list(colours.values())),
    ]
    for figure in figures:
        told = figure.to_plotly_json()
        for trace in told["data"]:
            trace.pop("customdata", None)
            trace.pop("x", None) if "ticktext" in figure.layout.xaxis else None
        written = str([told["data"], [(a["text"]) for a in told["layout"].get("annotations", ())]])
        written += str(figure.layout.xaxis.ticktext)
        assert "<a" not in written and "%{x}&" not in written and "127.0.0.2" in written


def test_a_class_without_pictures_has_a_bar_of_nought(table: pd.DataFrame) -> None:
    only = table[table["label"] != "MCL"]
    assert list(charts.class_histogram(only, COLOURS).data[0].y) == [4, 6, 0]


def test_patients_are_sorted_by_class_and_then_by_pictures(table: pd.DataFrame) -> None:
    figure = charts.pictures_per_patient(table, COLOURS)
    assert [trace.name for trace in figure.data] == ["CLL", "FL", "MCL"]
    assert [list(trace.y) for trace in figure.data] == [[3, 1], [6], [2]]
    assert [trace.marker.color for trace in figure.data] == list(COLOURS.values())
    assert figure.data[0].customdata.tolist() == [["CLL", "a"], ["CLL", "b"]]
    assert list(figure.layout.xaxis.ticktext) == ["a", "b", "c", "d"]


def test_every_class_is_labelled_over_its_bars(table: pd.DataFrame) -> None:
    words = [note.text for note in charts.pictures_per_patient(table, COLOURS).layout.annotations]
    assert words == ["<b>CLL</b> 2 patients", "<b>FL</b> 1 patient", "<b>MCL</b> 1 patient"]


def test_set_balance_shows_shares_beside_the_whole(table: pd.DataFrame) -> None:
    sets = {"train": ["a", "c"], "val": [], "test": ["b", "d"]}
    summary = splits.summary(table, splits.Split("patient", 0, sets))
    figure = charts.set_balance(summary, COLOURS)
    cll = figure.data[0]
    assert list(cll.y) == ["All pictures", "Train", "Test"]
    assert list(cll.x) == pytest.approx([4 / 12, 3 / 9, 1 / 3])
    assert list(cll.customdata) == [4, 3, 1]
    shares = np.array([trace.x for trace in figure.data], dtype=float)
    assert shares.sum(axis=0) == pytest.approx(np.ones(3))


LONG = {f"0{i}_EMPTY_BACKGROUND": "#0072B2" for i in range(8)}


def test_long_names_stand_upright_and_leave_the_bars_their_room() -> None:
    """Regression: eight long names ran into each other over the bars of the patients."""
    rows = pd.DataFrame({"label": list(LONG) * 2, "patient": [f"p{i}" for i in range(16)]})
    figure = charts.pictures_per_patient(rows, LONG)
    assert {note.textangle for note in figure.layout.annotations} == {-90}
    assert figure.layout.annotations[0].text == "<b>00_EMPTY_BACKGROUND</b><br>2 patients"
    assert figure.layout.height - figure.layout.margin.t == 300 - 28
    bars = charts.class_histogram(rows, LONG)
    assert bars.layout.xaxis.tickangle == -90 and bars.layout.height > 300
    endless = {"x" * 90: "#0072B2"}
    figure = charts.class_histogram(rows.assign(label="x" * 90), endless)
    assert len(figure.layout.xaxis.ticktext[0]) == 24


def test_bars_without_room_for_names_leave_them_to_a_legend() -> None:
    """Regression: names shrank to a few pixels in the bars of the split."""
    assert charts.names_fit(COLOURS) and not charts.names_fit(LONG)
    parts = {"sets": {"train": {"classes": dict.fromkeys(LONG, 2)}}}
    assert set(charts.set_balance(parts, LONG).data[0].text) == {"12 %"}


def test_learning_curves_hold_both_sets(metrics: pd.DataFrame) -> None:
    figure = learning_curves(metrics, [Phase("finetune", 1, 5, 1e-3, 1e-3)], "loss")
    assert [trace.name for trace in figure.data] == ["train", "validation"]
    assert list(figure.data[1].y) == [1.0, 0.9, 1.2]
    assert figure.layout.xaxis.range == (0.6, 5.4)
    assert not figure.layout.shapes


def test_phases_are_marked_where_there_are_two(metrics: pd.DataFrame) -> None:
    phases = [Phase("finetune", 1, 5, 1e-3, 1e-4), Phase("linear_probe", 6, 5, 1e-3, 0.0)]
    figure = learning_curves(metrics, phases, "accuracy")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.5, 5.5), (5.5, 10.5)]
    words = [note.text for note in figure.layout.annotations]
    assert "fine-tuning, 5 epochs" in words
    assert "linear probe, 5 epochs" in words
    assert figure.layout.yaxis.range == (0, 1.03)


def test_the_epoch_that_is_kept_is_marked(metrics: pd.DataFrame) -> None:
    figure = learning_curves(metrics, [Phase("finetune", 1, 3, 1e-3, 1e-3)], "loss", best_epoch=2)
    best = next(trace for trace in figure.data if trace.name == "best")
    assert (best.x[0], best.y[0]) == (2, 0.9)
    assert any("epoch 2 is kept" in note.text for note in figure.layout.annotations)


def test_learning_curves_wait_for_the_first_epoch(metrics: pd.DataFrame) -> None:
    figure = learning_curves(metrics.iloc[:0], [Phase("finetune", 1, 4, 1e-3, 1e-3)], "loss", 0)
    assert figure.layout.xaxis.range == (0.6, 4.4)


def test_the_most_probable_class_is_drawn_full() -> None:
    figure = charts.probability_bars({"CLL": 0.2, "FL": 0.795, "MCL": 0.005}, COLOURS)
    bars = figure.data[0]
    assert list(bars.marker.opacity) == [0.55, 1.0, 0.55]
    assert list(bars.text) == ["20 %", "<b>80 %</b>", "< 1 %"]
    assert list(bars.marker.color) == list(COLOURS.values())


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "< 1 %"), (0.5, "50 %"), (0.996, "> 99 %"), (0.01, "1 %")]
)
def test_probabilities_pretend_to_no_certainty(share: float, words: str) -> None:
    assert charts.percent(share) == words


def test_mixing_ends_at_both_colours() -> None:
    assert mix("#102030", "#FFFFFF", 1.0) == "#102030"
    assert mix("#102030", "#FFFFFF", 0.0) == "#FFFFFF"


def test_figures_have_no_ground_of_their_own(table: pd.DataFrame) -> None:
    figure = charts.class_histogram(table, COLOURS)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_a_chosen_bar_stands_out_and_answers_clicks(table: pd.DataFrame) -> None:
    """The others are pale, and every bar says in customdata what it stands for.

    Regression: Plotly failed in a selection on bars with text whose dimming was not given, and a
    second click was lost.
    """
    figure = charts.class_histogram(table, COLOURS, "FL")
    assert list(figure.data[0].marker.opacity) == [0.3, 1.0, 0.3]
    assert [list(row) for row in figure.data[0].customdata] == [["CLL"], ["FL"], ["MCL"]]
    figures = [
        figure,
        charts.pictures_per_patient(table, COLOURS, "c"),
        charts.kinds_histogram(pd.Series(["a", "a", "b"])),
    ]
    for trace in (trace for figure in figures for trace in figure.data):
        assert trace.selected.textfont.color and trace.unselected.textfont.color


def test_slides_can_be_bars(table: pd.DataFrame) -> None:
    slides = table.assign(slide=[f"{p}-R{i % 2}" for i, p in enumerate(table["patient"])])
    figure = charts.pictures_per_patient(slides, COLOURS, by="slide")
    assert figure.data[0].customdata.tolist() == [["CLL", "a-R0"], ["CLL", "a-R1"], ["CLL", "b-R1"]]
    assert list(figure.data[0].y) == [2, 1, 1]


def test_of_thousands_of_patients_the_largest_are_drawn() -> None:
    sizes = [1 + i % 3 for i in range(900)]
    rows = [("A", f"p{i}") for i, size in enumerate(sizes) for _ in range(size)]
    many = pd.DataFrame(rows, columns=["label", "patient"])
    figure = charts.pictures_per_patient(many, {"A": "#0072B2"})
    assert len(figure.data[0].y) == 600 and min(figure.data[0].y) == 2
    assert figure.data[0].text is None


def test_kinds_of_files_are_counted() -> None:
    rows = pd.DataFrame({
        "picture": ["a/1.tif", "a/2.TIF", "b/3.png"],
        "width": [20, 20, 10],
        "height": [10, 10, 10],
        "mode": ["RGB", "RGB", "L"],
    })  # fmt: skip
    kinds = charts.kinds_of(rows)
    assert kinds.tolist() == ["20 x 10, RGB, tif", "20 x 10, RGB, tif", "10 x 10, L, png"]
    bars = charts.kinds_histogram(kinds, "10 x 10, L, png").data[0]
    assert list(bars.x) == [2, 1] and list(bars.marker.opacity) == [0.3, 1.0]


def test_balance_can_count_patients(table: pd.DataFrame) -> None:
    parts = {"sets": {"train": {"classes": {"CLL": 1, "FL": 1, "MCL": 0}}}}
    figure = charts.set_balance(parts, COLOURS, {"CLL": 2, "FL": 1, "MCL": 1}, "patients")
    assert list(figure.data[0].y) == ["All patients", "Train"]
    assert list(figure.data[0].x) == [0.5, 0.5]
    assert "patients" in figure.data[0].hovertemplate


@pytest.mark.parametrize("by", ["label", "patient"])
def test_the_stain_map_holds_every_picture_once(table: pd.DataFrame, by: str) -> None:
    points = table.assign(haematoxylin=np.arange(12.0), eosin=np.arange(12.0)[::-1])
    figure = charts.stain_map(points, COLOURS, "stain", by)
    held = [row[0] for trace in figure.data for row in trace.customdata]
    assert sorted(held) == sorted(table["picture"])
    assert [trace.name for trace in figure.data] == sorted(table[by].unique())
    names = sorted(note.text for note in figure.layout.annotations)
    assert names == (["<b>a</b>", "<b>b</b>", "<b>c</b>", "<b>d</b>"] if by == "patient" else [])


def test_patients_are_told_apart_by_colour_and_mark() -> None:
    names = [f"p{i:02}" for i in range(29)]
    points = pd.DataFrame({"picture": names, "label": "A", "patient": names, "hue": 1.0})
    figure = charts.stain_map(points.assign(brightness=2.0), {"A": "#000000"}, "hue", "patient")
    marks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(marks) == 29


def test_intensities_are_shares_of_the_pixels() -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[0, :, 0] = 200
    red, green, _ = charts.intensity_histogram(pixels).data
    assert (red.y[0], red.y[200], green.y[0]) == (0.75, 0.25, 1.0)
    (grey,) = charts.intensity_histogram(pixels[..., 0]).data
    assert grey.y[200] == 0.25


def test_a_zoomable_picture_keeps_its_shape() -> None:
    layout = charts.zoomable("data:image/png;base64,AA", 400, 300).layout
    assert layout.yaxis.scaleanchor == "x" and layout.yaxis.range == (300, 0)
    assert (layout.images[0].sizex, layout.images[0].sizey) == (400, 300)
    assert layout.xaxis.fixedrange is False


def test_names_in_the_stain_map_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    points = pd.DataFrame(
        {
            "picture": [f"{n}.png" for n in range(90)],
            "label": "A",
            "patient": [f"p{n // 3}" for n in range(90)],
            "haematoxylin": rng.normal(size=90),
            "eosin": rng.normal(size=90),
        }
    )
    points.loc[:2, ["haematoxylin", "eosin"]] = 9.0
    names = charts.stain_map(points, COLOURS, "stain", "patient").layout.annotations
    assert "<b>p0</b>" in {name.text for name in names}, "who stands apart is named"
    assert 3 < len(names) < 30
    spans = [points[axis].max() - points[axis].min() for axis in ("haematoxylin", "eosin")]
    for i, one in enumerate(names):
        for other in names[:i]:
            gaps = (abs(one.x - other.x) / spans[0], abs(one.y - other.y) / spans[1])
            assert gaps[0] >= 0.08 or gaps[1] >= 0.05


def test_leak_bars_show_means_seeds_and_intervals() -> None:
    part = {"accuracies": [0.8, 1.0], "mean": 0.9, "interval": [0.7, 0.95]}
    result = {"picture": part, "patient": {**part, "mean": 0.4, "interval": None}, "baseline": 0.3}
    figure = charts.leak_bars(result)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [bar.y[0] for bar in bars] == [0.9, 0.4]
    assert bars[0].error_y.array[0] == pytest.approx(0.05)
    assert bars[0].error_y.arrayminus[0] == pytest.approx(0.2)
    dots = [trace for trace in figure.data if trace.type == "scatter"]
    assert list(dots[0].y) == [0.8, 1.0]
    assert figure.layout.shapes[0].y0 == 0.3
    # The figure in a bar stands in its middle, below the whisker, however narrow the bar is.
    told = [note for note in figure.layout.annotations if note.text.startswith("<b>")]
    assert [note.x for note in told] == [0, 1]
    assert [note.y < bar.y[0] for note, bar in zip(told, bars, strict=True)] == [True, True]
    assert told[0].y < 0.7


def test_the_bars_of_probabilities_count_every_picture_once() -> None:
    """Each bar says in customdata what a click chooses; the chosen one alone stays strong."""
    rows = pd.DataFrame({"bar": [3, 3, 9, 9, 9], "right": [True, False, True, True, False]})
    figure = charts.sure_chart(rows, ("90", "wrong"))
    heights = {
        tuple(key): height
        for trace in figure.data
        for key, height in zip(trace.customdata, trace.y, strict=True)
    }
    assert len(heights) == 20 and sum(heights.values()) == 5
    assert heights[("90", "right")] == 2 and heights[("30", "wrong")] == 1
    strong = [
        tuple(key)
        for trace in figure.data
        for key, opacity in zip(trace.customdata, trace.marker.opacity, strict=True)
        if opacity == 1
    ]
    assert strong == [("90", "wrong")]
    assert figure.layout.xaxis.title.text == "probability of the answer, %"
    assert figure.layout.yaxis.title.text == "pictures"
