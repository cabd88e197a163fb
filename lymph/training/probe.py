"""Learning a linear head on ready features: logistic regression, with patients weighted alike.

Features are put on standard scales and along their main directions, each with the same spread
(PCA whitening). The regularisation is chosen by inner folds over the training patients alone;
neither validation nor test patients have a say. L-BFGS finds the one best head there is, two
iterations an epoch, so that its way can be watched.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from lymph import workspace
from lymph.errors import RunError
from lymph.models.networks import DIRECTIONS, Standardise, WhitenedLinear
from lymph.models.tiles import TiledFeatures
from lymph.models.view import scale_words
from lymph.splits import make_folds
from lymph.training import folder as files
from lymph.training.dataset import FeatureBatches
from lymph.training.run_data import Material

# The inverse strength of the regularisation, as scikit-learn's C; without inner folds the default.
STRENGTHS = (1e-2, 1e-1, 1.0, 10.0)
DEFAULT_STRENGTH = 1.0
# Folds of few patients choose by luck: they are dealt several times.
INNER_FOLDS = 5
DEALS = 3
# Of a larger set, the patients that are enough to choose by are drawn.
MOST_PICTURES = 2_000

ITERATIONS = 2
HISTORY = 20
# A feature that varies less is constant.
LEAST_SPREAD = 1e-6
# Tiles that are whitened together.
TOGETHER = 4_096


@dataclass(frozen=True)
class Choice:
    """The regularisation of a head, and what it was chosen on.

    Attributes
    ----------
    strength : float
        Inverse strength, as scikit-learn's C.
    tried : dict of float
        The share of pictures of left-out training patients that each strength classifies correctly,
        patients weighted alike; empty where none was tried.
    folds, patients, pictures : int
        The inner folds, and the training patients and pictures that they were made of.
    features : str
        What the head learns from: the encoder, what of it, and the scale of the pictures.
    """

    strength: float
    tried: dict[str, float]
    folds: int
    patients: int
    pictures: int
    features: str = ""

    @property
    def sentence(self) -> str:
        """Say what was chosen, and on what."""
        if not self.tried:
            return (
                f"Regularisation C = {self.strength:g}, the default: a class with a single"
                " training patient leaves nobody to choose on."
            )
        return (
            f"Regularisation C = {self.strength:g}, of {len(self.tried)} that were tried by"
            f" {self.folds} inner folds over the {self.patients} training patients alone, dealt"
            f" {DEALS} times; each patient weighs the same."
        )


def picture_weights(rows: pd.DataFrame, classes: dict[str, float]) -> np.ndarray:
    """Return a weight for each training picture: all patients weigh alike, times their class's.

    Parameters
    ----------
    rows : DataFrame
        Picture table of the training pictures.
    classes : dict of float
        The weight of each class in the loss.

    Returns
    -------
    ndarray of float64, shape (N,)
        With mean 1.
    """
    counts = rows.groupby("patient")["patient"].transform("size").to_numpy(float)
    weights = rows["label"].map(classes).to_numpy(float) / counts
    return weights / weights.mean()


def choose_strength(
    features: np.ndarray | TiledFeatures,
    rows: pd.DataFrame,
    classes: dict[str, float],
    seed: int = 0,
) -> Choice:
    """Choose the regularisation by inner folds over the training patients.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D), or TiledFeatures
        Of the training pictures, and of no others.
    rows : DataFrame
        Picture table of the same pictures.
    classes : dict of float
        The weight of each class in the loss.
    seed : int
        Of the folds.
    """
    chosen = _enough(rows)
    rows, features = rows.iloc[chosen], features[chosen]
    patients = rows.groupby("label")["patient"].nunique()
    counted = int(rows["patient"].nunique()), len(rows)
    folds = int(min(INNER_FOLDS, patients.min()))
    if folds < 2:
        return Choice(DEFAULT_STRENGTH, {}, 0, *counted)
    weights = picture_weights(rows, classes)
    right = np.zeros(len(STRENGTHS))
    for deal in range(DEALS):
        homes = make_folds(rows, folds, "patient", seed + deal).assign(rows).to_numpy(str)
        for home in np.unique(homes):
            right += _right(features, rows["label"].to_numpy(str), weights, homes == home)
    shares = right / (DEALS * weights.sum())
    tried = {f"{c:g}": float(share) for c, share in zip(STRENGTHS, shares, strict=True)}
    # Of equals the one that is held back most.
    return Choice(STRENGTHS[int(np.argmax(shares))], tried, folds, *counted)


def _enough(rows: pd.DataFrame) -> np.ndarray:
    """Return the places of all pictures, or of a large set those of patients drawn for all."""
    if len(rows) <= MOST_PICTURES:
        return np.arange(len(rows))
    # Class by class, so that each keeps its share and none is lost.
    share = MOST_PICTURES / len(rows)
    homes = rows.drop_duplicates("patient").groupby("label")["patient"]
    drawn = homes.apply(lambda own: own.sample(max(2, round(share * len(own))), random_state=0))
    return np.flatnonzero(rows["patient"].isin(drawn))


def _right(
    features: np.ndarray | TiledFeatures, labels: np.ndarray, weights: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Return for each strength the summed weight of left-out pictures classified correctly."""
    if isinstance(features, TiledFeatures):
        return _right_by_tiles(features, labels, weights, test)
    scaler = StandardScaler().fit(features[~test])
    train, held = scaler.transform(features[~test]), scaler.transform(features[test])
    axes = main_axes(train)
    train, held = train @ axes.T, held @ axes.T
    found = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=500)
        model.fit(train, labels[~test], weights[~test])
        found.append(weights[test][model.predict(held) == labels[test]].sum())
    return np.array(found)


def _right_by_tiles(
    features: TiledFeatures, labels: np.ndarray, weights: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Do so where a picture is judged by the mean over its tiles."""
    train, held = features[np.flatnonzero(~test)], features[np.flatnonzero(test)]
    scaler = StandardScaler().fit(train.of_pictures().numpy())
    axes = main_axes(scaler.transform(train.of_pictures().numpy()))
    seen, asked = (scaler.transform(one.features.numpy()) @ axes.T for one in (train, held))
    names, truth = np.unique(labels[~test], return_inverse=True)
    shares = train.of_tiles(torch.from_numpy(weights[~test]) / train.counts).numpy()
    owned = train.of_tiles(torch.from_numpy(truth)).numpy()
    found = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=500).fit(seen, owned, shares)
        said = held.mean(torch.from_numpy(model.predict_proba(asked))).argmax(dim=1).numpy()
        found.append(weights[test][names[said] == labels[test]].sum())
    return np.array(found)


def main_axes(scaled: np.ndarray) -> np.ndarray:
    """Return the main directions of standardised features, k x D, each divided by its spread.

    They are no more than half as many as there are pictures: those beyond are noise.

    Parameters
    ----------
    scaled : ndarray, shape (N, D)
    """
    count = max(1, min(DIRECTIONS, len(scaled) // 2, scaled.shape[1]))
    solver = "full" if len(scaled) < scaled.shape[1] else "covariance_eigh"
    # The stubs are of a scikit-learn that did not have this solver yet.
    # pyrefly: ignore[bad-argument-type]
    analysis = PCA(count, svd_solver=solver).fit(scaled)
    spreads = np.sqrt(analysis.explained_variance_)[:, None]
    return analysis.components_ / np.maximum(spreads, LEAST_SPREAD)


def begin_fit(
    folder: Path, material: Material, train: FeatureBatches, classes: dict[str, float]
) -> tuple["HeadFit", Choice]:
    """Return the fit of a run's head, with the regularisation that its folder keeps or gets.

    Parameters
    ----------
    train : FeatureBatches
        Of the training pictures, in the order of the table.
    classes : dict of float
        The weight of each class in the loss.
    """
    rows = material.data.table.iloc[material.data.rows("train")]
    seed, processes = material.config.seed, material.processes

    def choose() -> Choice:
        own = train.features.to(torch.device("cpu"))
        given = own if isinstance(own, TiledFeatures) else own.numpy()
        chosen = choose_strength(given, rows, classes, seed)
        scale = scale_words(material.config.spec)
        return replace(chosen, features=f"{material.model.backbone.told}; pictures {scale}")

    choice = processes.broadcast(_kept_choice(folder, choose) if processes.is_main else None)
    weights = torch.from_numpy(picture_weights(rows, classes)).float().to(material.device)
    head = material.model.head
    assert isinstance(head, nn.Sequential)
    return HeadFit(head, train.features, train.labels, weights, choice.strength), choice


def _kept_choice(folder: Path, choose: Callable[[], Choice]) -> Choice:
    """Return the regularisation that a run's folder keeps; a run without one chooses and keeps it.

    Raises
    ------
    RunError
        When the file is damaged.
    """
    path = folder / files.PROBE
    if not path.exists():
        choice = choose()
        workspace.write_json(path, asdict(choice))
        return choice
    try:
        return Choice(**workspace.read_json(path))
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"{path} cannot be read; put it back from a copy, or delete it to choose again."
        ) from error


class HeadFit:
    """The fit of a linear head to the ready features of all training pictures at once.

    Parameters
    ----------
    head : Sequential
        Of a :class:`lymph.models.networks.LinearProbe`; these features set its scales and
        directions, unless a checkpoint has.
    features : Tensor, N x D, or TiledFeatures
        Of N pictures. Tiles share the weight of their picture, and the pictures' means set the
        scales and directions, so that a picture of many tiles weighs no more than one of few.
    labels : Tensor, N
    weights : Tensor, N
        Of each picture, with mean 1.
    strength : float
        Inverse strength of the regularisation, as scikit-learn's C.
    """

    def __init__(
        self,
        head: nn.Sequential,
        features: Tensor | TiledFeatures,
        labels: Tensor,
        weights: Tensor,
        strength: float,
    ) -> None:
        standardise, last = head[0], head[1]
        assert isinstance(standardise, Standardise) and isinstance(last, WhitenedLinear)
        self.penalty = 1 / (2 * strength * len(features))
        parts: Sequence[Tensor]
        if isinstance(features, TiledFeatures):
            weights = features.of_tiles(weights / features.counts)
            # The mean over tiles then is the mean over pictures.
            weights = weights * (len(weights) / len(features))
            labels = features.of_tiles(labels)
            # All tiles at once would be in memory twice.
            parts, features = features.features.split(TOGETHER), features.of_pictures()
        else:
            parts = [features]
        if not last.axes.any():
            spread, mean = torch.std_mean(features.double(), dim=0, correction=0)
            standardise.mean.copy_(mean)
            standardise.spread.copy_(torch.where(spread < LEAST_SPREAD, 1.0, spread))
            axes = torch.from_numpy(main_axes(standardise(features).double().cpu().numpy()))
            last.axes[: len(axes)] = axes
        whitened = [last.whiten(standardise(part)) for part in parts]
        self.linear, self.whitened = last.linear, torch.cat(whitened)
        self.labels, self.weights = labels, weights

    def optimiser(self) -> torch.optim.Optimizer:
        """Return the optimiser; its state is all that a fit needs to go on."""
        return torch.optim.LBFGS(
            self.linear.parameters(),
            max_iter=ITERATIONS,
            history_size=HISTORY,
            tolerance_grad=1e-6,
            line_search_fn="strong_wolfe",
        )

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """Make the head better by a few iterations."""

        def closure() -> float:
            optimiser.zero_grad()
            loss = self.objective()
            loss.backward()
            return loss.item()

        optimiser.step(closure)

    def objective(self) -> Tensor:
        """Return what is made as small as can be: the weighted loss and the penalty."""
        losses = nn.functional.cross_entropy(
            self.linear(self.whitened), self.labels, reduction="none"
        )
        return (self.weights * losses).mean() + self.penalty * self.linear.weight.square().sum()
