"""The prediction table keeps its contract on its way to the disk and back."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lymph.errors import EvaluationError, LymphError
from lymph.evaluation import (
    choose_set,
    classes_of_predictions,
    make_predictions,
    probabilities_of,
    read_predictions,
    validate_predictions,
    write_predictions,
)
from lymph.text import as_cell, from_cell

Maker = Callable[..., pd.DataFrame]


def pictures(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"picture": ["a.tif"], "label": ["1"], "patient": ["05-6124"], "slide": [""], "set": "test"}
        | columns
    )


def test_a_table_comes_back_exactly(random_table: Maker, tmp_path: Path) -> None:
    table = random_table(pictures=500)
    again = read_predictions(write_predictions(table, tmp_path / "deep" / "predictions.csv"))
    pd.testing.assert_frame_equal(again, table)
    assert (probabilities_of(again) == probabilities_of(table)).all()


def test_columns_stand_in_the_order_of_the_contract(random_table: Maker, tmp_path: Path) -> None:
    path = write_predictions(random_table()[::-1].sort_index(axis=1), tmp_path / "p.csv")
    header = path.read_text().splitlines()[0]
    assert header == "picture,label,patient,slide,set,fold,predicted,p_CLL,p_FL,p_MCL"


NAMES = ["0476", "NA", "nan", "null", "1e5", "True", 'a,"b"', "ü é", " x"]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''-", "'x", "'"]


def test_no_cell_of_a_table_is_a_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    """Every name that begins like one gets an apostrophe, and is read back without it."""
    cells = pictures(picture=FORMULAS, label="=A", patient=FORMULAS, slide=FORMULAS)
    table = make_predictions(cells, np.tile([0.25, 0.75], (len(cells), 1)), ["x", "=A"])
    path = write_predictions(table, tmp_path / "p.csv")
    with path.open(newline="") as file:
        written = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in written if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    pd.testing.assert_frame_equal(read_predictions(path), table)


@given(st.text(st.sampled_from("'=+-@\t\rab "), max_size=6))
def test_a_cell_is_read_back_exactly(text: str) -> None:
    cell = as_cell(text)
    assert from_cell(cell) == text and not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("name", NAMES + FORMULAS)
def test_names_stay_text(name: str, tmp_path: Path) -> None:
    table = make_predictions(
        pictures(picture=[name], label=["1"], patient=[name], slide=[name]),
        np.array([[0.25, 0.75]]),
        ["1", "2"],
    )
    again = read_predictions(write_predictions(table, tmp_path / "p.csv"))
    assert again.loc[0, ["picture", "patient", "slide"]].tolist() == [name] * 3
    assert again.loc[0, ["label", "fold", "predicted"]].tolist() == ["1", "", "2"]


@settings(deadline=None)
@given(st.lists(st.floats(1e-300, 1), min_size=2, max_size=8))
def test_every_float_comes_back(tmp_path_factory: pytest.TempPathFactory, raw: list[float]) -> None:
    values = np.array([raw]) / np.sum(raw)
    classes = [str(place) for place in range(1, len(raw) + 1)]
    table = make_predictions(pictures(), values, classes)
    path = tmp_path_factory.mktemp("floats") / "p.csv"
    again = read_predictions(write_predictions(table, path))
    assert (probabilities_of(again) == values).all()
    assert classes_of_predictions(again) == classes


def test_numbers_become_names() -> None:
    table = make_predictions(
        pictures(label=[1], patient=[476], fold=[2.0]), np.array([[0.9, 0.1]], np.float32), [1, 2]
    )
    assert table.loc[0, ["label", "patient", "fold", "predicted"]].tolist() == [
        "1",
        "476",
        "2",
        "1",
    ]
    assert probabilities_of(table).dtype == np.float64


def test_a_tie_falls_to_the_first_class() -> None:
    table = make_predictions(pictures(label=["FL"]), np.array([[0.5, 0.5]]), ["CLL", "FL"])
    assert table.loc[0, "predicted"] == "CLL"


def test_a_failed_write_leaves_the_old_table(
    random_table: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_predictions(random_table(seed=1), tmp_path / "p.csv")
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(EvaluationError, match="disk full"):
        write_predictions(random_table(seed=2), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.glob("*p.csv*")] == ["p.csv"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="patient"), "patient"),
        (lambda t: t.drop(columns=["p_CLL", "p_FL", "p_MCL"]), "p_<class>"),
        (lambda t: t.drop(columns="p_FL"), "FL"),
        (lambda t: t.assign(patient=""), "patient"),
        (lambda t: t.assign(label=None), "label"),
        (lambda t: t.assign(label="DLBCL"), "DLBCL"),
        (lambda t: t.assign(picture="same.tif"), "same.tif"),
        (lambda t: t.assign(p_CLL=np.nan), "between"),
        (lambda t: t.assign(p_CLL="much"), "no number"),
        (lambda t: t.assign(p_CLL=t["p_CLL"] + 1), "softmax"),
        (lambda t: t.rename(columns={"p_FL": "p_MCL", "p_MCL": "p_FL"}), "most probable"),
        (lambda t: pd.concat([t, t["p_FL"]], axis=1), "more than once"),
    ],
)
def test_what_is_wrong_is_said(
    random_table: Maker, change: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    with pytest.raises(EvaluationError, match=words):
        validate_predictions(change(random_table()))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"picture,label\n1,2,3,4\n", b'"open', b"a,b\n1,2\n1,2,3\n"]
)
def test_a_broken_file_is_a_plain_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(LymphError):
        read_predictions(tmp_path / "p.csv")


def test_a_missing_file_or_a_folder_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no prediction table"):
        read_predictions(tmp_path / "p.csv")
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_predictions(tmp_path)


def test_shapes_must_agree() -> None:
    with pytest.raises(EvaluationError, match="shape"):
        make_predictions(pictures(), np.ones((2, 2)) / 2, ["1", "2"])


def test_a_set_is_chosen_and_a_missing_one_names_the_others(from_rows: Maker) -> None:
    table = pd.concat(
        [
            from_rows([("a", "CLL", "CLL")] * 3, set_name="train"),
            from_rows([("b", "CLL", "FL")] * 2, set_name="test"),
        ]
    )
    assert set(choose_set(table, "test")["patient"]) == {"b"}
    with pytest.raises(EvaluationError, match=r'"val".*train \(3 pictures\), test \(2 pictures\)'):
        choose_set(table, "val")
    with pytest.raises(EvaluationError, match="out-of-fold"):
        choose_set(table, "out-of-fold")
    with pytest.raises(EvaluationError, match="empty"):
        choose_set(table.iloc[:0], "test")


def test_out_of_fold_rows_are_those_held_out(from_rows: Maker) -> None:
    rows = [("a", "CLL", "CLL"), ("b", "CLL", "FL")]
    named = from_rows(rows, set_name="out-of-fold")
    assert len(choose_set(named, "out-of-fold")) == 2
    by_fold = from_rows(rows).assign(fold=["0", "1"])
    trained = from_rows(rows, set_name="train").assign(fold=["1", "0"])
    assert (choose_set(pd.concat([by_fold, trained]), "out-of-fold")["set"] == "test").all()
