"""Neighbour rates on arrangements whose answer is known; layouts; nearest pictures."""

import time

import numpy as np
import pandas as pd
import pytest

from lymph.data.source import PictureSource
from lymph.errors import RunError
from lymph.explain import Embedding, nearest_pictures, neighbour_rates, project, run_features
from lymph.runs import create_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.training.config import TrainConfig


def test_patients_in_clumps_far_from_their_class() -> None:
    """Each patient is a clump beside one of the other class: the stain, not the disease."""
    places = {"a": 0.0, "b": 1.0, "c": 100.0, "d": 101.0}
    rows = [(who, place + 0.1 * i) for who, place in places.items() for i in range(5)]
    patients = np.array([who for who, _ in rows])
    labels = np.array([{"a": "X", "b": "Y", "c": "X", "d": "Y"}[who] for who in patients])
    features = np.array([[place, 0.0, 0.0] for _, place in rows])
    rates = neighbour_rates(features, labels, patients)
    assert rates.same_patient == 1 and rates.same_class == 1
    assert rates.same_class_other_patient == 0
    assert rates.chance == pytest.approx(5 / 15)


def test_classes_in_clumps() -> None:
    """Patients mixed inside their class: the nearest stranger is of the same class."""
    features = np.array([[0.0], [0.1], [0.2], [0.3], [9.0], [9.1], [9.2], [9.3]])
    patients = np.array(list("ababcdcd"))
    labels = np.array(list("XXXXYYYY"))
    rates = neighbour_rates(features, labels, patients)
    assert rates.same_patient == 0
    assert rates.same_class_other_patient == 1


def test_one_patient_has_no_stranger() -> None:
    """No rate is invented."""
    rates = neighbour_rates(np.eye(3), np.array(list("XXX")), np.array(list("aaa")))
    assert np.isnan(rates.same_class_other_patient) and np.isnan(rates.chance)


def test_rates_agree_with_a_plain_search() -> None:
    """Against a search written out, on random features."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 8))
    patients, labels = rng.choice(list("abcdef"), 60), rng.choice(list("XYZ"), 60)
    away = np.linalg.norm(features[:, None] - features, axis=-1) + np.diag(np.full(60, np.inf))
    strangers = np.where(patients[:, None] == patients, np.inf, away).argmin(axis=1)
    rates = neighbour_rates(features, labels, patients)
    assert rates.same_patient == np.mean(patients[away.argmin(axis=1)] == patients)
    assert rates.same_class_other_patient == np.mean(labels[strangers] == labels)


@pytest.mark.slow
def test_thousands_of_pictures_take_seconds() -> None:
    """6,000 pictures with 2,048 features each: measured in seconds, not in gigabytes."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6000, 2048)).astype(np.float32)
    start = time.thread_time()
    neighbour_rates(features, rng.choice(list("XYZ"), 6000), rng.choice(list("abcdef"), 6000))
    assert time.thread_time() - start < 60


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_two_clumps_stay_apart(method: str) -> None:
    """Either layout keeps two far clumps apart, and repeats itself."""
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 1, (20, 30)), rng.normal(20, 1, (20, 30))])
    places = project(features, method)
    assert places.shape == (40, 2)
    np.testing.assert_allclose(project(features, method), places, atol=1e-3)
    # How far apart t-SNE lays them differs between versions and processors; that they do not mix
    # does not.
    middles = np.stack([places[:20].mean(axis=0), places[20:].mean(axis=0)])
    nearer = np.linalg.norm(places[:, None] - middles, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearer, np.repeat([0, 1], 20))


@pytest.mark.parametrize(("count", "width"), [(1, 4), (2, 1), (3, 5)])
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_handful_of_pictures_has_a_layout(count: int, width: int, method: str) -> None:
    """Too few for either method is no error."""
    features = np.random.default_rng(0).normal(size=(count, width))
    assert project(features, method).shape == (count, 2)


def test_nearest_pictures_come_from_the_training_set() -> None:
    """Nearest first, test pictures left out."""
    table = pd.DataFrame(
        {
            "picture": list("abcd"),
            "label": list("XXYY"),
            "patient": list("1122"),
            "set": ["train", "test", "train", "train"],
        }
    )
    embedding = Embedding(table, np.array([[0.0], [1.1], [3.0], [1.0]], np.float32))
    found = nearest_pictures(embedding, np.array([1.1]), 2)
    assert found["picture"].tolist() == ["d", "a"]
    assert found["distance"].tolist() == pytest.approx([0.1, 1.1], abs=1e-6)


def test_a_run_keeps_the_features_of_all_its_pictures(tiny_root) -> None:  # noqa: ANN001
    """Row by row those of the prediction table; a cross-validation has no single space."""
    table = PictureSource(tiny_root).usable()
    run = create_run(TrainConfig(str(tiny_root), epochs=1), split_by_patient(table))
    train_here(run)
    embedding = run_features(run)
    assert embedding.features.shape == (36, 64)
    assert embedding.table["picture"].tolist() == run.predictions()["picture"].tolist()
    assert embedding.table["digest"].is_unique
    (run.path / "features.npz").write_bytes(b"nothing")
    with pytest.raises(RunError, match="damaged"):
        run_features(run)
    folds = create_run(TrainConfig(str(tiny_root), epochs=1), make_folds(table, 2, "patient", 0))
    with pytest.raises(RunError, match="a feature space each"):
        run_features(folds)
