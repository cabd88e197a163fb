"""Signs that training goes wrong, each in plain words with what to try."""

import math
from typing import Any

from lymph.training.loop import Evaluation

EPOCHS_TO_JUDGE = 3
# A loss that varies by less than this share of itself stands still; below SMALL it has arrived.
STANDS_STILL = 0.002
SMALL_LOSS = 0.1
ACCURACY_GAP = 0.3


def diagnose_before(training_pictures: int, batch_size: int) -> list[str]:
    """Return what is wrong before the first step."""
    if batch_size <= training_pictures:
        return []
    return [
        f"The batch of {batch_size} is larger than the training set of {training_pictures}"
        " pictures: each epoch is a single step. Choose a smaller batch."
    ]


def diagnose(
    history: list[dict[str, Any]], validated: Evaluation, classes: list[str], frozen: bool = False
) -> list[str]:
    """Return what is wrong after an epoch, a sentence each.

    Parameters
    ----------
    history : list of dict
        The rows of ``metrics.csv`` so far.
    validated : Evaluation
        Of the last epoch.
    classes : list of str
    frozen : bool
        Whether a head alone is fitted to ready features: it memorises its training pictures,
        and its loss stands still once it is as small as can be.
    """
    found = [_one_class(validated, classes)]
    if not frozen:
        found += [_still(history, len(classes)), _gap(history)]
    enough = len(history) >= EPOCHS_TO_JUDGE
    return [sentence for sentence in found if sentence and enough]


def _one_class(validated: Evaluation, classes: list[str]) -> str:
    predicted = set(validated.logits.argmax(dim=1).tolist()) if len(validated.labels) else set()
    if len(predicted) != 1 or len(set(validated.labels.tolist())) < 2:
        return ""
    name = classes[predicted.pop()]
    return (
        f"The model calls every validation picture {name}: it has not learnt to tell the classes"
        " apart. Train longer, or change the learning rate."
    )


def _still(history: list[dict[str, Any]], classes: int) -> str:
    losses = [row["train_loss"] for row in history[-EPOCHS_TO_JUDGE:]]
    spread, largest = max(losses) - min(losses), max(losses)
    if largest < SMALL_LOSS or spread > STANDS_STILL * largest:
        return ""
    return (
        f"The training loss has stood at {largest:.3f} for {len(losses)} epochs: the model does not"
        " learn. Raise the learning rate; pure guessing among the classes would give"
        f" {math.log(classes):.2f}."
    )


def _gap(history: list[dict[str, Any]]) -> str:
    last = history[-1]
    gap = last["train_accuracy"] - last["val_accuracy"]
    if not gap > ACCURACY_GAP:
        return ""
    return (
        f"The model classifies {100 * last['train_accuracy']:.0f} % of the training pictures"
        f" correctly but only {100 * last['val_accuracy']:.0f} % of the validation pictures: it is"
        " memorising the training patients (overfitting). More patients, more augmentation or fewer"
        " epochs help."
    )
