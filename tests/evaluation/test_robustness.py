"""What lies next to a picture: known answers, chance, and what cannot be asked."""

import numpy as np
import pytest

from lymph.data.neighbours import BLOCK, nearest_of
from lymph.evaluation import robustness, robustness_words

LABELS = np.array(["CLL"] * 4 + ["FL"] * 4)
PATIENTS = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])


def on_a_line(*places: float) -> np.ndarray:
    """Return points on a line, N x 1."""
    return np.array(places, float)[:, None]


def test_an_encoder_that_sees_patients() -> None:
    """Each patient's two pictures lie together, and the classes lie mixed."""
    found = robustness(on_a_line(0, 0.1, 20, 20.1, 10, 10.1, 31, 31.1), LABELS, PATIENTS)
    assert (found.same_patient, found.same_class, found.other_class) == (1, 0, 0)
    assert found.index == 0
    assert found.mixed == 1
    # Of another patient: a's and b's nearest are c's, c's are one of each, d's are b's.
    assert found.apart == 0


def test_an_encoder_that_sees_classes() -> None:
    """Pictures of different patients of a class lie pairwise together."""
    found = robustness(on_a_line(0, 1, 0.1, 1.1, 20, 21, 20.1, 21.1), LABELS, PATIENTS)
    assert (found.same_patient, found.same_class, found.other_class) == (0, 1, 0)
    assert found.index == found.apart == found.mixed == 1
    assert found.index_interval[0] < 1 == found.index_interval[1]


def test_a_mixture_is_counted() -> None:
    """Of eight pictures two have their own patient next, two the class, four another class."""
    places = on_a_line(0, 0.1, 10, 30, 10.1, 30.1, 50, 50.4)
    found = robustness(places, LABELS, np.array([*"aabbccde"]))
    assert (found.same_patient, found.same_class, found.other_class) == (0.25, 0.25, 0.5)
    assert found.index == 0.5
    assert found.mixed == 0.5


def test_chance_is_what_numbers_without_meaning_give() -> None:
    """Patients of different sizes: the expectation holds over many random features."""
    rng = np.random.default_rng(0)
    patients = np.repeat([*"abcdef"], [2, 9, 4, 5, 7, 3])
    labels = np.where(np.isin(patients, [*"abc"]), "CLL", "FL")
    found = [robustness(rng.normal(size=(30, 4)), labels, patients) for _ in range(300)]
    assert np.mean([one.apart for one in found]) == pytest.approx(
        found[0].apart_by_chance, abs=0.02
    )
    hits = sum(one.same_class for one in found)
    both = sum(one.same_class + one.same_patient for one in found)
    assert hits / both == pytest.approx(found[0].index_by_chance, abs=0.02)
    inside = [
        one.index_interval[0] <= found[0].index_by_chance <= one.index_interval[1] for one in found
    ]
    assert np.mean(inside) > 0.9


def test_no_neighbour_that_shares_anything() -> None:
    """An index of nothing is no number."""
    labels = np.array(["CLL", "FL", "CLL", "FL", "CLL", "FL"])
    found = robustness(on_a_line(0, 0.1, 5, 5.1, 9, 9.1), labels, np.array([*"abcdab"]))
    assert found.index is None and found.index_interval is None
    assert "No neighbour" in robustness_words(found)


@pytest.mark.parametrize(
    ("labels", "patients"),
    [
        (["CLL"] * 8, PATIENTS),
        (LABELS, ["a"] * 8),
        (LABELS, [*"abcdefgh"]),
        (["CLL"] * 8, ["a"] * 8),
    ],
)
def test_what_cannot_be_asked_has_no_answer(labels: list[str], patients: list[str]) -> None:
    """One class, one patient, one picture of each patient."""
    assert robustness(on_a_line(*range(8)), np.array(labels), np.array(patients)) is None


def test_many_pictures_go_in_blocks_and_an_axis_without_spread_counts_nothing() -> None:
    """More than are held at once; the nearest are those of all distances at once."""
    points = np.random.default_rng(0).normal(size=(BLOCK + 50, 3))
    points[:, 2] = 7
    groups = np.arange(len(points)) % 40
    anyone, others = nearest_of(points, groups)
    scaled = points[:, :2] / points[:, :2].std(axis=0)
    for row in (0, BLOCK - 1, BLOCK, len(points) - 1):
        away = np.linalg.norm(scaled - scaled[row], axis=1)
        away[row] = np.inf
        assert anyone[row] == away.argmin()
        away[groups == groups[row]] = np.inf
        assert others[row] == away.argmin()
