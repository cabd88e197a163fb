"""Whether the probabilities can be believed: reliability, proper scores, and one temperature."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from lymph.errors import EvaluationError
from lymph.evaluation.metrics import class_codes
from lymph.predictions import classes_of_predictions, probabilities_of

# A probability of zero for the truth would cost infinitely much; float32 softmax underflows to it.
SMALLEST_PROBABILITY = 1e-12
TEMPERATURES = (0.05, 20.0)


def negative_log_likelihood(p: pd.DataFrame) -> float:
    """Mean of -ln of the probability of the true class, in nats; ln K for a uniform guess of K."""
    return float(-np.mean(np.log(np.maximum(_of_truth(p), SMALLEST_PROBABILITY))))


def brier_score(p: pd.DataFrame) -> float:
    """Mean squared distance of the probabilities from the one-hot truth, 0 to 2 (Brier 1950)."""
    values, codes = probabilities_of(p), class_codes(p["label"], classes_of_predictions(p))
    return float(np.mean(np.sum((values - np.eye(values.shape[1])[codes]) ** 2, axis=1)))


def reliability_table(p: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Compare confidence and accuracy in bins of equal width.

    Returns
    -------
    pandas.DataFrame
        ``bins`` rows: low, high (bounds of the confidence, upper one included), pictures,
        confidence (mean probability of the predicted class) and accuracy; both NaN in an empty
        bin.

    Raises
    ------
    EvaluationError
        When there are no pictures or ``bins`` is below 1.
    """
    if bins < 1 or p.empty:
        raise EvaluationError(
            "Reliability needs at least one picture and one bin: choose another set."
        )
    confidence = probabilities_of(p).max(axis=1)
    right = (p["label"] == p["predicted"]).to_numpy(dtype=np.float64)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values, minlength=bins) for values in (confidence, right)]
    means = [np.divide(s, count, out=np.full(bins, np.nan), where=count > 0) for s in sums]
    columns = {"low": edges[:-1], "high": edges[1:], "pictures": count}
    return pd.DataFrame(columns | {"confidence": means[0], "accuracy": means[1]})


def expected_calibration_error(p: pd.DataFrame, bins: int = 15) -> float:
    """Mean gap of confidence and accuracy over bins, 0 to 1 (Guo et al. 2017, arXiv 1706.04599)."""
    table = reliability_table(p, bins)
    gap = (table["confidence"] - table["accuracy"]).abs().fillna(0)
    return float((gap * table["pictures"]).sum() / table["pictures"].sum())


def fit_temperature(validation: pd.DataFrame) -> float:
    """Find the temperature that minimises the negative log-likelihood of validation pictures.

    Fit it on patients that are not tested. Logarithms of probabilities serve as logits: they
    differ by a constant a row, which softmax ignores (Guo et al. 2017, arXiv 1706.04599).

    Returns
    -------
    float
        Between 0.05 and 20; above 1 the model was too sure of itself. A bound is returned when the
        pictures set no limit, for instance when every one is right.

    Raises
    ------
    EvaluationError
        When there are no pictures.
    """
    if validation.empty:
        raise EvaluationError(
            "A temperature needs validation pictures: split off some patients for it."
        )

    def loss(log_temperature: float) -> float:
        scaled = apply_temperature(validation, float(np.exp(log_temperature)))
        return negative_log_likelihood(scaled)

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


def apply_temperature(p: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Return the table with probabilities softened by a temperature; predictions stay the same.

    Raises
    ------
    EvaluationError
        When the temperature is not above 0.
    """
    if not temperature > 0:
        raise EvaluationError(f"A temperature of {temperature} has no meaning: give one above 0.")
    logits = np.log(np.maximum(probabilities_of(p), SMALLEST_PROBABILITY))
    columns = [f"p_{name}" for name in classes_of_predictions(p)]
    softened = p.copy()
    softened[columns] = softmax(logits / temperature, axis=1)
    return softened


def _of_truth(p: pd.DataFrame) -> np.ndarray:
    codes = class_codes(p["label"], classes_of_predictions(p))
    return probabilities_of(p)[np.arange(len(p)), codes]
