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

# The file that says of a folder that its pictures are computer drawn.
MARKER = "SYNTHETIC.txt"

# Stands beside every figure of pictures whose patients nobody knows.
PATIENTS_UNKNOWN = (
    "The patients are unknown, so each picture counts by itself: pictures of one patient may be in"
    " training and in the test, and nobody can say whether these figures are honest."
)

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
    """An accuracy with the split protocol that it depends on.

    ``value`` is the share, 0 to 1, or None where the figure is none; ``leaks`` tells whether
    pictures of one patient stood on both sides.
    """

    source: str
    method: str
    split: str
    accuracy: str
    value: float | None
    leaks: bool


PUBLISHED: tuple[Published, ...] = (
    Published(
        "Orlov 2010",
        "transform features, HE channels",
        "per picture",
        "98-99 %",
        0.985,
        True,
    ),
    Published(
        "Janowczyk 2016",
        "AlexNet, 36 px patches, vote",
        "per picture, although called patient",
        "96.6 %",
        0.966,
        True,
    ),
    Published(
        "r4stin, GitHub",
        "DenseNet121, 224 px",
        "random pictures",
        "98.0 % mean, 98.7 % best",
        0.98,
        True,
    ),
    Published(
        "andy-j-block, GitHub",
        "ResNet101, head only",
        "nested k-fold over pictures",
        "76.8 %",
        0.768,
        True,
    ),
    Published(
        "PrometheusUA, GitHub",
        "small net on 224 px tiles, mean of logits",
        "by patient, 3 test patients",
        "81.8 % (27 of 33 pictures)",
        27 / 33,
        False,
    ),
    Published(
        "Linear on frozen ImageNet features",
        "conv1 to layer3 of ResNet-50, measured for lymph",
        "random pictures, 5 folds",
        "90 %",
        0.90,
        True,
    ),
    Published(
        "The same, by patient",
        "conv1 to layer3 of ResNet-50, measured for lymph",
        "by patient, 5 folds, 29 patients",
        "54 % (55 % of patients)",
        0.54,
        False,
    ),
)

NOTEBOOK_FIGURES: tuple[Published, ...] = (
    Published(
        "The notebook, Task 5",
        "3-conv CNN, 128 px grey",
        "by patient, 6 test patients",
        "50.77 % (33 of 65 pictures)",
        33 / 65,
        False,
    ),
    Published(
        "The notebook, Task 6",
        "the same with class weights; its optimiser held another model, so it never learned",
        "by patient, 6 test patients",
        "35.38 % (23 of 65 pictures)",
        23 / 65,
        False,
    ),
    Published(
        "The notebook, Task 7",
        "ResNet-50; indices compared with one-hot labels, so the printed figure is no accuracy",
        "by patient, 3 validation patients; never tested",
        "152.94 % printed, in truth 29.4 % (10 of 34)",
        10 / 34,
        False,
    ),
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
