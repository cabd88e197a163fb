"""What lies next to a picture in an encoder's features: its class in another patient, or itself?

The robustness index (de Jong et al. 2025, arXiv 2501.18055; PathoROB, Koemen et al. 2026, Nat
Commun, doi 10.1038/s41467-026-73923-2) counts among the nearest neighbours those of the same class
and another centre, SO, and those of another class and the same centre, OS: SO / (SO + OS). Here the
patient takes the centre's place. A patient has one class, so a neighbour of the same patient is of
the same class, OS would always be 0, and every neighbour of the same patient is counted instead. As
the nearest neighbour alone is asked, the index is: of the pictures whose neighbour shares class or
patient, the share whose neighbour is another patient's.
"""

from typing import Any, NamedTuple

import numpy as np

from lymph.data.neighbours import nearest_of
from lymph.evaluation.intervals import Interval, share_interval
from lymph.evaluation.words import figure_text

INDEX_WORDS = (
    "Robustness index: of the pictures whose nearest neighbour shares their class or their patient,"
    " the share whose neighbour is of the same class in another patient."
)


class Robustness(NamedTuple):
    """What the nearest neighbours share, as shares of the pictures, 0 to 1.

    Attributes
    ----------
    pictures, patients : int
    same_patient, same_class, other_class : float
        The nearest neighbour is of the same patient, of the same class in another patient, or of
        another class in another patient; together 1.
    index : float or None
        ``same_class / (same_class + same_patient)``; None where no neighbour shares either.
    index_interval : tuple of float or None
        95 %, from the differences between patients.
    index_by_chance : float
        Expected where places have nothing to do with classes or patients.
    mixed : float
        The nearest neighbour has the same class, whoever's it is: what a split at random promises.
    apart : float
        The nearest neighbour of another patient has the same class: what new patients get.
    apart_interval : tuple of float or None
    apart_by_chance : float
    """

    pictures: int
    patients: int
    same_patient: float
    same_class: float
    other_class: float
    index: float | None
    index_interval: Interval | None
    index_by_chance: float
    mixed: float
    apart: float
    apart_interval: Interval | None
    apart_by_chance: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a JSON document."""
        return self._asdict()


def robustness(features: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> Robustness | None:
    """Count what the nearest neighbours share, each feature in units of its deviation.

    Parameters
    ----------
    features : ndarray of float, shape (N, D)
    labels, patients : ndarray of str, shape (N,)

    Returns
    -------
    Robustness or None
        None where it cannot be asked: with one class, one patient, or one picture of each.
    """
    people, person, counts = np.unique(patients, return_inverse=True, return_counts=True)
    classes, code = np.unique(labels, return_inverse=True)
    if len(people) < 2 or len(classes) < 2 or counts.max() < 2:
        return None
    anyone, others = nearest_of(features, person)
    same_patient = person[anyone] == person
    alike = code[anyone] == code
    same_class, right = alike & ~same_patient, code[others] == code
    hits, both = (np.bincount(person, one) for one in (same_class, same_class | same_patient))
    return Robustness(
        len(code),
        len(people),
        float(same_patient.mean()),
        float(same_class.mean()),
        float((~same_patient & ~alike).mean()),
        float(hits.sum() / both.sum()) if both.sum() else None,
        _interval(hits, both),
        _index_by_chance(code, person),
        float(alike.mean()),
        float(right.mean()),
        _interval(np.bincount(person, right), counts),
        _apart_by_chance(code, person),
    )


def _interval(hits: np.ndarray, trials: np.ndarray) -> Interval | None:
    """Return the interval of a share over patients; none where it would rest on one of them."""
    if (trials > 0).sum() < 2:
        return None
    low, high = share_interval(hits[trials > 0].astype(float), trials[trials > 0].astype(float))
    return float(low), float(high)


def _index_by_chance(code: np.ndarray, person: np.ndarray) -> float:
    """Expect the index where any other picture is as likely the neighbour as any."""
    own = np.bincount(person)[person] - 1
    pairs = np.unique(np.stack([code, person]), axis=1, return_inverse=True)[1].ravel()
    alike = np.bincount(code)[code] - np.bincount(pairs)[pairs]
    return float(alike.sum() / max(1, alike.sum() + own.sum()))


def _apart_by_chance(code: np.ndarray, person: np.ndarray) -> float:
    """Expect the share of neighbours of the same class among other patients' pictures."""
    pairs = np.unique(np.stack([code, person]), axis=1, return_inverse=True)[1].ravel()
    alike = np.bincount(code)[code] - np.bincount(pairs)[pairs]
    return float((alike / (len(code) - np.bincount(person)[person])).mean())


def robustness_words(found: Robustness) -> str:
    """Say in a sentence or two what the neighbours share."""
    nearest = (
        "The nearest neighbour of a picture is of the same patient in"
        f" {_percent(found.same_patient)}, of the same class in another patient in"
        f" {_percent(found.same_class)}."
    )
    index = (
        "No neighbour shares class or patient."
        if found.index is None
        else f"Robustness index {figure_text(found.index)} (by chance:"
        f" {figure_text(found.index_by_chance)})."
    )
    apart = (
        f"By the class of its nearest neighbour {_percent(found.mixed)} of the pictures"
        f" are classified correctly, and {_percent(found.apart)} once the patient's own are set"
        f" aside (by chance: {_percent(found.apart_by_chance)})."
    )
    return f"{nearest} {index} {apart}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
