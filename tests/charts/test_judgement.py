"""Charts of how good a model is show the tables' numbers and mark what leaks."""

import numpy as np
import pandas as pd

from lymph import charts
from lymph.evaluation import curve, reliability_table
from lymph.facts import class_colours

COLOURS = class_colours(["CLL", "FL", "MCL"])


def test_curves_start_at_nothing_and_end_at_everything(random_table) -> None:  # noqa: ANN001
    table = random_table()
    curves = {name: curve(table, name) for name in COLOURS}
    notes = dict.fromkeys(COLOURS, "0.80")
    roc = charts.class_curves(curves, "roc", COLOURS, notes)
    lines = [trace for trace in roc.data if trace.name in {f"{name}  0.80" for name in COLOURS}]
    assert len(lines) == 3
    for line in lines:
        assert (line.x[0], line.y[0]) == (0, 0) and (line.x[-1], line.y[-1]) == (1, 1)
    assert len({line.line.dash for line in lines}) == 3
    found = charts.class_curves(curves, "precision_recall", COLOURS, notes)
    assert all(trace.x[-1] == 1 for trace in found.data)


def test_reliability_shows_the_bins_that_hold_pictures(random_table) -> None:  # noqa: ANN001
    table = reliability_table(random_table())
    figure = charts.reliability_chart({"as it says": table})
    drawn = figure.data[1]
    assert len(drawn.x) == (table["pictures"] > 0).sum()
    assert np.all((np.array(drawn.y) >= 0) & (np.array(drawn.y) <= 1))


def test_a_leaky_figure_has_a_mark_of_its_own() -> None:
    rows = pd.DataFrame(
        {
            "name": ["this run", "leaky"],
            "value": [0.5, 0.98],
            "low": [0.3, None],
            "high": [0.7, None],
            "leaks": [False, True],
            "own": [True, False],
            "words": ["", ""],
        }
    )
    figure = charts.intervals_chart(rows)
    marks = [trace.marker.symbol for trace in figure.data if trace.mode == "markers"]
    assert marks == ["circle", "x"]
    assert sum(trace.mode == "lines" for trace in figure.data) == 1


def test_folds_are_averaged_where_runs_are_overlaid() -> None:
    metrics = pd.DataFrame(
        {"epoch": [1, 2, 1, 2], "train_loss": [1.0, 0.8, 2.0, 0.6], "val_loss": [1, 1, 3, 2]}
    )
    figure = charts.overlaid_curves({"A": metrics, "B": metrics[:2]}, ["#000000"])
    train, val = figure.data[:2]
    assert list(train.y) == [1.5, 0.7] and list(val.y) == [2, 1.5]
    assert [trace.name for trace in figure.data if trace.showlegend] == ["A", "B"]
