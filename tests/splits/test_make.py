"""Splits by patient, by picture and the notebook's: nobody on two sides, fractions as asked."""

import math
from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lymph.errors import SplitError
from lymph.facts import NOTEBOOK_TEST, NOTEBOOK_VAL
from lymph.splits import SET_NAMES, Split, leak_report, notebook_split
from lymph.splits import split_by_patient as by_patient
from lymph.splits import split_by_picture as by_picture
from lymph.splits.make import MAX_WAYS, home_class, share_out

from .conftest import even_table, table_of, tables, true_table

SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
FRACTIONS = st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)


def sizes(split: Split) -> list[int]:
    """Return the number of members of train, val and test."""
    return [len(group) for group in split.groups()]


def patients_per_set(table: pd.DataFrame, split: Split) -> dict[str, list[int]]:
    """Return for each class the number of its patients in train, val and test."""
    homes = home_class(table)
    return {
        label: [sum(homes[p] == label for p in group) for group in split.groups()]
        for label in homes.unique()
    }


@SETTINGS
@given(table=tables(), fractions=FRACTIONS, seed=st.integers(0, 10**6))
def test_no_patient_stands_on_two_sides(
    table: pd.DataFrame, fractions: tuple[float, float, float], seed: int
) -> None:
    """For any names, classes, sizes, fractions and seeds: all pictures of a patient in one set."""
    try:
        split = by_patient(table, fractions, seed)
    except SplitError:
        assert fractions[2] > 0 and (home_class(table).value_counts() == 1).all()
        return
    assert sorted(p for group in split.groups() for p in group) == sorted(set(table["patient"]))
    sets = split.assign(table)
    assert set(sets) <= set(SET_NAMES)  # every picture has a set
    assert (sets.groupby(table["patient"]).nunique() == 1).all()
    assert leak_report(table, split).leaked_test_pictures == 0


@SETTINGS
@given(table=tables(), fractions=FRACTIONS, seed=st.integers(0, 10**6))
def test_fractions_are_kept_per_class_in_patients(
    table: pd.DataFrame, fractions: tuple[float, float, float], seed: int
) -> None:
    """Each class's patients are shared out by largest remainder; train always has one."""
    homes = home_class(table).value_counts()
    try:
        split = by_patient(table, fractions, seed)
    except SplitError:
        return
    for label, counts in patients_per_set(table, split).items():
        assert counts == share_out(int(homes[label]), fractions)
        assert counts[0] >= 1
        for count, fraction in zip(counts, fractions, strict=True):
            assert fraction > 0 or count == 0


@given(count=st.integers(0, 500), fractions=FRACTIONS)
def test_shares_are_within_one_of_exact(count: int, fractions: tuple[float, ...]) -> None:
    """Shares add up and lie within one of exact, but where a set would be left with nothing."""
    shares = share_out(count, fractions)
    assert sum(shares) == count and min(shares) >= 0
    exact = [count * fraction for fraction in fractions]
    if all(value >= 1 or value == 0 for value in exact):
        assert all(abs(s - e) < 1 + 1e-6 for s, e in zip(shares, exact, strict=True))


@pytest.mark.parametrize(
    ("count", "shares"),
    [
        (1, [1, 0, 0]),
        (2, [1, 0, 1]),
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (5, [3, 1, 1]),
        (8, [5, 1, 2]),
        (9, [5, 2, 2]),
        (10, [6, 2, 2]),
        (29, [17, 6, 6]),
        (100, [60, 20, 20]),
    ],
)
def test_known_shares(count: int, shares: list[int]) -> None:
    """Known answers at 60:20:20; on equal remainders train, then test, then val gets one more."""
    assert share_out(count, (0.6, 0.2, 0.2)) == shares


def test_equal_remainders_go_to_train_then_test_then_val() -> None:
    """Three equal shares of 4 and of 5 show the whole order of the tie rule."""
    third = (1 / 3, 1 / 3, 1 / 3)
    assert share_out(4, third) == [2, 1, 1]
    assert share_out(5, third) == [2, 1, 2]


def test_two_patients_train_and_test_even_when_validation_is_large() -> None:
    """Regression: at 25:50:25 validation kept the second patient and nothing was tested."""
    assert share_out(2, (0.25, 0.5, 0.25)) == [1, 0, 1]
    assert share_out(1, (0.1, 0.5, 0.4)) == [1, 0, 0]
    assert share_out(3, (0.01, 0.98, 0.01)) == [1, 1, 1]
    assert share_out(2, (0.5, 0.5, 0.0)) == [1, 1, 0]


def test_eight_patients_a_class() -> None:
    """The tie rule holds in the split itself: 8 patients give 5, 1 and 2."""
    split = by_patient(even_table(2, 8, 3), (0.6, 0.2, 0.2), seed=4)
    assert sizes(split) == [10, 2, 4]


def test_pictures_stand_close_to_the_fractions(true_names: pd.DataFrame) -> None:
    """On the true set pictures, not only patients, come within 3.5 % of 60:20:20 in each class."""
    for seed in range(10):
        sets = by_patient(true_names, seed=seed).assign(true_names)
        shares = pd.crosstab(true_names["label"], sets, normalize="index")
        for name, fraction in zip(SET_NAMES, (0.6, 0.2, 0.2), strict=True):
            assert (shares[name] - fraction).abs().max() < 0.035


def test_a_seed_gives_one_split_and_seeds_differ(true_names: pd.DataFrame) -> None:
    """Same seed, same split, whatever the order of the rows; twenty seeds give many splits."""
    for make in (by_patient, by_picture):
        splits = [make(true_names, seed=seed) for seed in range(20)]
        assert splits == [make(true_names, seed=seed) for seed in range(20)]
        assert len({str(split.sets) for split in splits}) >= 15
    shuffled = true_names.sample(frac=1, random_state=1)
    assert by_patient(shuffled, seed=3) == by_patient(true_names, seed=3)


def test_every_patient_is_tested_under_some_seed(true_names: pd.DataFrame) -> None:
    """No patient is stuck in training: the choice is among many ways, not the one best."""
    tested = {p for seed in range(60) for p in by_patient(true_names, seed=seed).groups()[2]}
    assert len(tested) >= 27


def test_a_class_of_two_trains_and_tests() -> None:
    """With two patients one trains and one tests; validation goes without."""
    table = table_of({"A": {"a": 5, "b": 2}, "B": {str(i): 3 for i in range(10)}})
    split = by_patient(table)
    assert patients_per_set(table, split) == {"A": [1, 0, 1], "B": [6, 2, 2]}


def test_a_class_of_one_only_trains() -> None:
    """A class's only patient is never held back."""
    table = table_of({"A": {"only": 5}, "B": {str(i): 3 for i in range(5)}})
    for seed in range(10):
        assert "only" in by_patient(table, seed=seed).groups()[0]


def test_single_patients_everywhere_cannot_be_split() -> None:
    """With one patient a class nothing can be tested, and the error says what to do."""
    table = table_of({"A": {"a": 5}, "B": {"b": 5}})
    with pytest.raises(SplitError, match=r"single patient.*add patients"):
        by_patient(table)
    assert sizes(by_patient(table, (0.8, 0.2, 0.0))) == [2, 0, 0]


def test_a_patient_of_several_classes_moves_as_one() -> None:
    """Its class is that of most of its pictures, the first by name on a tie."""
    table = table_of({"A": {"x": 2, "y": 3, "z": 1}, "B": {"x": 5, "y": 3, "w": 1}})
    assert home_class(table).to_dict() == {"x": "B", "y": "A", "z": "A", "w": "B"}
    for seed in range(10):
        sets = by_patient(table, seed=seed).assign(table)
        assert (sets.groupby(table["patient"]).nunique() == 1).all()


def test_a_name_that_ends_in_zero_bytes_keeps_its_patient() -> None:
    """Regression: NumPy's strings dropped the zero, and the patient was in no set, or another's."""
    table = table_of({"A": {"a\0": 1, "a": 1, "b": 1}, "B": {"c\0": 2, "d": 1, "e\0": 1}})
    for seed in range(20):
        for make in (by_patient, by_picture):
            assert set(make(table, seed=seed).assign(table)) <= set(SET_NAMES)


def test_many_patients_are_split_soon_and_well() -> None:
    """Past the bound on listed ways, ways are drawn: counts exact, pictures close, seeds differ."""
    assert math.comb(60, 12) * math.comb(48, 12) > MAX_WAYS
    table = table_of({c: {f"{c}{i}": 1 + i % 7 for i in range(60)} for c in "AB"})
    first, second = by_patient(table, seed=1), by_patient(table, seed=2)
    assert first != second and sizes(first) == [72, 24, 24]
    shares = first.assign(table).value_counts(normalize=True)
    assert abs(shares["val"] - 0.2) < 0.03 and abs(shares["test"] - 0.2) < 0.03


@pytest.mark.parametrize("make", [by_patient, by_picture])
@pytest.mark.parametrize(
    "fractions",
    [(0.5, 0.2, 0.2), (0.6, 0.6, -0.2), (0.5, 0.5), (1.0, 0.0, 0.1), (math.nan, 0.5, 0.5),
     (0.0, 0.5, 0.5)],
)  # fmt: skip
def test_fractions_that_make_no_sense(make: type, fractions: tuple[float, ...]) -> None:
    """Shares that do not add up, are negative, not three, or leave nothing to train on."""
    with pytest.raises(SplitError, match=r"add up to 1|Nothing is left to train on"):
        make(even_table(2, 5, 2), fractions)


@SETTINGS
@given(table=tables(), seed=st.integers(0, 10**6))
def test_by_picture_every_picture_is_in_one_set(table: pd.DataFrame, seed: int) -> None:
    """By picture: each exactly once, every class in the fractions asked for."""
    split = by_picture(table, seed=seed)
    members = Counter(name for group in split.groups() for name in group)
    assert members == Counter(table["picture"])
    sets = split.assign(table)
    for label, rows in table.groupby("label"):
        counts = [int((sets[rows.index] == name).sum()) for name in SET_NAMES]
        assert counts == share_out(len(rows), (0.6, 0.2, 0.2)), label


def test_by_picture_leaks(true_names: pd.DataFrame) -> None:
    """On the true names nearly every test picture's patient also trains: the lesson of the page."""
    report = leak_report(true_names, by_picture(true_names))
    assert report.leaked_test_share > 0.95 and report.test_pictures == 23 + 28 + 25


@pytest.mark.parametrize("year", ["", "99"])
def test_the_notebooks_split(year: str) -> None:
    """275, 34 and 65 pictures and exactly its patients, on true and on synthetic names."""
    table = true_table(year)
    split = notebook_split(table)
    sets = split.assign(table)
    assert [int((sets == name).sum()) for name in SET_NAMES] == [275, 34, 65]
    train, val, test = ({p.split("-")[1] for p in group} for group in split.groups())
    assert val == {"4957", "5311", "4967"} == set(NOTEBOOK_VAL)
    assert test == {"2810", "476", "1467", "4881", "3077", "4525"} == set(NOTEBOOK_TEST)
    assert len(train) == 20 and not train & (val | test)
    assert leak_report(table, split).leaked_test_pictures == 0


def test_the_notebooks_split_matches_whole_numbers() -> None:
    """A number that only contains or ends like one of the notebook's stays in training."""
    table = table_of({"A": {"05-476": 1, "05-1476": 1, "05-4761": 1}, "B": {"476-1": 1}})
    split = notebook_split(table)
    assert split.groups() == [["05-1476", "05-4761", "476-1"], [], ["05-476"]]


def test_the_notebooks_split_serves_no_other_data() -> None:
    """Without its test patients the preset is refused and the alternative named."""
    with pytest.raises(SplitError, match="Split by patient instead"):
        notebook_split(even_table(2, 5, 2))
