"""Do pictures of one patient lie together on a map? Measured, beside what chance would give."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

REASSIGNED = 99
# Points whose distances to all others are held at once.
BLOCK = 1_024


class SamePatientRate(NamedTuple):
    """Of how many pictures the nearest neighbour is of the same patient, shares from 0 to 1.

    Attributes
    ----------
    share : float
        As measured.
    chance : float
        Expected where places have nothing to do with patients.
    above_chance : bool
        More than in each of 99 random reassignments of the pictures to the patients (p = 0.01).
    """

    share: float
    chance: float
    above_chance: bool


def same_patient_rate(points: np.ndarray, patients: np.ndarray) -> SamePatientRate | None:
    """Count the nearest neighbours of the same patient, each axis in units of its deviation.

    Parameters
    ----------
    points : ndarray of float, shape (N, D)
    patients : ndarray of str, shape (N,)

    Returns
    -------
    SamePatientRate or None
        None where it cannot be asked: with one patient, or one picture of each.
    """
    names, codes, counts = np.unique(patients, return_inverse=True, return_counts=True)
    if len(names) < 2 or counts.max() < 2:
        return None
    nearest = _nearest(_on_standard_scales(points))
    share = float((codes[nearest] == codes).mean())
    chance = float((counts * (counts - 1)).sum() / (len(codes) * (len(codes) - 1)))
    rng = np.random.default_rng(0)
    dealt = (rng.permutation(codes) for _ in range(REASSIGNED))
    above = all(share > (codes[nearest] == codes).mean() for codes in dealt)
    return SamePatientRate(share, chance, above)


def nearest_of(points: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of each point's nearest other point, and of its nearest in another group.

    Parameters
    ----------
    points : ndarray of float, shape (N, D)
        Each axis counts in units of its deviation; of many axes.
    groups : ndarray of int, shape (N,)
        Two groups at least.
    """
    scaled = _on_standard_scales(points)
    lengths = (scaled**2).sum(axis=1)
    anyone, others = (np.empty(len(points), np.intp) for _ in range(2))
    for start in range(0, len(points), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(points)))
        away = lengths - 2 * scaled[rows] @ scaled.T
        away[np.arange(len(rows)), rows] = np.inf
        anyone[rows] = away.argmin(axis=1)
        away[groups[rows][:, None] == groups] = np.inf
        others[rows] = away.argmin(axis=1)
    return anyone, others


def _on_standard_scales(points: np.ndarray) -> np.ndarray:
    deviations = points.std(axis=0)
    return (points - points.mean(axis=0)) / np.where(deviations > 0, deviations, 1.0)


def _nearest(points: np.ndarray) -> np.ndarray:
    """Return the row of each point's nearest other point."""
    found = KDTree(points).query(points, k=2)[1]
    # Of points in one place, the tree may name the neighbour before the point itself.
    return np.where(found[:, 0] == np.arange(len(points)), found[:, 1], found[:, 0])


def neighbour_sentence(points: np.ndarray, patients: np.ndarray, known: bool = True) -> str:
    """Say what a map of colours shows of the patients, whichever way it is.

    Parameters
    ----------
    points : ndarray of float, shape (N, D)
    patients : ndarray of str, shape (N,)
    known : bool
        Whether the patients are known; otherwise each picture counts by itself.
    """
    if not known:
        return "The patients are unknown, so nobody can tell whether colour identifies them."
    rate = same_patient_rate(points, patients)
    if rate is None and len(set(patients)) < 2:
        return "All pictures are of one patient, so there is nobody to tell apart."
    if rate is None:
        return "Each patient has one picture only, so colour cannot be compared within a patient."
    measured = (
        f"For {100 * rate.share:.0f} % of the pictures the nearest neighbour is of the same patient"
        f" (by chance: {100 * rate.chance:.0f} %)"
    )
    if not rate.above_chance:
        return f"{measured}, no more than chance: here, colour does not tell the patient."
    if rate.share - rate.chance < 0.5 * (1 - rate.chance):
        return f"{measured}: colour says something about the patient."
    return f"{measured}: colour often identifies the patient."
