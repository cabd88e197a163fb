"""The notebook's figures that need no training, only a pencil. No torch here."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

# What the notebook's Task 6 printed, and what it was counted on, in batches of 16 pictures. The
# validation loss is the one that repeated from epoch to epoch.
NOTEBOOK_TRAIN_LOSS = 0.072148
NOTEBOOK_TRAIN_PICTURES = 275
NOTEBOOK_TRAIN_BATCHES = 18
NOTEBOOK_VAL_LOSS = 0.093497
NOTEBOOK_VAL_PICTURES = 34
NOTEBOOK_VAL_BATCHES = 3
NOTEBOOK_TEST_PICTURES = 65
NOTEBOOK_TEST_MCL = 23
# Task 7's validation: pictures called CLL, FL and MCL, and how many of them rightly.
NOTEBOOK_CALLED = (18, 16, 0)
NOTEBOOK_CALLED_RIGHTLY = 10

# Class indices, one a picture.
Codes = Sequence[int] | np.ndarray


def broadcast_matrix(predicted: Codes, labels: Codes, classes: int) -> np.ndarray:
    """BROKEN ON PURPOSE: compare class indices with one-hot labels, as the notebook did.

    Parameters
    ----------
    predicted, labels : sequence of int
        Class indices, N each.
    classes : int

    Returns
    -------
    ndarray of bool, shape (N, classes)
        The column of predictions is stretched over the K columns of the labels: every entry asks
        whether a 0 or a 1 equals the index of a class.
    """
    one_hot = np.eye(classes, dtype=np.int64)[np.asarray(labels, np.int64)]
    return np.asarray(predicted, np.int64)[:, None] == one_hot


def broadcast_accuracy(predicted: Codes, labels: Codes, classes: int) -> float:
    """BROKEN ON PURPOSE: count every match of the stretched comparison, divide by the pictures."""
    return float(broadcast_matrix(predicted, labels, classes).sum() / len(predicted))


def broadcast_accuracy_of_counts(called: Sequence[int]) -> float:
    """Return the broken accuracy from nothing but how often each class was called.

    A one-hot row holds K - 1 zeros and a single 1. Calling the first class (index 0) matches the
    zeros, calling the second (index 1) the 1, and any other nothing: the truth plays no part.

    Parameters
    ----------
    called : sequence of int
        Pictures called the first class, the second, and so on.
    """
    return ((len(called) - 1) * called[0] + called[1]) / sum(called)


def batch_divided_loss(mean_losses: Sequence[float], pictures: int) -> float:
    """BROKEN ON PURPOSE: add up the batches' mean losses and divide by the number of pictures."""
    return sum(mean_losses) / pictures


def fixed_loss(loss: float, pictures: int, batches: int) -> float:
    """Turn a loss that was divided by the pictures back into a mean over the batches."""
    return loss * pictures / batches


def patients_needed(first: float, second: float, level: float = 0.05, power: float = 0.8) -> int:
    """Return the patients that each of two models needs to be told apart, each on its own patients.

    Parameters
    ----------
    first, second : float
        The true shares of patients that the models judge rightly, 0 to 1.
    level, power : float
        Chance of seeing a difference that is not there, and of seeing the one that is.

    Returns
    -------
    int
        Fleiss, Levin and Paik 2003, *Statistical Methods for Rates and Proportions*, chapter 4,
        two-sided, without correction for continuity.
    """
    middle = (first + second) / 2
    chance, miss = ndtri(1 - level / 2), ndtri(power)
    spread = chance * math.sqrt(2 * middle * (1 - middle))
    spread += miss * math.sqrt(first * (1 - first) + second * (1 - second))
    return math.ceil((spread / (first - second)) ** 2)
