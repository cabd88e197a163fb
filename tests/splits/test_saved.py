"""Splits with a name, as tables and by hand; what is said of them; twins on two sides."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lymph.errors import SplitError
from lymph.splits import (
    Split,
    advice,
    delete_split,
    from_file,
    list_splits,
    make_folds,
    save_split,
    split_by_patient,
    split_by_picture,
    to_csv,
    twins_across,
)

from .conftest import even_table, table_of


@pytest.mark.parametrize("name", ["for the lecture", "a/b\\c", "..", "é漢 100 %", "con", "x" * 60])
def test_a_split_is_kept_under_any_name(tmp_path: Path, name: str) -> None:
    """Whatever the name, it comes back, and nothing is written outside the workspace."""
    split = split_by_patient(even_table(2, 5, 2))
    save_split(tmp_path, name, split)
    assert list_splits(tmp_path) == {name: split}
    assert list_splits(tmp_path / "other") == {}
    delete_split(tmp_path, name)
    assert list_splits(tmp_path) == {}


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    """Regression: the later of two splits of one name was kept, without a word about the other."""
    first, second = (split_by_patient(even_table(2, 5, 2), seed=seed) for seed in (1, 2))
    assert save_split(tmp_path, "mine", first) == "mine" == save_split(tmp_path, " mine ", first)
    assert (
        save_split(tmp_path, "mine", second) == "mine (2)" == save_split(tmp_path, "mine", second)
    )
    assert list_splits(tmp_path) == {"mine": first, "mine (2)": second}


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """Empty and endless names are refused."""
    with pytest.raises(SplitError, match="1 to 60 characters"):
        save_split(tmp_path, name, split_by_patient(even_table(2, 5, 2)))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 999), pictures=st.integers(1, 4))
def test_a_table_comes_back_as_the_split(seed: int, pictures: int) -> None:
    """By patient, by picture and in folds: written as CSV and read again, every set is the same."""
    table = even_table(2, 5, pictures)
    for split in (
        split_by_patient(table, seed=seed),
        split_by_picture(table, seed=seed),
        make_folds(table, 3, seed=seed),
    ):
        again = from_file("split.csv", to_csv(table, split).encode())
        assert again.assign(table).tolist() == split.assign(table).tolist()


def test_no_cell_of_a_split_is_a_formula_in_a_spreadsheet() -> None:
    """Names that begin like one are written with an apostrophe and read back without it."""
    table = even_table(2, 5, 2)
    for column, start in (("picture", "=HYPERLINK(1)"), ("label", "+"), ("patient", "@")):
        table[column] = start + table[column].astype(str)
    for split in (split_by_patient(table), split_by_picture(table)):
        text = to_csv(table, split)
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
        assert from_file("split.csv", text.encode()).assign(table).tolist() == (
            split.assign(table).tolist()
        )


def test_a_split_file_comes_back(tmp_path: Path) -> None:
    """An uploaded split.json is the split."""
    split = split_by_patient(even_table(2, 5, 2))
    split.save(tmp_path / "split.json")
    assert from_file("Split.JSON", (tmp_path / "split.json").read_bytes()) == split


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "needs a column set"),
        ("a.csv", b"picture,label\na,b\n", "needs a column set"),
        ("a.csv", b"label,set\na,train\n", "needs a column set"),
        ("a.csv", b"picture,set\na,holdout\nb,test\n", "holdout"),
        ("a.csv", b"patient,set\np,train\np,test\n", "add a column picture"),
        ("a.csv", b"\xff\xfe\x00", "is no split"),
        ("a.json", b"{", "is no split"),
        ("a.json", b"[]", "is no split"),
        ("a.png", b"\x89PNG", "is no split"),
    ],
)
def test_files_that_are_no_split(name: str, content: bytes, words: str) -> None:
    """Each is refused in words, never with a traceback."""
    with pytest.raises(SplitError, match=words):
        from_file(name, content)


def test_a_patient_is_moved() -> None:
    """One patient changes its set, everybody else stays; folds and strangers are refused."""
    split = Split("patient", 0, {"train": ["a", "b"], "val": [], "test": ["c"]})
    moved = split.moved("b", "test")
    assert moved.sets == {"train": ["a"], "val": [], "test": ["b", "c"]}
    assert moved.moved("b", "train") == split
    for member, to in (("z", "test"), ("a", "fold 1")):
        with pytest.raises(SplitError):
            split.moved(member, to)
    with pytest.raises(SplitError):
        Split("patient", 0, folds=[["a"], ["b"]]).moved("a", "test")


def test_the_difference_to_other_data_is_named_on_both_sides() -> None:
    """What the split has too much, and what it does not know."""
    table = even_table(2, 5, 2)
    other = table.replace({"patient": {"0-001": "new-1", "0-002": "new-2"}})
    words = r"2 of its 10 patients are not here, such as 0-001, and 2 here are not in it.*new-1"
    with pytest.raises(SplitError, match=words):
        split_by_patient(table).assign(other)


def test_an_even_split_needs_no_advice() -> None:
    """Nothing is said where nothing is wrong."""
    table = even_table(3, 6, 3)
    assert advice(table, split_by_patient(table)) == []
    assert advice(table, make_folds(table, 3)) == []


def test_advice_tells_what_is_doubtful() -> None:
    """A class of one patient, patients of two classes, newcomers, patients that are pictures."""
    table = table_of({"A": {"a": 4}, "B": {f"b{i}": 3 for i in range(6)}, "C": {"b0": 1}})
    words = " ".join(advice(table, split_by_patient(table)))
    assert "A has 1 patient and none in validation and test: nothing can be said" in words
    assert "1 of 7 patients have pictures of several classes (b0)" in words and "B for b0" in words
    ones = even_table(2, 5, 1)
    assert "as many patients as pictures" in advice(ones, split_by_patient(ones))[0]
    split = split_by_patient(ones)
    more = pd.concat([ones, ones.assign(patient="z", picture=ones["picture"] + "z")])
    assert any(
        "In none of the sets: 1 of 11 patients, such as z." in a for a in advice(more, split)
    )


def test_twins_on_two_sides_are_told() -> None:
    """Of three pairs the one across sets is told; pictures outside the split do not count."""
    table = even_table(2, 2, 2)
    pictures = list(table["picture"])
    sets = {"train": pictures[:4], "val": [], "test": pictures[4:7]}
    split = Split("picture", 0, sets)
    pairs = [(pictures[0], pictures[1]), (pictures[1], pictures[5]), (pictures[0], pictures[7])]
    assert twins_across(table, split, pairs) == [(pictures[1], pictures[5])]
