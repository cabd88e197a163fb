"""Where pictures lie in a run's feature space, and whether patients or classes lie together."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lymph.errors import RunError
from lymph.runs import Run
from lymph.training import folder as files

MAIN_DIRECTIONS = 50
BLOCK = 512


class Embedding(NamedTuple):
    """A run's pictures, prediction table with a column ``digest``, and their features, N x D."""

    table: pd.DataFrame
    features: np.ndarray


class NeighbourRates(NamedTuple):
    """What the nearest picture of a picture is, as shares of all pictures, 0 to 1.

    Attributes
    ----------
    same_patient : float
        It is of the same patient.
    same_class : float
        It is of the same class, whoever's it is.
    same_class_other_patient : float
        The nearest picture *of another patient* is of the same class.
    chance : float
        What ``same_class_other_patient`` would be if neighbours came at random.
    """

    same_patient: float
    same_class: float
    same_class_other_patient: float
    chance: float


def run_features(run: Run) -> Embedding:
    """Read the last hidden features that a finished run kept of all its pictures.

    Raises
    ------
    RunError
        When the run kept none: it has not finished, an older version made it, or it is a
        cross-validation, whose folds have a feature space each.
    """
    try:
        with np.load(run.path / files.FEATURES, allow_pickle=False) as kept:
            names, digests = kept["picture"], kept["digest"]
            features = kept["features"].astype(np.float32)
        if features.ndim != 2 or not len(names) == len(digests) == len(features):
            raise ValueError("its arrays do not belong together")
    except FileNotFoundError as error:
        raise RunError(
            "This run kept no features of its pictures: it has not finished, an older version made"
            " it, or it is a cross-validation, whose folds have a feature space each. Choose a"
            " finished run of one split, or train it again."
        ) from error
    except Exception as error:  # zipfile, numpy and zlib each fail in their own ways.
        raise RunError("The run's features are damaged; train it again.") from error
    kept_table = pd.DataFrame({"picture": names, "digest": digests, "row": np.arange(len(names))})
    table = run.predictions().merge(kept_table, on="picture", how="inner")
    return Embedding(table.drop(columns="row"), features[table["row"].to_numpy(int)])


def project(features: np.ndarray, method: str = "pca", seed: int = 0) -> np.ndarray:
    """Lay features out in two dimensions.

    Parameters
    ----------
    features : ndarray, shape (N, D)
    method : str
        ``pca``, at once and the same each time, or ``tsne``, which takes seconds and keeps
        neighbours together (van der Maaten & Hinton 2008).
    seed : int

    Returns
    -------
    ndarray of float64, shape (N, 2)
    """
    main = _compact(features, seed)
    main = np.pad(main, ((0, 0), (0, max(0, 2 - main.shape[1]))))
    if method == "pca" or len(features) < 4:
        return main[:, :2].astype(np.float64)
    # Loaded late: only the layout on demand needs it.
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    layout = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return layout.fit_transform(main).astype(np.float64)


def neighbour_rates(
    features: np.ndarray, labels: np.ndarray, patients: np.ndarray
) -> NeighbourRates:
    """Ask of each picture whether its nearest one shares its patient, or its class.

    A space that holds the patients together but not the classes has learnt the stain.

    Parameters
    ----------
    features : ndarray, shape (N, D)
    labels, patients : ndarray of str, shape (N,)
    """
    nearest, stranger = _nearest(_compact(features), patients)
    has_other = stranger >= 0
    right = labels[stranger] == labels
    first = {patient: row for row, patient in enumerate(patients)}
    by_patient = {
        patient: _chance(labels, patients, row) for patient, row in first.items() if has_other[row]
    }
    chance = [by_patient[patient] for patient in patients[has_other]]
    return NeighbourRates(
        float((patients[nearest] == patients).mean()),
        float((labels[nearest] == labels).mean()),
        float(right[has_other].mean()) if has_other.any() else float("nan"),
        float(np.mean(chance)) if chance else float("nan"),
    )


def _chance(labels: np.ndarray, patients: np.ndarray, row: int) -> float:
    return float((labels[patients != patients[row]] == labels[row]).mean())


def _compact(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Keep the main directions: neighbours stay, and thousands of pictures take a second."""
    if len(features) < 2:
        return np.zeros((len(features), 1), np.float32)
    # Loaded late: pages import this module, and scikit-learn takes a second.
    from sklearn.decomposition import PCA

    count = min(MAIN_DIRECTIONS, *features.shape)
    return PCA(count, random_state=seed).fit_transform(features.astype(np.float32))


def _nearest(features: np.ndarray, patients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest other row, and nearest row of another patient (-1: none)."""
    squares = (features**2).sum(axis=1)
    nearest, stranger = np.zeros(len(features), int), np.zeros(len(features), int)
    for start in range(0, len(features), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(features)))
        away = squares - 2 * features[rows] @ features.T
        away[np.arange(len(rows)), rows] = np.inf
        nearest[rows] = away.argmin(axis=1)
        away[patients[rows][:, None] == patients] = np.inf
        stranger[rows] = np.where(np.isfinite(away.min(axis=1)), away.argmin(axis=1), -1)
    return nearest, stranger


def nearest_pictures(embedding: Embedding, features: np.ndarray, count: int = 5) -> pd.DataFrame:
    """Return the training pictures nearest to a new one, nearest first.

    Parameters
    ----------
    embedding : Embedding
    features : ndarray, shape (D,)
    count : int

    Returns
    -------
    DataFrame
        picture, label, patient, distance (Euclidean, in feature space).
    """
    rows = np.flatnonzero((embedding.table["set"] == "train").to_numpy())
    away = np.linalg.norm(embedding.features[rows] - features, axis=1)
    first = np.argsort(away, kind="stable")[:count]
    chosen = embedding.table.iloc[rows[first]][["picture", "label", "patient"]]
    return chosen.assign(distance=away[first]).reset_index(drop=True)
