"""What is known about the data set and the notebook, in one place.

The counts are those of the National Institute on Aging's lymphoma set (IICBU 2008; Orlov et al.
2010, IEEE TITB 14(4):1003), distributed on Kaggle as
``andrewmvd/malignant-lymphoma-classification``.
"""

from collections.abc import Iterable
from typing import NamedTuple

CLASS_NAMES: dict[str, str] = {
    "CLL": "chronic lymphocytic leukaemia",
    "FL": "follicular lymphoma",
    "MCL": "mantle cell lymphoma",
}

# Okabe & Ito's colour-blind-safe colours; the three that the lymphomas wear come first.
OKABE_ITO: tuple[str, ...] = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#B8A900",
    "#7A7A7A",
)

# sj-05-6124-R4_016.tif: year 05, patient 6124, block R4, picture 016; the block is optional.
PATIENT_PATTERN = r"sj-(?P<year>\d+)-(?P<number>\d+)(?:-(?P<block>R\d+))?_(?P<picture>\d+)"

PATIENT_PICTURES: dict[str, dict[str, int]] = {
    "CLL": {
        "1396": 11,
        "2810": 11,
        "3165": 12,
        "3344": 11,
        "3874": 10,
        "476": 10,
        "4957": 10,
        "5269": 14,
        "5521": 10,
        "852": 14,
    },
    "FL": {
        "1467": 11,
        "1881": 19,
        "4881": 10,
        "5311": 13,
        "5389": 19,
        "5829": 12,
        "588": 10,
        "6124": 31,
        "894": 14,
    },
    "MCL": {
        "1374": 14,
        "3077": 11,
        "3362": 15,
        "4179": 11,
        "4525": 12,
        "4967": 11,
        "5326": 12,
        "6010": 11,
        "768": 15,
        "901": 10,
    },
}

# The notebook's own split, by patient number; every other patient trains.
NOTEBOOK_VAL: tuple[str, ...] = ("4957", "5311", "4967")
NOTEBOOK_TEST: tuple[str, ...] = ("2810", "476", "1467", "4881", "3077", "4525")


class Published(NamedTuple):
    """A published accuracy with the split protocol that it depends on."""

    source: str
    method: str
    split: str
    accuracy: str


PUBLISHED: tuple[Published, ...] = (
    Published("Orlov 2010", "transform features, HE channels", "per picture", "98-99 %"),
    Published(
        "Janowczyk 2016",
        "AlexNet, 36 px patches, vote",
        "per picture, although called patient",
        "96.6 %",
    ),
    Published("PrometheusUA", "small net on 224 px tiles", "patient, 3 test patients", "81.8 %"),
    Published("the notebook", "3-conv CNN, 128 px grey", "patient, 6 test patients", "50.77 %"),
)


def class_colours(classes: Iterable[str]) -> dict[str, str]:
    """Give each class its colour: the lymphomas keep theirs, others take the free ones in order.

    Parameters
    ----------
    classes : iterable of str
        Class names, in any number; past eight the colours repeat.
    """
    own = dict(zip(CLASS_NAMES, OKABE_ITO, strict=False))
    names = list(classes)
    taken = {own[name] for name in names if name in own}
    free = [colour for colour in OKABE_ITO if colour not in taken] or list(OKABE_ITO)
    others = [name for name in names if name not in own]
    given = {name: free[i % len(free)] for i, name in enumerate(others)}
    return {name: own.get(name) or given[name] for name in names}
