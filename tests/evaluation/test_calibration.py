"""Calibration: known scores, and a temperature that is found again."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from bench.confidence import convicted
from bench.coverage import draw_table
from lymph.errors import EvaluationError
from lymph.evaluation import (
    apply_temperature,
    brier_score,
    by_patient,
    calibrate,
    error_of_perfect,
    expected_calibration_error,
    fit_temperature,
    fitted_temperature,
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


def test_calibrate_gives_the_same_scores_with_intervals(random_table: Maker) -> None:
    table = random_table(pictures=374, patients=29)
    expected = {
        "negative_log_likelihood": negative_log_likelihood(table),
        "brier_score": brier_score(table),
        "expected_calibration_error": expected_calibration_error(table),
    }
    found = calibrate(table)
    assert set(found.scores) == set(expected)
    for name, (value, (low, high)) in found.scores.items():
        assert value == pytest.approx(expected[name], abs=1e-12), name
        assert 0 <= low < high
    for name in ("negative_log_likelihood", "brier_score"):
        value, (low, high) = found.scores[name]
        assert low < value < high
    pd.testing.assert_frame_equal(found.reliability, reliability_table(table))


def test_a_single_patient_or_equal_losses_give_no_interval_of_the_loss(from_rows: Maker) -> None:
    """No interval is without width: where the patients cannot tell, none is given."""
    for people in ("a", "abc"):
        scores = calibrate(from_rows([(who, "FL", "FL") for who in people])).scores
        assert scores["negative_log_likelihood"][1] is None
        low, high = scores["brier_score"][1]
        assert low < high


def test_patients_can_be_calibrated_too(random_table: Maker) -> None:
    found = calibrate(by_patient(random_table(pictures=374, patients=29)))
    assert found.reliability["pictures"].sum() == 29


def test_the_temperature_comes_from_validation_alone(random_table: Maker) -> None:
    logits = np.random.default_rng(0).normal(size=(600, 3)) * 1.5
    validation = drawn_from(logits, temperature=2.5)
    test = random_table()
    both = pd.concat([validation, test], ignore_index=True)
    fitted = fitted_temperature(both)
    assert fitted.value == pytest.approx(fit_temperature(validation))
    assert (fitted.pictures, fitted.patients, fitted.bounded) == (600, 1, False)
    with pytest.raises(EvaluationError, match="validation"):
        fitted_temperature(test)


def test_a_perfectly_calibrated_model_is_not_convicted() -> None:
    """Regression: at 2 patients per class its calibration error is .12 to .34, by chance alone."""
    pairs = convicted(np.random.default_rng(0), 30, 2, settings=((0.7, 1.0), (3.0, 0.3)))
    for level, judged in pairs.items():
        above, errors = np.transpose(judged)
        assert above.mean() <= 0.1, level
        assert errors.max() > 0.05


def test_a_model_that_is_far_too_sure_is_convicted() -> None:
    """Chance explains little where ten patients per class were answered 2.5 times too surely."""
    rng = np.random.default_rng(0)
    sure = [calibrate(draw_table(rng, 10, 1.5, 0.3, 3.5)) for _ in range(10)]
    assert sum(not one.error_is_chance for one in sure) >= 8


def test_perfect_calibration_is_simulated_alike_each_time(random_table: Maker) -> None:
    """The same seed, the same figures; more pictures of independent patients, less by chance."""
    few, many = random_table(40, 40), random_table(2000, 2000)
    assert error_of_perfect(few) == error_of_perfect(few)
    assert error_of_perfect(many).high < error_of_perfect(few).mean
    # Pictures of few patients are worth less than as many of independent ones.
    clumped = draw_table(np.random.default_rng(3), 3, 0.7, 2.0, 0.14)
    alone = clumped.assign(patient=clumped["picture"])
    assert error_of_perfect(clumped).high > error_of_perfect(alone).high


def test_a_single_patient_tells_nothing_of_chance(from_rows: Maker) -> None:
    found = calibrate(from_rows([("a", "FL", "FL")] * 5 + [("a", "FL", "CLL")] * 3))
    assert found.perfect is None and not found.error_is_chance
    assert found.skill is None  # a single class: nothing to be better than
    assert error_of_perfect(by_patient(from_rows([("a", "FL", "FL")]))) is not None


def test_a_curve_needs_ten_patients_of_each_class(from_rows: Maker) -> None:
    """A class that the set lacks counts as none."""
    rows = [(f"{name}{n}", name, name) for name in CLASSES for n in range(10)]
    assert calibrate(from_rows(rows)).has_curve
    assert calibrate(from_rows(rows[1:])).patients_per_class == 9
    assert not calibrate(from_rows(rows[1:])).has_curve
    assert calibrate(from_rows(rows[:10])).patients_per_class == 0


def test_skill_is_measured_from_the_base_rate(from_rows: Maker) -> None:
    """Zero where the shares of the classes are stated, one where all is known."""
    rows = [(f"p{n}", name, "CLL") for n, name in enumerate(CLASSES * 4)]
    skill, pair = calibrate(from_rows(rows, sure=1 / 3)).skill
    assert skill == pytest.approx(0) and pair[0] < 0 < pair[1]
    right = from_rows([(f"p{n}", name, name) for n, name in enumerate(CLASSES * 4)], sure=1.0)
    assert calibrate(right).skill[0] == 1


def test_a_temperature_without_limit_says_so(from_rows: Maker) -> None:
    perfect = from_rows([("a", "FL", "FL"), ("b", "CLL", "CLL")], set_name="val")
    assert fitted_temperature(perfect).bounded


def test_temperature_corrects_what_was_too_sure() -> None:
    logits = np.random.default_rng(2).normal(size=(800, 3)) * 1.5
    sure = drawn_from(logits, temperature=3.0)
    softened = apply_temperature(sure, fit_temperature(sure))
    before, after = calibrate(sure).scores, calibrate(softened).scores
    for name in before:
        assert after[name][0] < before[name][0]
