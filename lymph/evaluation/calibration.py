"""Whether the probabilities can be believed: reliability, proper scores, and one temperature."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, softmax

from lymph.errors import EvaluationError
from lymph.evaluation.intervals import (
    METHOD,
    PRIOR_PATIENTS,
    Interval,
    as_interval,
    fold_overlap,
    patients_of,
    share_interval,
    student_t,
    sums_of_patients,
    variance_leaving_out,
)
from lymph.evaluation.metrics import class_codes
from lymph.predictions import classes_of_predictions, probabilities_of

# A probability of zero for the truth would cost infinitely much; float32 softmax underflows to it.
SMALLEST_PROBABILITY = 1e-12
# Even the surest answers, 27 nats apart, are a guess at the upper one.
TEMPERATURES = (0.05, 1000.0)
ERROR_BINS = 15
RELIABILITY_BINS = 10
# With fewer patients of a class the points of a reliability curve are chance.
CURVE_PATIENTS = 10
# Perfectly calibrated models drawn for one table, fewer where it has very many pictures.
MOST_MODELS, FEWEST_MODELS, MOST_DRAWN = 1000, 100, 5_000_000
CALIBRATION_METHOD = (
    f"Brier score: {METHOD.format(unit='answers')}. NLL: each patient is left out in turn; "
    "Student's t on the logarithm. "
    "ECE: an upper limit only, since chance alone makes it larger than zero on few pictures"
)


def negative_log_likelihood(p: pd.DataFrame) -> float:
    """Mean of -ln of the probability of the true class, in nats; ln K for a uniform guess of K."""
    return float(-np.mean(np.log(np.maximum(_of_truth(p), SMALLEST_PROBABILITY))))


def brier_score(p: pd.DataFrame) -> float:
    """Mean squared distance of the probabilities from the one-hot truth, 0 to 2 (Brier 1950)."""
    values, codes = probabilities_of(p), class_codes(p["label"], classes_of_predictions(p))
    return float(np.mean(np.sum((values - np.eye(values.shape[1])[codes]) ** 2, axis=1)))


def reliability_table(p: pd.DataFrame, bins: int = RELIABILITY_BINS) -> pd.DataFrame:
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
    place = _bins(confidence, bins)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values, minlength=bins) for values in (confidence, right)]
    means = [np.divide(s, count, out=np.full(bins, np.nan), where=count > 0) for s in sums]
    columns = {"low": edges[:-1], "high": edges[1:], "pictures": count}
    return pd.DataFrame(columns | {"confidence": means[0], "accuracy": means[1]})


def expected_calibration_error(p: pd.DataFrame, bins: int = ERROR_BINS) -> float:
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
        Between 0.05 and 1000; above 1 the model was too sure of itself. A bound is returned when
        the pictures set no limit: the lower one when every one is right, the upper one when the
        truth is no more probable than the other classes.

    Raises
    ------
    EvaluationError
        When there are no pictures.
    """
    # Loaded late: it takes a good part of a second, and only this function needs it.
    from scipy.optimize import minimize_scalar

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


class Temperature(NamedTuple):
    """A temperature, the patients and pictures it was fitted on, and whether it hit a bound."""

    value: float
    pictures: int
    patients: int
    bounded: bool


class Perfect(NamedTuple):
    """The calibration error that chance alone gives a perfectly calibrated model, 0 to 1.

    ``mean`` over such models on the same confidences, pictures and patients; of 100 of them 95 stay
    up to ``high``.
    """

    mean: float
    high: float


class Calibration(NamedTuple):
    """How far the probabilities of one table can be believed.

    Attributes
    ----------
    scores : dict
        negative_log_likelihood, brier_score and expected_calibration_error, each with its 95 %
        interval over patients, None where it cannot be given.
    reliability : DataFrame
        That of `reliability_table`.
    patients_per_class : int
        Patients of the class that has the fewest.
    skill : tuple or None
        The Brier skill score with its 95 % interval: 1 is perfect, 0 as good as always stating the
        table's own shares of the classes. None where there is a single class.
    perfect : Perfect or None
        What `error_of_perfect` gives.
    """

    scores: dict[str, tuple[float, Interval | None]]
    reliability: pd.DataFrame
    patients_per_class: int
    skill: tuple[float, Interval | None] | None
    perfect: Perfect | None
    interval_method: str = CALIBRATION_METHOD

    @property
    def has_curve(self) -> bool:
        """Tell whether there are patients enough for a reliability curve to mean something."""
        return self.patients_per_class >= CURVE_PATIENTS

    @property
    def error_is_chance(self) -> bool:
        """Tell whether the error is no larger than chance alone makes it."""
        error = self.scores["expected_calibration_error"][0]
        return self.perfect is not None and error <= self.perfect.high


def calibrate(p: pd.DataFrame) -> Calibration:
    """Score the probabilities of one set, or of patients, with intervals over patients.

    Parameters
    ----------
    p
        A table with patient, label, predicted and ``p_<class>``: pictures of one set, or patients.

    Raises
    ------
    EvaluationError
        When there are no rows.
    """
    reliability = reliability_table(p, RELIABILITY_BINS)
    sums = sums_of_patients(_calibration_terms(p), patients_of(p))
    total = sums.sum(axis=0, keepdims=True)
    exact, left = _scores_of_sums(total), _scores_of_sums(total - sums)
    overlap = fold_overlap(p)
    loss, error = "negative_log_likelihood", "expected_calibration_error"
    intervals = {
        loss: _loss_interval(float(exact[loss][0]), left[loss], overlap),
        "brier_score": _brier_interval(sums[:, 2], sums[:, 0], overlap),
        error: _error_interval(float(exact[error][0]), left[error], overlap),
    }
    scores = {name: (float(value[0]), intervals[name]) for name, value in exact.items()}
    people = p.groupby("label")["patient"].nunique().reindex(classes_of_predictions(p)).fillna(0)
    return Calibration(
        scores,
        reliability,
        int(people.min()),
        _skill(p, *scores["brier_score"]),
        error_of_perfect(p),
    )


def _skill(p: pd.DataFrame, brier: float, pair: Interval | None) -> tuple | None:
    """Set a Brier score beside that of always stating the shares of the classes."""
    base = 1 - float((p["label"].value_counts(normalize=True) ** 2).sum())
    if base <= 0:
        return None
    return 1 - brier / base, pair and (1 - pair[1] / base, 1 - pair[0] / base)


def error_of_perfect(p: pd.DataFrame, seed: int = 0) -> Perfect | None:
    """Simulate the calibration error of perfectly calibrated models on as many pictures, patients.

    Each model states the confidences of the table and is right as often as it states; how much
    answers about one patient go together is that of the table (a Gaussian copula).

    Parameters
    ----------
    p
        A table with patient, label, predicted and ``p_<class>``.
    seed
        The same table and seed give the same figures.

    Returns
    -------
    Perfect or None
        None for a single patient with several pictures: nobody can tell how patients differ.
    """
    confidence, unit = probabilities_of(p).max(axis=1), patients_of(p)
    gap = (p["label"] == p["predicted"]).to_numpy(np.float64) - confidence
    alike = _clustering(gap, unit)
    if alike is None:
        return None
    rng = np.random.default_rng(seed)
    models = int(np.clip(MOST_DRAWN // len(p), FEWEST_MODELS, MOST_MODELS))
    of_patient = rng.standard_normal((models, unit.max() + 1), np.float32)[:, unit]
    hard = rng.standard_normal((models, len(p)), np.float32) * np.float32(np.sqrt(1 - alike))
    hard += np.float32(np.sqrt(alike)) * of_patient
    right = hard < ndtri(confidence).astype(np.float32)
    place = np.eye(ERROR_BINS)[_bins(confidence, ERROR_BINS)]
    errors = np.abs((right - confidence) @ place).sum(axis=1) / len(p)
    return Perfect(float(errors.mean()), float(np.quantile(errors, 0.95)))


def _clustering(gap: np.ndarray, unit: np.ndarray) -> float | None:
    """Estimate how much answers about one patient go together, as a normal correlation, 0 to 1.

    From the products of the gaps of right and confidence, N, over pairs of pictures of one patient
    (``unit``, N). A gap that all patients share is no clustering, so the mean is taken away; what
    that costs with few patients is given back. None where a single patient has several pictures.
    """
    sizes = np.bincount(unit)
    pairs, rows = float(np.sum(sizes * (sizes - 1))), len(gap)
    if not pairs:
        return 0.0
    if len(sizes) < 2:
        return None
    apart = gap - gap.mean()
    variance = float(np.mean(apart**2))
    if not variance:
        return 0.0
    sums = np.bincount(unit, weights=apart)
    product = (float(np.sum(sums**2)) - rows * variance) / pairs
    left = 1 - (float(np.sum(sizes.astype(float) ** 2)) / rows - 1) / rows
    correlation = (product / variance + 1 / rows) / max(left, 1 / rows)
    # Of two normal variables cut at their middle (Sheppard 1899).
    return float(np.sin(np.pi / 2 * np.clip(correlation, 0, 0.95)))


def _loss_interval(value: float, left: np.ndarray, overlap: float) -> Interval | None:
    """Interval of a mean loss from its values with each of G patients left out.

    On the logarithm of the loss, which is skewed. None where the patients
    do not differ.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        variance = variance_leaving_out(np.log(left))
        # A variance that rests on few patients is seldom large enough.
        wider = overlap * (1 + PRIOR_PATIENTS / variance.patients)
        ratio = np.exp(student_t(len(left)) * np.sqrt(wider * variance.value))
        # No loss is larger than that of the smallest probability.
        ends = np.array([value / ratio, min(value * ratio, -np.log(SMALLEST_PROBABILITY))])
    # Rounding leaves a little of a variance that is zero.
    return as_interval(ends) if np.isfinite(ends).all() and ratio > 1 + 1e-9 else None


def _brier_interval(sums: np.ndarray, count: np.ndarray, overlap: float) -> Interval | None:
    """Interval of a Brier score, which halved is a share, from the sums of G patients."""
    return as_interval(2 * share_interval(sums / 2, count, overlap))


def _error_interval(value: float, left: np.ndarray, overlap: float) -> Interval | None:
    """Interval of the calibration error from its values with each of G patients left out.

    Chance alone makes gaps in the bins, so that on few pictures the error of a calibrated model is
    far above zero: only its upper end can be told.
    """
    variance = overlap * variance_leaving_out(left).value
    high = value + student_t(len(left)) * np.sqrt(variance)
    return as_interval(np.array([0.0, min(high, 1.0)]))


def _calibration_terms(p: pd.DataFrame) -> np.ndarray:
    """Return what the scores sum: a one, the loss, the Brier term, then the gap in each bin."""
    values, codes = probabilities_of(p), class_codes(p["label"], classes_of_predictions(p))
    rows = np.arange(len(p))
    loss = -np.log(np.maximum(_of_truth(p), SMALLEST_PROBABILITY))
    brier = np.sum((values - np.eye(values.shape[1])[codes]) ** 2, axis=1)
    confidence = values.max(axis=1)
    gaps = np.zeros((len(p), ERROR_BINS))
    gaps[rows, _bins(confidence, ERROR_BINS)] = confidence - (p["label"] == p["predicted"])
    return np.column_stack([np.ones(len(p)), loss, brier, gaps])


def _scores_of_sums(sums: np.ndarray) -> dict[str, np.ndarray]:
    count, loss, brier, gaps = sums[:, 0], sums[:, 1], sums[:, 2], np.abs(sums[:, 3:]).sum(axis=1)
    scores = {
        "negative_log_likelihood": loss,
        "brier_score": brier,
        "expected_calibration_error": gaps,
    }
    # Nothing is left of a single patient who is left out.
    return {
        name: np.divide(score, count, out=np.full(count.shape, np.nan), where=count > 0)
        for name, score in scores.items()
    }


def fitted_temperature(p: pd.DataFrame) -> Temperature:
    """Fit one temperature on the validation rows of a run's prediction table.

    Raises
    ------
    EvaluationError
        When the table has no validation rows, as after a cross-validation.
    """
    validation = p[p["set"] == "val"]
    value = fit_temperature(validation)
    low, high = TEMPERATURES
    # The search ends near a bound, never on it.
    bounded = not 1.2 * low < value < high / 1.2
    return Temperature(value, len(validation), int(validation["patient"].nunique()), bounded)


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each confidence; upper bounds belong to their bin."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)


def _of_truth(p: pd.DataFrame) -> np.ndarray:
    codes = class_codes(p["label"], classes_of_predictions(p))
    return probabilities_of(p)[np.arange(len(p)), codes]
