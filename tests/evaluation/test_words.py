"""Intervals in words: one writer, which never blames the number of patients."""

import numpy as np
import pandas as pd

from lymph.evaluation import (
    figure_text,
    interval_text,
    interval_words,
    make_predictions,
    percent_interval_text,
    report,
)
from lymph.evaluation.statement import lesson_of


def test_an_interval_is_written_in_percent_or_with_two_digits() -> None:
    """Whole percent where they differ, else a further digit."""
    assert interval_words((0.604, 0.796)) == "95 % interval 60 to 80 %"
    assert percent_interval_text((0.996, 1.0)) == "99.6 to 100.0 %"
    assert interval_text((0.5, 1.25)) == "0.50 to 1.25"
    assert interval_words(None) == "95 % interval cannot be given"


def test_no_interval_reads_as_one_without_width() -> None:
    """Regression: a narrow one read “100.0 to 100.0 %”, and a small one “0.00 to 0.00”."""
    assert percent_interval_text((0.99961, 0.99992)) == "99.96 to 99.99 %"
    assert interval_text((0.0011, 0.0042)) == "0.001 to 0.004"
    assert lesson_of(500, (0.99961, 0.99992)).endswith("cannot tell 99.96 % from 99.99 %.")


def test_nothing_is_not_below_zero() -> None:
    """Regression: a Brier skill score of -0.00 stood beside an interval with a true minus sign."""
    assert [figure_text(value) for value in (-0.001, -0.25, 0.25)] == ["0.00", "−0.25", "0.25"]
    assert interval_text((-0.001, 0.5)) == "0.00 to 0.50"


def test_a_faultless_model_of_many_patients_has_no_too_few_patients() -> None:
    """Regression: "too few patients for an interval" stood beside an interval of 72 patients."""
    people = [f"p{i}" for i in range(72)]
    rows = pd.DataFrame({"picture": people, "patient": people, "slide": people})
    rows = rows.assign(label=["A", "B"] * 36, set="test", fold="")
    sure = np.where(rows["label"].to_numpy()[:, None] == np.array(["A", "B"]), 0.9, 0.1)
    found = report(make_predictions(rows, sure, ["A", "B"]))
    told = [interval_words(found[level]["interval"]) for level in ("pictures", "patients")]
    assert all(words.startswith("95 % interval ") for words in told)
    assert not any("too few" in words for words in told)
    assert told[1] == "95 % interval 95 to 100 %"
    assert told[0] == "95 % interval 95 to 100 %"
    # An interval without width, as an older result may hold, would promise certainty.
    assert interval_words((1.0, 1.0)) == "95 % interval cannot be given"
    assert interval_text((1.0, 1.0)) == "cannot be given"
