"""Learning a linear head on ready features: logistic regression, with patients weighted alike.

Features are put on standard scales and along their main directions, each with the same spread
(whitening). Inner folds over the training patients alone may change the default: how strong the
regularisation is, and whether the directions are whitened. Few patients choose by luck, so another
combination must be better by more than two standard errors over patients. Compared is the log loss
after one temperature: a run softens its confidence anyway. Neither validation nor test patients
have a say. L-BFGS finds the one best head there is, two iterations an epoch, so that its way can be
watched.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from lymph import workspace
from lymph.errors import RunError
from lymph.models.networks import DIRECTIONS, Standardise, WhitenedLinear
from lymph.models.tiles import LEAST_PROBABILITY, Tiled, TiledFeatures, of_pictures
from lymph.models.view import scale_words
from lymph.splits import make_folds
from lymph.training import folder as files
from lymph.training.dataset import FeatureBatches
from lymph.training.run_data import Material


class Combination(NamedTuple):
    """What a head is fitted with.

    Attributes
    ----------
    strength : float
        Inverse strength of the regularisation, as scikit-learn's C.
    whitened : bool
        Whether its main directions have the same spread. Else they keep their shares of it, and the
        few that vary most weigh most, as in plain logistic regression on standardised features.
    """

    strength: float
    whitened: bool

    @property
    def words(self) -> str:
        """Name the combination."""
        scale = "whitened" if self.whitened else "not whitened"
        return f"Regularisation C = {self.strength:g}, directions {scale}"


USUAL = Combination(1.0, True)
COMBINATIONS = tuple(
    Combination(strength, whitened)
    for whitened in (True, False)
    for strength in (1e-2, 1e-1, 1.0, 10.0)
)
# By so many standard errors of its gain a combination must be better than the usual one.
STANDARD_ERRORS = 2
# Where a class has fewer training patients than this, nothing is tried.
LEAST_PATIENTS = 3
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
    """What a head is fitted with, and what that was chosen on.

    Attributes
    ----------
    strength, whitened
        As of :class:`Combination`.
    tried : dict of float
        By combination, the log loss of left-out training patients, patients weighted alike; empty
        where nothing was tried. In runs of earlier versions the accuracy.
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
    whitened: bool = True

    @property
    def combination(self) -> Combination:
        """Return what the head is fitted with."""
        return Combination(self.strength, self.whitened)

    @property
    def sentence(self) -> str:
        """Say what was chosen, and on what."""
        chosen = self.combination.words
        if not self.tried:
            return (
                f"{chosen}: the default, since a class with fewer than {LEAST_PATIENTS} training"
                " patients leaves too few to choose on."
            )
        told = (
            f"the default; none of {len(self.tried) - 1} others was better"
            if self.combination == USUAL
            else f"the best of {len(self.tried)} combinations, and better than the default"
        )
        return (
            f"{chosen}: {told} by more than chance in {self.folds} inner folds over the"
            f" {self.patients} training patients alone, drawn {DEALS} times; each patient weighs"
            " the same."
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


# Small fits gain nothing from threads, and threads that wait for each other on a busy machine made
# this choice thirty times as much work.
@threadpool_limits.wrap(limits=1)
def choose_head(
    features: np.ndarray | TiledFeatures,
    rows: pd.DataFrame,
    classes: dict[str, float],
    seed: int = 0,
) -> Choice:
    """Choose regularisation and directions by inner folds over the training patients.

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
    if folds < LEAST_PATIENTS:
        return Choice(USUAL.strength, {}, 0, *counted)
    labels = rows["label"].to_numpy(str)
    weights = picture_weights(rows, classes)
    said = np.zeros((len(COMBINATIONS), DEALS, len(rows), len(patients)))
    for deal in range(DEALS):
        homes = make_folds(rows, folds, "patient", seed + deal).assign(rows).to_numpy(str)
        for home in np.unique(homes):
            test = homes == home
            said[:, deal, test] = _said(features, labels, weights, test)
    truth = np.unique(labels, return_inverse=True)[1]
    losses = np.array([_softened_losses(each, truth, weights) for each in said])
    best = _best(losses, rows, weights)
    totals = losses @ weights / weights.sum()
    tried = {each.words: float(loss) for each, loss in zip(COMBINATIONS, totals, strict=True)}
    return Choice(best.strength, tried, folds, *counted, whitened=best.whitened)


def _softened_losses(said: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return each picture's log loss, the mean over the deals, after the best temperature.

    Parameters
    ----------
    said : ndarray, shape (deals, N, K)
        Probabilities of the pictures while they were left out.
    truth : ndarray of int, shape (N,)
    weights : ndarray, shape (N,)
    """
    logits = np.log(np.maximum(said, LEAST_PROBABILITY))

    def losses(log_temperature: float) -> np.ndarray:
        shares = log_softmax(logits / np.exp(log_temperature), axis=-1)
        return -shares[:, np.arange(len(truth)), truth].mean(axis=0)

    found = minimize_scalar(lambda t: weights @ losses(t), bounds=(-2, 4), method="bounded")
    return losses(found.x)


def _best(losses: np.ndarray, rows: pd.DataFrame, weights: np.ndarray) -> Combination:
    """Return the best combination where it beats the default clearly, else the default.

    Parameters
    ----------
    losses : ndarray, shape (combinations, N)
    rows : DataFrame
        Picture table of the N pictures.
    weights : ndarray, shape (N,)
    """
    gains = pd.DataFrame(((losses[COMBINATIONS.index(USUAL)] - losses) * weights).T)
    of_patients = gains.groupby(rows["patient"].to_numpy(str)).sum()
    best = int(of_patients.sum().argmax())
    gain = of_patients[best]
    clear = gain.mean() > STANDARD_ERRORS * gain.std() / np.sqrt(len(gain))
    return COMBINATIONS[best] if clear else USUAL


def _enough(rows: pd.DataFrame) -> np.ndarray:
    """Return the places of all pictures, or of a large set those of patients drawn for all."""
    if len(rows) <= MOST_PICTURES:
        return np.arange(len(rows))
    # Class by class, so that each keeps its share and none is lost.
    share = MOST_PICTURES / len(rows)
    homes = rows.drop_duplicates("patient").groupby("label")["patient"]
    drawn = homes.apply(lambda own: own.sample(max(2, round(share * len(own))), random_state=0))
    return np.flatnonzero(rows["patient"].isin(drawn))


def _said(
    features: np.ndarray | TiledFeatures, labels: np.ndarray, weights: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Return the probabilities of left-out pictures, combinations x N x K; of tiles their mean."""
    train, held = (features[np.flatnonzero(rows)] for rows in (~test, test))
    names, truth = np.unique(labels, return_inverse=True)
    owned, shares = truth[~test], weights[~test]
    pictures = train
    if isinstance(train, Tiled):
        pictures = of_pictures(train).numpy()
        shares = train.of_tiles(torch.from_numpy(shares) / train.counts).numpy()
        owned = train.of_tiles(torch.from_numpy(owned)).numpy()
    scaler = StandardScaler().fit(pictures)
    along = {}
    for whitened in {each.whitened for each in COMBINATIONS}:
        axes = main_axes(scaler.transform(pictures), whitened)
        along[whitened] = [scaler.transform(_rows(one)) @ axes.T for one in (train, held)]
    found = np.zeros((len(COMBINATIONS), len(held), len(names)))
    for place, each in enumerate(COMBINATIONS):
        seen, asked = along[each.whitened]
        model = LogisticRegression(C=each.strength, max_iter=500).fit(seen, owned, shares)
        told = model.predict_proba(asked)
        if isinstance(held, Tiled):
            told = held.mean(torch.from_numpy(told)).numpy()
        found[place][:, model.classes_] = told
    return found


def _rows(features: np.ndarray | TiledFeatures) -> np.ndarray:
    """Return one row a picture, or a tile."""
    return features.values.numpy() if isinstance(features, Tiled) else features


@threadpool_limits.wrap(limits=1)
def main_axes(scaled: np.ndarray, whitened: bool = True) -> np.ndarray:
    """Return the main directions of standardised features, k x D, each divided by its spread.

    They are no more than half as many as there are pictures: those beyond are noise.

    Parameters
    ----------
    scaled : ndarray, shape (N, D)
    whitened : bool
        Else all are divided by one number, so that their mean square is 1 all the same: a strength
        of the regularisation then means as much.
    """
    count = max(1, min(DIRECTIONS, len(scaled) // 2, scaled.shape[1]))
    solver = "full" if len(scaled) < scaled.shape[1] else "covariance_eigh"
    # The stubs are of a scikit-learn that did not have this solver yet.
    # pyrefly: ignore[bad-argument-type]
    analysis = PCA(count, svd_solver=solver).fit(scaled)
    variances = analysis.explained_variance_
    if not whitened:
        variances = np.full(count, variances.mean())
    return analysis.components_ / np.maximum(np.sqrt(variances), LEAST_SPREAD)[:, None]


def begin_fit(
    folder: Path, material: Material, train: FeatureBatches, classes: dict[str, float]
) -> tuple["HeadFit", Choice]:
    """Return the fit of a run's head, with the choice that its folder keeps or gets.

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
        given = own if isinstance(own, Tiled) else own.numpy()
        chosen = choose_head(given, rows, classes, seed)
        scale = scale_words(material.config.spec)
        return replace(chosen, features=f"{material.model.backbone.told}; pictures {scale}")

    choice = processes.broadcast(_kept_choice(folder, choose) if processes.is_main else None)
    weights = torch.from_numpy(picture_weights(rows, classes)).float().to(material.device)
    head = material.model.head
    assert isinstance(head, nn.Sequential)
    fit = HeadFit(head, train.features, train.labels, weights, *choice.combination)
    return fit, choice


def _kept_choice(folder: Path, choose: Callable[[], Choice]) -> Choice:
    """Return the choice that a run's folder keeps; a run without one chooses and keeps it.

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
    whitened : bool
        Whether all directions get the same spread.
    """

    def __init__(
        self,
        head: nn.Sequential,
        features: Tensor | TiledFeatures,
        labels: Tensor,
        weights: Tensor,
        strength: float,
        whitened: bool = True,
    ) -> None:
        standardise, last = head[0], head[1]
        assert isinstance(standardise, Standardise) and isinstance(last, WhitenedLinear)
        self.penalty = 1 / (2 * strength * len(features))
        parts: Sequence[Tensor]
        if isinstance(features, Tiled):
            weights = features.of_tiles(weights / features.counts)
            # The mean over tiles then is the mean over pictures.
            weights = weights * (len(weights) / len(features))
            labels = features.of_tiles(labels)
            # All tiles at once would be in memory twice.
            parts, features = features.values.split(TOGETHER), of_pictures(features)
        else:
            parts = [features]
        if not last.axes.any():
            spread, mean = torch.std_mean(features.double(), dim=0, correction=0)
            standardise.mean.copy_(mean)
            standardise.spread.copy_(torch.where(spread < LEAST_SPREAD, 1.0, spread))
            scaled = standardise(features).double().cpu().numpy()
            axes = torch.from_numpy(main_axes(scaled, whitened))
            last.axes[: len(axes)] = axes
        along = [last.whiten(standardise(part)) for part in parts]
        self.linear, self.whitened = last.linear, torch.cat(along)
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
