"""The notebook's printed figures, worked out exactly."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from lymph.lessons import arithmetic
from lymph.lessons.arithmetic import (
    batch_divided_loss,
    broadcast_accuracy,
    broadcast_accuracy_of_counts,
    broadcast_matrix,
    fixed_loss,
    patients_needed,
)

pairs = some.lists(some.tuples(some.integers(0, 3), some.integers(0, 3)), min_size=1, max_size=40)


def test_task_7_prints_152_94_percent() -> None:
    figure = broadcast_accuracy_of_counts(arithmetic.NOTEBOOK_CALLED)
    assert f"{figure:.6f}" == "1.529412"
    true = arithmetic.NOTEBOOK_CALLED_RIGHTLY / sum(arithmetic.NOTEBOOK_CALLED)
    assert round(100 * true, 1) == 29.4


def test_task_6_prints_what_a_network_that_says_mcl_scores() -> None:
    share = arithmetic.NOTEBOOK_TEST_MCL / arithmetic.NOTEBOOK_TEST_PICTURES
    assert f"{100 * share:.2f}" == "35.38"


def test_task_6_loss_is_that_of_guessing() -> None:
    loss = fixed_loss(0.072148, 275, 18)
    assert round(loss, 3) == 1.102
    assert abs(loss - math.log(3)) < 0.004
    # The loss that repeated from epoch to epoch is that of validation: 34 pictures in 3 batches.
    assert abs(fixed_loss(0.093497, 34, 3) - math.log(3)) < 0.04
    assert fixed_loss(batch_divided_loss([math.log(3)] * 18, 275), 275, 18) == pytest.approx(
        math.log(3)
    )


@given(pairs)
def test_the_truth_plays_no_part(pairs: list[tuple[int, int]]) -> None:
    predicted, labels = (list(column) for column in zip(*pairs, strict=True))
    counted = broadcast_accuracy(predicted, labels, 4)
    called = np.bincount(predicted, minlength=4)
    assert counted == pytest.approx(broadcast_accuracy_of_counts(called.tolist()))


@given(pairs)
def test_the_matrix_is_what_torch_broadcasts(pairs: list[tuple[int, int]]) -> None:
    predicted, labels = (list(column) for column in zip(*pairs, strict=True))
    one_hot = torch.nn.functional.one_hot(torch.tensor(labels), 4)
    compared = torch.tensor(predicted).unsqueeze(1) == one_hot
    assert (broadcast_matrix(predicted, labels, 4) == compared.numpy()).all()


def test_patients_needed_match_the_textbook() -> None:
    """Fleiss: 60 % against 70 % at 5 % and 80 % power takes 356 in each group."""
    assert patients_needed(0.6, 0.7) == 356
    assert patients_needed(0.45, 0.51) == 1088


@given(some.floats(0.05, 0.45), some.floats(0.05, 0.2))
def test_a_larger_difference_needs_fewer_patients(first: float, gap: float) -> None:
    assert patients_needed(first, first + 2 * gap) <= patients_needed(first, first + gap)
