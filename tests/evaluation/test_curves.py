"""Curves and areas are those of scikit-learn, and their intervals are honest and quick."""

import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lymph.errors import EvaluationError
from lymph.evaluation import areas, by_patient, curve
from lymph.evaluation.curves import _areas_leaving_out, _coarser
from lymph.evaluation.intervals import patients_of
from lymph.evaluation.metrics import class_codes
from lymph.predictions import make_predictions

Maker = Callable[..., pd.DataFrame]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], pd.DataFrame]:
    """Draw 2 to 6 classes, 2 to 60 rows, few distinct probabilities, so that many are equal."""
    classes = [f"c{place}" for place in range(draw(st.integers(2, 6)))]
    size = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(1, 4, size=(size, len(classes))).astype(float)
    rows = pd.DataFrame({"picture": [f"{place}.png" for place in range(size)]})
    rows["label"] = rng.choice(classes, size=size)
    rows["patient"] = rows["label"] + rng.integers(0, 4, size=size).astype(str)
    rows = rows.assign(slide="", set="test")
    return classes, make_predictions(rows, weights / weights.sum(1, keepdims=True), classes)


@settings(deadline=None, max_examples=60)
@given(tables())
def test_areas_are_those_of_scikit_learn(case: tuple[list[str], pd.DataFrame]) -> None:
    classes, table = case
    for level in (table, by_patient(table)):
        found = areas(level)
        for name in classes:
            truth, scores = level["label"] == name, level[f"p_{name}"]
            if truth.all() or not truth.any():
                assert found[name]["roc"].value is found[name]["precision_recall"].value is None
                continue
            roc = reference.roc_auc_score(truth, scores)
            precision = reference.average_precision_score(truth, scores)
            assert found[name]["roc"].value == pytest.approx(roc, abs=1e-12)
            assert found[name]["precision_recall"].value == pytest.approx(precision, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(tables())
def test_curves_are_those_of_scikit_learn(case: tuple[list[str], pd.DataFrame]) -> None:
    classes, table = case
    for name in classes:
        truth, scores = (table["label"] == name).to_numpy(), table[f"p_{name}"].to_numpy()
        ours = curve(table, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            alarms, found, thresholds = reference.roc_curve(truth, scores, drop_intermediate=False)
            precision, _, _ = reference.precision_recall_curve(truth, scores)
        np.testing.assert_allclose(ours["threshold"], thresholds[1:])
        np.testing.assert_allclose(ours["alarms"], alarms[1:])
        np.testing.assert_allclose(ours["found"], found[1:])
        np.testing.assert_allclose(ours["precision"], precision[:-1][::-1])


def test_intervals_hold_the_area_and_count_patients(random_table: Maker) -> None:
    table = random_table(pictures=374, patients=29)
    for values in areas(table).values():
        for area in values.values():
            low, high = area.interval
            assert 0 <= low < area.value < high <= 1
    alone = areas(table.assign(patient=table["picture"]))
    whole = areas(table.assign(patient=table["label"] + (table.index % 2).astype(str)))
    width = {
        kind: np.diff(found["FL"]["roc"].interval)[0]
        for kind, found in (("alone", alone), ("whole", whole))
    }
    assert width["alone"] != width["whole"]


def test_areas_leaving_out_agree_with_scikit_learn(random_table: Maker) -> None:
    table = random_table(pictures=200, patients=15, seed=3)
    unit = patients_of(table)
    codes = class_codes(table["label"], ["CLL", "FL", "MCL"])
    left = _areas_leaving_out(table, codes, unit)
    for place in range(15):
        rows = table[unit != place]
        truth, scores = rows["label"] == "FL", rows["p_FL"]
        expected = reference.roc_auc_score(truth, scores)
        assert left["roc"][place, 1] == pytest.approx(expected, abs=1e-12)
        expected = reference.average_precision_score(truth, scores)
        assert left["precision_recall"][place, 1] == pytest.approx(expected, abs=1e-12)


def test_intervals_of_areas_cover_in_a_simulation() -> None:
    """Two classes of 30 patients whose scores differ by patient: most intervals hold the truth."""
    rng, hits, runs = np.random.default_rng(1), 0, 120
    # The share of pairs in order: the difference of two sums of two unit normals, shifted by one.
    truth = 0.5 * (1 + 2 * (np.mean(rng.normal(1, 2, 400_000) > 0) - 0.5))
    for _ in range(runs):
        who = np.repeat(np.arange(60), 6)
        label = np.where(who < 30, "a", "b")
        scores = (label == "a") * 1.0 + rng.normal(size=60)[who] + rng.normal(size=360)
        chance = 1 / (1 + np.exp(-scores))
        rows = pd.DataFrame({"patient": who.astype(str), "label": label, "p_a": chance})
        low, high = areas(rows.assign(p_b=1 - chance))["a"]["roc"].interval
        hits += low <= truth <= high
    assert 0.88 <= hits / runs <= 0.995


@pytest.mark.parametrize(("pictures", "patients"), [(374, 29), (20_000, 29), (20_000, 10_000)])
def test_intervals_of_areas_are_quick(random_table: Maker, pictures: int, patients: int) -> None:
    table, seconds = random_table(pictures=pictures, patients=patients), []
    for _ in range(3):
        start = time.thread_time()  # what others do beside it does not count
        areas(table)
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 2


def test_joined_thresholds_keep_their_order() -> None:
    step = np.random.default_rng(0).integers(0, 5000, size=20_000)
    joined = _coarser(step, 400)
    assert joined.max() < 400
    order = np.argsort(step, kind="stable")
    assert (np.diff(joined[order]) >= 0).all()
    assert np.bincount(joined).max() < 3 * 20_000 / 400


def test_an_unknown_class_is_a_plain_error(random_table: Maker) -> None:
    with pytest.raises(EvaluationError, match="DLBCL"):
        curve(random_table(), "DLBCL")
