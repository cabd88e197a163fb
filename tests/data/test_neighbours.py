"""The stain map's sentence follows the figure, whichever way it is."""

import numpy as np
import pytest

from lymph.data.neighbours import neighbour_sentence, same_patient_rate

RNG = np.random.default_rng(0)
PATIENTS = np.repeat([f"99-{i}" for i in range(10)], 8)
MIDDLES = np.repeat(np.stack([np.arange(10.0), RNG.permutation(10)], axis=1), 8, axis=0)
APART = MIDDLES + 0.01 * RNG.normal(size=(80, 2))
NEAR = MIDDLES + 1.6 * RNG.normal(size=(80, 2))
MIXED = RNG.normal(size=(80, 2))


def test_the_share_and_its_chance() -> None:
    """All apart: every neighbour is of the same patient; chance is 7 of the 79 others."""
    rate = same_patient_rate(APART * (1.0, 500.0), PATIENTS)
    assert rate == (1.0, pytest.approx(7 / 79), True)


def test_points_in_one_place_are_not_their_own_neighbours() -> None:
    """Regression: the tree names any of the points in a place first."""
    rate = same_patient_rate(np.zeros((4, 2)), np.array(["a", "b", "c", "c"]))
    assert rate is not None and rate.share <= 0.5 and not rate.above_chance


@pytest.mark.parametrize(
    ("points", "patients", "known", "said"),
    [
        (APART, PATIENTS, True, "100 % of the pictures the nearest neighbour is of the same"),
        (APART, PATIENTS, True, "(by chance: 9 %): colour often identifies the patient."),
        (NEAR, PATIENTS, True, ": colour says something about the patient."),
        (MIXED, PATIENTS, True, "no more than chance: here, colour does not tell the patient."),
        (APART, PATIENTS, False, "The patients are unknown"),
        (APART, np.repeat("a", 80), True, "All pictures are of one patient"),
        (APART, np.arange(80).astype(str), True, "Each patient has one picture only"),
        (APART[:1], PATIENTS[:1], True, "All pictures are of one patient"),
    ],
)
def test_the_sentence_follows_the_figure(
    points: np.ndarray, patients: np.ndarray, known: bool, said: str
) -> None:
    """Regression: every map said that the slide's colour gives the patient away."""
    assert said in neighbour_sentence(points, patients, known)
