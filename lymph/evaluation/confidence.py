"""May a model's confidence be stated? Only as far as its validation pictures have borne it out."""

from typing import NamedTuple

import pandas as pd

from lymph.evaluation.calibration import apply_temperature, fitted_temperature
from lymph.evaluation.metrics import accuracy, confusion
from lymph.evaluation.report import leaked_share
from lymph.predictions import classes_of_predictions, probabilities_of
from lymph.text import counted

# With fewer validation patients a temperature says more of them than of the model.
FEWEST_PATIENTS = 3

# Softened until it fits, a mean confidence less than this above guessing carries no information.
MARGIN = 0.1

NEVER_CHECKED = "This model's confidence was never checked: it has no validation pictures."


class Confidence(NamedTuple):
    """How a run's answers state how sure they are.

    Attributes
    ----------
    temperature : float
        Softens the probabilities, 1 or more: a few patients can show that a model is too sure of
        itself, but they are no licence to make it surer than it is.
    stated : bool
        Whether a confidence may be stated at all; False where it carries no information, was never
        checked, or was checked on too few patients.
    words : str
        What was found, in a sentence.
    """

    temperature: float
    stated: bool
    words: str


def confidence_of(p: pd.DataFrame) -> Confidence:
    """Judge the confidence of a run's answers by the validation rows of its prediction table.

    At a fixed mean confidence, what is shown never rises as the validation accuracy falls.
    """
    validation = p[p["set"] == "val"]
    if validation.empty:
        return Confidence(1.0, False, NEVER_CHECKED)
    fitted = fitted_temperature(p)
    temperature = max(1.0, fitted.value)
    unknown = bool((validation["patient"] == validation["picture"]).all())
    people = "unknown patients" if unknown else counted(fitted.patients, "patient")
    tested = f"{counted(fitted.pictures, 'validation picture')} of {people}"
    if fitted.patients < FEWEST_PATIENTS:
        words = f"This model's confidence cannot be checked: {tested} are too few."
        return Confidence(temperature, False, words)
    classes = classes_of_predictions(validation)
    softened = _mean_confidence(apply_temperature(validation, temperature))
    if softened < 1 / len(classes) + MARGIN:
        right = float(accuracy(confusion(validation, classes)))
        words = (
            f"This model's confidence carries no information: on {tested} it was"
            f" {100 * _mean_confidence(validation):.0f} % sure on average and right in"
            f" {100 * right:.0f} %."
        )
        return Confidence(temperature, False, words)
    words = f"Its confidence was checked on {tested}"
    if temperature > 1:
        words += f" and softened by a temperature of {temperature:.2f}"
    if leaked_share(p, "val"):
        words += "; it has trained on some of them, so it is too sure of new patients"
    return Confidence(temperature, True, f"{words}.")


def _mean_confidence(p: pd.DataFrame) -> float:
    return float(probabilities_of(p).max(axis=1).mean())
