"""Signs of trouble, each with a history of known answer."""

import pytest
import torch

from lymph.training.diagnostics import diagnose, diagnose_before
from lymph.training.loop import Evaluation

CLASSES = ["CLL", "FL", "MCL"]


def history(losses: list[float], train: float = 0.6, val: float = 0.5) -> list[dict]:
    """Return the rows of as many epochs as losses."""
    return [
        {"train_loss": loss, "train_accuracy": train, "val_loss": 1.0, "val_accuracy": val}
        for loss in losses
    ]


def validated(predicted: list[int]) -> Evaluation:
    """Return a validation of six pictures, two a class."""
    labels = torch.tensor([0, 0, 1, 1, 2, 2])[: len(predicted)]
    return Evaluation(1.0, 0.5, torch.eye(3)[predicted], labels)


GOOD = validated([0, 0, 1, 2, 2, 2])
FALLING = [1.1, 0.9, 0.7]


def test_nothing_is_said_when_all_is_well() -> None:
    """A falling loss, all classes predicted, validation near training."""
    assert diagnose(history(FALLING), GOOD, CLASSES) == []
    assert diagnose_before(100, 16) == []


@pytest.mark.parametrize(
    ("rows", "seen", "words"),
    [
        (history(FALLING), validated([2] * 6), "every validation picture MCL"),
        (history([1.0986, 1.0986, 1.0985]), GOOD, "stood at 1.099 for 3 epochs"),
        (
            history(FALLING, train=0.98, val=0.52),
            GOOD,
            "98 % of the training pictures correctly but only 52 %",
        ),
    ],
)
def test_each_trouble_has_its_sentence(rows: list[dict], seen: Evaluation, words: str) -> None:
    """And only its own, from the third epoch on."""
    (sentence,) = diagnose(rows, seen, CLASSES)
    assert words in sentence
    assert diagnose(rows[:2], seen, CLASSES) == []


def test_a_small_loss_that_stands_still_has_arrived() -> None:
    """A model that has learnt everything is not in trouble."""
    assert diagnose(history([0.01, 0.01, 0.01]), GOOD, CLASSES) == []


def test_validation_of_one_class_or_of_none_says_nothing_about_predictions() -> None:
    """With one class in validation a single answer is right."""
    assert diagnose(history(FALLING), validated([0, 0]), CLASSES) == []
    nothing = Evaluation(float("nan"), float("nan"), torch.empty(0), torch.empty(0))
    rows = history(FALLING, val=float("nan"))
    assert diagnose(rows, nothing, CLASSES) == []


def test_a_batch_larger_than_the_set_is_said() -> None:
    """Both numbers are named."""
    (sentence,) = diagnose_before(20, 64)
    assert "64" in sentence
    assert "20" in sentence
