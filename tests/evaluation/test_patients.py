"""Patients weigh evenly, whatever the number of their pictures."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lymph.evaluation import by_patient, make_predictions, probabilities_of

Maker = Callable[..., pd.DataFrame]


def test_the_mean_decides_and_not_the_vote() -> None:
    pictures = pd.DataFrame(
        {"picture": ["1", "2", "3"], "label": "FL", "patient": "a", "slide": "a", "set": "test"}
    )
    values = np.array([[0.51, 0.49], [0.51, 0.49], [0.0, 1.0]])
    row = by_patient(make_predictions(pictures, values, ["CLL", "FL"])).loc[0]
    assert (row["patient"], row["label"], row["predicted"], row["pictures"]) == ("a", "FL", "FL", 3)
    assert row["p_CLL"] == pytest.approx(0.34)


def test_patients_weigh_evenly(from_rows: Maker) -> None:
    rows = [("05-6124", "FL", "MCL")] * 31 + [("05-0588", "FL", "FL"), ("05-0894", "FL", "FL")]
    patients = by_patient(from_rows(rows))
    assert (patients["label"] == patients["predicted"]).mean() == pytest.approx(2 / 3)
    assert patients["pictures"].tolist() == [1, 1, 31]


def test_agrees_with_a_plain_mean_and_ignores_the_order(random_table: Maker) -> None:
    table = random_table(pictures=300)
    patients = by_patient(table)
    pd.testing.assert_frame_equal(by_patient(table.sample(frac=1, random_state=3)), patients)
    for row in patients.itertuples():
        own = probabilities_of(table[table["patient"] == row.patient]).mean(axis=0)
        np.testing.assert_allclose([row.p_CLL, row.p_FL, row.p_MCL], own, rtol=1e-12)
    assert patients["pictures"].sum() == 300
    assert patients["label"].tolist() == sorted(patients["label"])


def test_a_patient_of_several_classes_counts_once_for_each(from_rows: Maker) -> None:
    rows = [("a", "CLL", "CLL"), ("a", "MCL", "MCL"), ("a", "MCL", "FL"), ("b", "FL", "FL")]
    patients = by_patient(from_rows(rows))
    assert list(zip(patients["patient"], patients["label"], strict=True)) == [
        ("a", "CLL"),
        ("b", "FL"),
        ("a", "MCL"),
    ]


def test_rows_follow_the_order_of_the_classes(from_rows: Maker) -> None:
    rows = [("a", "x", "x"), ("b", "y", "y"), ("c", "z", "z")]
    assert by_patient(from_rows(rows, classes=["z", "x", "y"]))["label"].tolist() == ["z", "x", "y"]
