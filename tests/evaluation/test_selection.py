"""A figure leads to its pictures: those of a cell, the right and wrong, the worst and surest."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lymph.errors import EvaluationError
from lymph.evaluation import (
    Selection,
    by_patient,
    cell_pictures,
    cells_holding,
    choose_set,
    confusion,
    in_order,
    judged_pictures,
    moved_pictures,
    selected_pictures,
)

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


@pytest.mark.parametrize("whole_patients", [False, True])
def test_cells_hold_every_picture_once(random_table: Maker, whole_patients: bool) -> None:
    table = choose_set(random_table(pictures=300, patients=30, seed=5), "test")
    level = by_patient(table) if whole_patients else table
    matrix, seen = confusion(level, CLASSES), []
    for row, true in enumerate(CLASSES):
        for column, predicted in enumerate(CLASSES):
            cell = cell_pictures(table, true, predicted, by_patient=whole_patients)
            counted = cell["patient"].nunique() if whole_patients else len(cell)
            assert counted == matrix[row, column]
            assert cell[f"p_{predicted}"].is_monotonic_decreasing
            seen += cell["picture"].tolist()
    assert sorted(seen) == sorted(table["picture"])


def test_a_patients_cell_holds_its_rightly_seen_pictures_too(from_rows: Maker) -> None:
    table = from_rows([("a", "FL", "MCL")] * 3 + [("a", "FL", "FL"), ("b", "FL", "FL")])
    assert len(cell_pictures(table, "FL", "MCL", by_patient=True)) == 4
    assert len(cell_pictures(table, "FL", "MCL")) == 3
    assert cell_pictures(table, "CLL", "FL", by_patient=True).empty
    pd.testing.assert_frame_equal(cell_pictures(table, "FL", "MCL"), table.iloc[:3])


def test_an_unknown_cell_is_a_plain_error(random_table: Maker) -> None:
    with pytest.raises(EvaluationError, match="DLBCL"):
        cell_pictures(random_table(), "CLL", "DLBCL")


@pytest.mark.parametrize("whole_patients", [False, True])
def test_right_and_wrong_make_the_whole(random_table: Maker, whole_patients: bool) -> None:
    table = random_table(pictures=300, patients=30, seed=5)
    right, wrong = (judged_pictures(table, kind, whole_patients) for kind in (True, False))
    assert sorted([*right["picture"], *wrong["picture"]]) == sorted(table["picture"])
    level = by_patient(table) if whole_patients else table
    hits = set(level.loc[level["label"] == level["predicted"], "patient"])
    if whole_patients:
        assert set(right["patient"]) == hits
    else:
        assert (right["label"] == right["predicted"]).all()
        assert (wrong["label"] != wrong["predicted"]).all()


def test_nothing_is_neither_right_nor_wrong(random_table: Maker) -> None:
    assert judged_pictures(random_table().iloc[:0], True).empty


def test_the_worst_mistake_has_the_highest_loss(random_table: Maker) -> None:
    table = random_table()
    worst = in_order(table, "worst")
    loss = [-np.log(row[f"p_{row['label']}"]) for row in worst.to_dict("records")]
    assert loss == sorted(loss, reverse=True)
    assert len(worst) == (table["label"] != table["predicted"]).sum()
    assert len(in_order(table, "worst", mistakes_only=False)) == len(table)


def test_certain_and_uncertain_are_opposite_ends(random_table: Maker) -> None:
    table = random_table()
    top = table[[f"p_{name}" for name in CLASSES]].max(axis=1)
    assert in_order(table, "certain").index[0] == top.idxmax()
    assert in_order(table, "uncertain").index[0] == top.idxmin()


def test_the_order_does_not_depend_on_the_rows(random_table: Maker) -> None:
    table = random_table()
    shuffled = table.sample(frac=1, random_state=3)
    assert list(in_order(table, "worst")["picture"]) == list(in_order(shuffled, "worst")["picture"])


def test_an_unknown_order_is_a_plain_error(random_table: Maker) -> None:
    with pytest.raises(EvaluationError, match="worst, certain"):
        in_order(random_table(), "best")


def test_moved_pictures_stand_in_a_cell_for_one_model_alone(from_rows: Maker) -> None:
    first = from_rows([("a", "FL", "MCL"), ("b", "FL", "MCL"), ("c", "FL", "FL")])
    second = from_rows([("a", "FL", "MCL"), ("b", "FL", "FL"), ("c", "FL", "MCL")])
    one, two = moved_pictures(first, second, "FL", "MCL")
    assert (list(one["patient"]), list(two["patient"])) == (["b"], ["c"])


def test_every_bar_and_every_patient_holds_each_picture_once(random_table: Maker) -> None:
    """What is chosen in a list, a map or a bar is one kind of thing, and no picture is lost."""
    table = choose_set(random_table(pictures=300, patients=30, seed=5), "test")
    bars = [
        Selection("sure", (str(10 * place), kind))
        for place in range(10)
        for kind in ("right", "wrong")
    ]
    people = [Selection("patient", (name,)) for name in table["patient"].unique()]
    for choices in (bars, people):
        assert all(choice.sound for choice in choices)
        seen = [name for one in choices for name in selected_pictures(table, one)["picture"]]
        assert sorted(seen) == sorted(table["picture"])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("cell", ("sideways",)),
        ("cell", ("a", "b", "c")),
        ("cell", ("", "CLL")),
        ("sure", ("55", "right")),
        ("sure", ("50", "maybe")),
        ("sure", ("50",)),
        ("patient", ("a", "b")),
        ("picture", ()),
    ],
)
def test_an_address_that_means_nothing_is_no_choice(kind: str, values: tuple[str, ...]) -> None:
    assert not Selection(kind, values).sound


def test_an_unknown_patient_is_a_plain_error(random_table: Maker) -> None:
    with pytest.raises(EvaluationError, match="no patient 00-0000"):
        selected_pictures(random_table(), Selection("patient", ("00-0000",)))


def test_chosen_pictures_are_found_in_the_matrix(from_rows: Maker) -> None:
    """Of patients the cell is that of the patient, even where the picture alone says otherwise."""
    table = from_rows([("a", "FL", "MCL")] * 3 + [("a", "FL", "FL"), ("b", "CLL", "CLL")])
    odd = [table["picture"][3]]
    assert cells_holding(table, odd) == {("FL", "FL")}
    assert cells_holding(table, odd, by_patient=True) == {("FL", "MCL")}
    assert cells_holding(table, ["gone.tif"]) == cells_holding(table, []) == set()
