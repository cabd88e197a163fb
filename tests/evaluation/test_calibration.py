"""Calibration: known scores, and a temperature that is found again."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from lymph.errors import EvaluationError
from lymph.evaluation import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    make_predictions,
    negative_log_likelihood,
    probabilities_of,
    reliability_table,
)

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


def drawn_from(logits: np.ndarray, temperature: float) -> pd.DataFrame:
    """Truth drawn from the softmax of the logits, predictions made too sure by ``temperature``."""
    rng = np.random.default_rng(1)
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (rng.random((len(logits), 1)) > honest.cumsum(axis=1)[:, :-1]).sum(axis=1)
    told = np.exp(logits * temperature)
    pictures = pd.DataFrame({"picture": np.arange(len(logits)).astype(str)}).assign(
        label=np.array(CLASSES, dtype=object)[truth], patient="a", slide="a", set="val"
    )
    return make_predictions(pictures, told / told.sum(axis=1, keepdims=True), CLASSES)


def test_scores_of_a_uniform_guess(from_rows: Maker) -> None:
    table = from_rows([("a", name, "CLL") for name in CLASSES], sure=1 / 3)
    assert negative_log_likelihood(table) == pytest.approx(np.log(3))
    assert brier_score(table) == pytest.approx(2 / 3)
    assert expected_calibration_error(table) == pytest.approx(0)


def test_scores_of_certainty(from_rows: Maker) -> None:
    right = from_rows([("a", "FL", "FL")], sure=1.0)
    wrong = from_rows([("a", "FL", "CLL")], sure=1.0)
    assert (negative_log_likelihood(right), brier_score(right)) == (0, 0)
    assert (brier_score(wrong), expected_calibration_error(wrong)) == (2, 1)
    assert np.isfinite(negative_log_likelihood(wrong))


def test_likelihood_agrees_with_scikit_learn(random_table: Maker) -> None:
    table = random_table()
    expected = log_loss(table["label"].to_numpy(object), probabilities_of(table), labels=CLASSES)
    assert negative_log_likelihood(table) == pytest.approx(expected)


def test_reliability_counts_every_picture_once(random_table: Maker) -> None:
    table = random_table(pictures=500)
    bins = reliability_table(table, bins=10)
    filled = bins[bins["pictures"] > 0]
    assert bins["pictures"].sum() == 500 and len(bins) == 10
    assert ((filled["confidence"] > filled["low"]) & (filled["confidence"] <= filled["high"])).all()
    assert bins.loc[bins["pictures"] == 0, "accuracy"].isna().all()


def test_an_overconfident_model_is_cooled() -> None:
    table = drawn_from(np.random.default_rng(0).normal(0, 1.5, (6000, 3)), temperature=2.5)
    temperature = fit_temperature(table)
    cooled = apply_temperature(table, temperature)
    assert temperature == pytest.approx(2.5, rel=0.08)
    assert negative_log_likelihood(cooled) < negative_log_likelihood(table)
    assert expected_calibration_error(cooled) < 0.03 < expected_calibration_error(table)
    assert (probabilities_of(cooled).argmax(axis=1) == probabilities_of(table).argmax(axis=1)).all()


def test_a_temperature_of_one_changes_nothing(random_table: Maker) -> None:
    table = random_table()
    same = apply_temperature(table, 1.0)
    np.testing.assert_allclose(probabilities_of(same), probabilities_of(table), atol=1e-12)


def test_impossible_requests_are_plain_errors(random_table: Maker) -> None:
    empty = random_table().iloc[:0]
    with pytest.raises(EvaluationError, match="above 0"):
        apply_temperature(empty, 0)
    with pytest.raises(EvaluationError, match="validation"):
        fit_temperature(empty)
    with pytest.raises(EvaluationError, match="picture"):
        reliability_table(empty)
