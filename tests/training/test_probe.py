"""The head of a linear probe: known answers, and a regularisation that no test patient chooses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits
from torch import nn

from lymph.errors import RunError
from lymph.models.networks import DIRECTIONS, ProbeHead, Standardise, WhitenedLinear
from lymph.models.tiles import Tiled, TiledFeatures
from lymph.training import probe
from lymph.training.config import TrainConfig
from lymph.training.probe import HeadFit, choose_head, main_axes, picture_weights

CLASSES = {"CLL": 1.0, "FL": 1.0}


def made(
    patients: int = 6, pictures: int = 5, width: int = 12, shift: float = 2.0, seed: int = 0
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return features and table; the classes differ by ``shift`` in the first feature."""
    rng = np.random.default_rng(seed)
    rows = [(f"p{who}", ("CLL", "FL")[who % 2]) for who in range(patients)]
    table = pd.DataFrame(
        [row for row in rows for _ in range(pictures)], columns=["patient", "label"]
    )
    table["picture"] = [f"{label}/{i}.png" for i, label in enumerate(table["label"])]
    features = rng.normal(size=(len(table), width))
    features[:, 0] += shift * (table["label"] == "FL")
    return features.astype(np.float32), table


def head_of(width: int, classes: int = 2) -> nn.Sequential:
    """Return a head that has learned nothing."""
    return nn.Sequential(Standardise(width), WhitenedLinear(width, classes, DIRECTIONS))


def test_every_patient_weighs_the_same_times_its_class() -> None:
    """Ten pictures of one patient and two of another: each patient has half of the weight."""
    table = pd.DataFrame({"patient": ["a"] * 10 + ["b"] * 2, "label": ["CLL"] * 10 + ["FL"] * 2})
    weights = picture_weights(table, CLASSES)
    assert weights.mean() == pytest.approx(1)
    assert weights[:10].sum() == pytest.approx(weights[10:].sum()) == pytest.approx(6)
    doubled = picture_weights(table, {"CLL": 1.0, "FL": 2.0})
    assert doubled[10:].sum() == pytest.approx(2 * doubled[:10].sum())


@pytest.mark.parametrize("whitened", [True, False])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_the_fit_is_scikit_learns(strength: float, whitened: bool) -> None:
    """The same weighted, regularised logistic regression along the same directions."""
    features, table = made()
    weights = picture_weights(table.iloc[:-3], CLASSES)
    # Three classes: of two, scikit-learn regularises one set of weights, softmax both.
    features, labels = features[:-3], np.arange(len(table) - 3) // 5 % 3
    head = head_of(features.shape[1], classes=3)
    given = [torch.from_numpy(features), torch.from_numpy(labels)]
    fit = HeadFit(head, *given, torch.from_numpy(weights).float(), strength, whitened)
    optimiser = fit.optimiser()
    losses = []
    for _ in range(30):
        fit.step(optimiser)
        losses.append(fit.objective().item())
    assert losses == sorted(losses, reverse=True)
    scaled = (features - features.mean(0)) / features.std(0)
    along = scaled @ main_axes(scaled, whitened).T
    assert np.square(along).sum() == pytest.approx(along.size - along.shape[1], rel=1e-4)
    assert np.allclose(along.std(0, ddof=1), 1, rtol=1e-4) == whitened
    other = LogisticRegression(C=strength, tol=1e-8).fit(along, labels, weights)
    said = head(given[0]).softmax(1).detach().numpy()
    np.testing.assert_allclose(said, other.predict_proba(along), atol=2e-3)


def test_a_constant_feature_and_few_pictures_are_no_trouble() -> None:
    """No division by a spread of zero; no more directions than half of the pictures."""
    features, _ = made(patients=2, pictures=2)
    features[:, 3] = 7.0
    head = head_of(features.shape[1])
    labels = torch.tensor([0, 0, 1, 1])
    fit = HeadFit(head, torch.from_numpy(features), labels, torch.ones(4), 1.0)
    fit.step(fit.optimiser())
    assert torch.isfinite(head(torch.from_numpy(features))).all()
    assert head[1].axes.any(dim=1).sum() == 2


def test_a_signal_is_found_and_the_choice_says_on_whom() -> None:
    """The left-out patients of a clear signal are classified correctly, and counted."""
    features, table = made(patients=8, shift=6.0)
    choice = choose_head(features, table, CLASSES)
    assert (choice.folds, choice.patients, choice.pictures) == (4, 8, 40)
    assert min(choice.tried.values()) < 0.3
    assert choice.sentence.startswith(f"Regularisation C = {choice.strength:g}, directions ")
    assert len(choice.tried) == len(probe.COMBINATIONS)
    assert "8 training patients alone" in choice.sentence


def test_what_only_tells_patients_apart_gains_nothing() -> None:
    """Features that name the patient, as a stain does: patients left out are guessed at."""
    _, table = made(patients=20, pictures=3)
    best = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        codes = rng.normal(size=(20, 12))[table["patient"].str[1:].astype(int)]
        features = (codes + rng.normal(0, 0.01, codes.shape)).astype(np.float32)
        best.append(min(choose_head(features, table, CLASSES).tried.values()))
    assert np.mean(best) > 0.5


@pytest.mark.parametrize("patients", [2, 4])
def test_one_or_two_training_patients_of_a_class_leave_the_default(patients: int) -> None:
    """There is nobody to leave out, or too few: whoever is decides by luck."""
    features, table = made(patients=patients)
    choice = choose_head(features, table, CLASSES)
    assert (choice.strength, choice.tried) == (probe.USUAL.strength, {})
    assert "too few to choose on" in choice.sentence
    assert choice.whitened


def test_of_a_large_set_enough_patients_of_every_class_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tenth of the pictures: whole patients, of each class at least two."""
    monkeypatch.setattr(probe, "MOST_PICTURES", 20)
    features, table = made(patients=40)
    choice = choose_head(features, table, CLASSES)
    assert choice.pictures == 20
    assert choice.patients == 4


def test_the_choice_is_made_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: threads that waited for each other made it a minute's work beside others."""
    fitted, seen = probe._said, []

    def watched(*given: object) -> np.ndarray:
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return fitted(*given)

    monkeypatch.setattr(probe, "_said", watched)
    features, table = made()
    with threadpool_limits(2):
        choose_head(features, table, CLASSES)
    assert seen and set(seen) == {1}


def test_a_kept_choice_is_taken_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    """What a run began with it goes on with."""
    file = tmp_path / "probe.json"
    kept = {"strength": 0.1, "tried": {}, "folds": 0, "patients": 3, "pictures": 9}
    file.write_text(json.dumps(kept))
    assert probe._kept_choice(tmp_path, pytest.fail).strength == 0.1
    for text in ("[]", "{", '{"strength": 1}'):
        file.write_text(text)
        with pytest.raises(RunError, match=r"probe\.json"):
            probe._kept_choice(tmp_path, pytest.fail)


def test_a_probe_asks_for_nothing_that_it_does_not_use() -> None:
    """Phases, augmentation and patience are set aside: the run's configuration says what was."""
    config = TrainConfig(
        "x", "linear-probe", schedule="finetune", augmentation=["flips"], patience=3, epochs=5
    )
    assert (config.schedule, config.phases, config.augmentation) == ("linear_probe", [], [])
    assert (config.patience, config.epochs, config.precision) == (0, 5, "float32")
    assert TrainConfig.from_json(config.to_json()) == config


def in_tiles(features: np.ndarray, tiles: int = 3, spread: float = 0.5) -> TiledFeatures:
    """Return pictures in tiles whose features lie around the picture's own."""
    around = np.random.default_rng(1).normal(0, spread, (len(features), tiles, features.shape[1]))
    around -= around.mean(axis=1, keepdims=True)
    values = (features[:, None] + around).reshape(-1, features.shape[1]).astype(np.float32)
    return Tiled(torch.from_numpy(values), torch.full((len(features),), tiles))


def test_a_picture_of_many_tiles_weighs_no_more_than_one_of_few() -> None:
    """One picture is four times as large, with the same tissue: the same head comes out."""
    features, table = made()
    tiled, labels = in_tiles(features), torch.from_numpy(table["label"].eq("FL").to_numpy(int))
    repeats = torch.ones(len(table), dtype=torch.int64)
    repeats[0] = 4
    places = torch.cat(
        [torch.arange(3 * n, 3 * n + 3).repeat(int(count)) for n, count in enumerate(repeats)]
    )
    larger = Tiled(tiled.values[places], tiled.counts * repeats)
    weights = torch.from_numpy(picture_weights(table, CLASSES)).float()
    said = []
    for one in (tiled, larger):
        head = ProbeHead(*head_of(features.shape[1]))
        fit = HeadFit(head, one, labels, weights, 1.0)
        optimiser = fit.optimiser()
        for _ in range(30):
            fit.step(optimiser)
        said.append(head(one).softmax(1).detach())
    torch.testing.assert_close(said[0], said[1], atol=1e-3, rtol=0)


def test_inner_folds_judge_pictures_by_their_tiles() -> None:
    """A clear signal under the noise of tiles is found; one tile each is as whole pictures are."""
    features, table = made(patients=8, shift=6.0)
    choice = choose_head(in_tiles(features, spread=2.0), table, CLASSES)
    assert min(choice.tried.values()) < 0.4 and choice.pictures == 40
    whole = choose_head(features, table, CLASSES)
    tiled = choose_head(in_tiles(features, tiles=1), table, CLASSES)
    assert tiled.tried == pytest.approx(whole.tried, rel=1e-3)


def test_what_is_clearly_better_than_the_default_is_taken() -> None:
    """The class is the one loud direction among many quiet ones that are noise."""
    rng = np.random.default_rng(3)
    _, table = made(patients=20, pictures=4)
    signal = np.where(table["label"] == "FL", 1.0, -1.0)[:, None]
    told = signal + rng.normal(0, 0.5, signal.shape)
    loud = told + rng.normal(0, 0.3, (len(table), 60))
    features = np.hstack([loud, rng.normal(0, 1, (len(table), 60))]).astype(np.float32)
    choice = choose_head(features, table, CLASSES)
    assert not choice.whitened
    assert "better than the default" in choice.sentence


@pytest.mark.parametrize(("better", "worse", "taken"), [(0.5, -0.3, False), (0.1, 0.1, True)])
def test_what_helps_some_patients_and_harms_others_is_luck(
    better: float, worse: float, taken: bool
) -> None:
    """The mean gain over ten patients is the same, and its standard error is not."""
    _, table = made(patients=10, pictures=2)
    losses = np.ones((len(probe.COMBINATIONS), len(table)))
    losses[0] -= np.repeat([better, worse] * 5, 2)
    found = probe._best(losses, table, np.ones(len(table)))
    assert found == (probe.COMBINATIONS[0] if taken else probe.USUAL)
