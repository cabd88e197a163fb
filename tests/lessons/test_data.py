"""The part of a large set that a lesson uses is small, fair and the same every time."""

from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as some

from lymph.lessons.data import (
    MAX_PATIENTS_OF_A_CLASS,
    MAX_PICTURES,
    fair_part,
    load_lesson_data,
)


def table_of(sizes: list[list[int]]) -> pd.DataFrame:
    """Return a table of classes, each a list of pictures a patient."""
    rows = [
        (f"{label}/{patient}_{number}.png", str(label), f"{label}-{patient}")
        for label, patients in enumerate(sizes)
        for patient, pictures in enumerate(patients)
        for number in range(pictures)
    ]
    return pd.DataFrame(rows, columns=["picture", "label", "patient"])


def test_a_small_set_is_used_whole() -> None:
    table = table_of([[5, 3], [4, 4, 2]])
    assert fair_part(table).equals(table)


def test_a_giant_patient_does_not_crowd_out_the_others() -> None:
    part = fair_part(table_of([[5000, 20], [30, 30]]))
    counts = part["patient"].value_counts()
    assert len(part) == MAX_PICTURES
    assert counts["0-1"] == 20 and counts["1-0"] == counts["1-1"] == 30


@given(
    some.lists(some.lists(some.integers(1, 60), min_size=1, max_size=25), min_size=2, max_size=4)
)
def test_every_class_keeps_patients_and_the_part_is_bounded(sizes: list[list[int]]) -> None:
    table = table_of(sizes)
    part = fair_part(table)
    assert len(part) <= MAX_PICTURES
    patients = part.groupby("label")["patient"].nunique()
    for label, pictures in enumerate(sizes):
        assert patients[str(label)] == min(len(pictures), MAX_PATIENTS_OF_A_CLASS)
    assert set(part["picture"]) <= set(table["picture"])
    assert list(part.index) == list(range(len(part)))
    assert fair_part(part).equals(part)


def test_pixels_labels_and_table_are_of_the_same_pictures(tiny_root: Path) -> None:
    data = load_lesson_data(tiny_root)
    assert data.classes == ["CLL", "FL", "MCL"]
    assert [data.classes[label] for label in data.labels] == list(data.table["label"])
    assert data.pixels(32, grey=True).shape == (36, 32, 32)
    assert data.pixels(32, grey=False).shape == (36, 32, 32, 3)
