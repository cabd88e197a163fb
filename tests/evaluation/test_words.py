"""Intervals in words: one writer, which never blames the number of patients."""

import numpy as np
import pandas as pd

from lymph.evaluation import (
    interval_text,
    interval_words,
    make_predictions,
    percent_interval_text,
    report,
)


def test_an_interval_is_written_in_percent_or_with_two_digits() -> None:
    """Whole percent where they differ, else a further digit."""
    assert interval_words((0.604, 0.796)) == "95 % interval 60 to 80 %"
    assert percent_interval_text((0.996, 1.0)) == "99.6 to 100.0 %"
    assert interval_text((0.5, 1.25)) == "0.50 to 1.25"
    assert interval_words(None) == "95 % interval cannot be given"


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
