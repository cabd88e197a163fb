"""How much a split by picture inflates accuracy: measured, not asserted.

A quick model, linear on ready features or the small CNN, learns the pictures and is tested on the
fold left out, once with folds by picture and once with folds by patient, over several seeds.
Nothing else differs, so that the gap between the two is what knowing the patients is worth.
Bussola et al. 2020 (arXiv 1909.06539) measure the same on large networks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from lymph.errors import SplitError
from lymph.evaluation import interval_words, metric_intervals
from lymph.evaluation.intervals import METHOD, OUT_OF_FOLD_METHOD
from lymph.models.encoder_table import DEFAULT, title_of
from lymph.splits import make_folds
from lymph.splits.split import By

FEATURES = {
    "colour": "colours alone",
    "imagenet": "frozen ImageNet features",
    "cnn": "the small CNN",
}
STARTS = {
    "colour": "On colours alone",
    "imagenet": "On frozen ImageNet features",
    "cnn": "With a small CNN trained again each time",
}
FOLDS = 5

# Thousands of features need more regularisation than 18: the probe's default.
STRENGTHS = {"colour": 1.0, "imagenet": 1e-2}

# How often the folds are dealt anew, and the pictures that are enough, so that it takes minutes.
SEEDS = {"colour": 10, "imagenet": 10, "cnn": 3}
MAX_PICTURES = {"colour": 3_000, "imagenet": 3_000, "cnn": 400}

Tell = Callable[[int, int], None]
# Of the rows left out and a seed: the classes named for those rows, and what the model sees of all
# rows, N x D, in which distances mean something.
Learn = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
# Of a picture table: the quick model that learns its classes.
Learner = Callable[[pd.DataFrame], Learn]


def linear(features: np.ndarray, table: pd.DataFrame, strength: float = 1.0) -> Learn:
    """Return the linear classifier on ready features, N x D; row i describes row i of the table.

    ``strength`` is the inverse of the regularisation's, as scikit-learn's C.
    """
    # Loaded late: pages import this module, and scikit-learn takes a second.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    labels = table["label"].to_numpy(str)

    def learn(test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        scaler = StandardScaler().fit(features[~test])
        scaled = np.asarray(scaler.transform(features))
        model = LogisticRegression(C=strength, max_iter=3000).fit(scaled[~test], labels[~test])
        return np.asarray(model.predict(scaled[test])), scaled

    return learn


def choose_pictures(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the table, or of a large one the pictures of patients drawn until there are enough."""
    if len(table) <= most:
        return table
    patients = table["patient"].drop_duplicates().sample(frac=1, random_state=0)
    before = table["patient"].value_counts().loc[patients].cumsum().shift(fill_value=0)
    chosen = set(before.index[before < most])
    return table[table["patient"].isin(chosen)].reset_index(drop=True)


def count_folds(table: pd.DataFrame) -> int:
    """Return the number of folds: five, or fewer where a class has fewer patients.

    Raises
    ------
    SplitError
        When a class has a single patient, which cannot train and test.
    """
    patients = table.groupby("label")["patient"].nunique()
    if patients.min() < 2:
        raise SplitError(
            f"{patients.idxmin()} has a single patient, so a split by patient cannot be measured;"
            " add patients of this class."
        )
    return int(min(FOLDS, patients.min()))


def measure_leak(
    learn: Learn, table: pd.DataFrame, seeds: int, tell: Tell | None = None
) -> dict[str, Any]:
    """Measure accuracy by picture and by patient, and whose the nearest picture is.

    Parameters
    ----------
    learn : callable
        The quick model, such as :func:`linear`.
    table : DataFrame
        Picture table, sound pictures only.
    seeds : int
        Times that the folds are dealt anew.
    tell : callable, optional
        Called with the rounds done and the rounds to do; may raise to stop.

    Returns
    -------
    dict
        ``pictures``, ``patients``, ``folds``, ``baseline`` (share of the largest class), and under
        ``picture`` and ``patient``: ``accuracies`` (out of fold, one a seed), ``mean``,
        ``interval`` (95 %, over patients, of the seed in the middle; ``interval_method`` names the
        method and what it leaves out) and ``same_patient_rate`` (share of test pictures whose
        nearest training picture is of the same patient; ``same_patient_rate_by_chance`` beside).
    """
    return measure_rounds(lambda _: learn, [table] * seeds, tell)


def measure_rounds(
    learner: Learner, tables: list[pd.DataFrame], tell: Tell | None = None
) -> dict[str, Any]:
    """Measure as :func:`measure_leak`, each seed on a table of its own with the same pictures."""
    first, seeds = tables[0], len(tables)
    folds = count_folds(first)
    shares = [table["label"].value_counts(normalize=True).max() for table in tables]
    result: dict[str, Any] = {
        "pictures": len(first),
        "patients": int(first["patient"].nunique()),
        "folds": folds,
        "seeds": seeds,
        "baseline": float(np.mean(shares)),
    }
    rounds = 0
    for by in ("picture", "patient"):
        answers, rates = [], []
        for seed, table in enumerate(tables):
            predicted, homes, same = _one_round(learner(table), table, by, folds, seed)
            told = {"predicted": predicted, "fold": homes}
            answers.append(table[["patient", "label"]].assign(**told))
            rates.append(same)
            rounds += 1
            if tell:
                tell(rounds, 2 * seeds)
        result[by] = _summary(answers, rates)
    result["gap"] = result["picture"]["mean"] - result["patient"]["mean"]
    return result


def _summary(tables: list[pd.DataFrame], rates: list[tuple[float, float]]) -> dict[str, Any]:
    accuracies = [float((t["predicted"] == t["label"]).mean()) for t in tables]
    middle = tables[int(np.argsort(accuracies)[len(accuracies) // 2])]
    classes = sorted(middle["label"].unique())
    interval = metric_intervals(middle, classes)["accuracy"]
    same, chance = np.mean(rates, axis=0)
    return {
        "accuracies": accuracies,
        "mean": float(np.mean(accuracies)),
        "interval": list(interval) if interval else None,
        "interval_method": f"{METHOD.format(unit='pictures')}; {OUT_OF_FOLD_METHOD}",
        "same_patient_rate": float(same),
        "same_patient_rate_by_chance": float(chance),
    }


def _one_round(
    learn: Learn, table: pd.DataFrame, by: By, folds: int, seed: int
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Predict every picture by a model that has not seen its fold; return the folds too."""
    from sklearn.neighbors import NearestNeighbors

    homes = make_folds(table, folds, by, seed).assign(table).to_numpy(str)
    patients = table["patient"].to_numpy(str)
    predicted = np.empty(len(table), dtype=object)
    same = np.zeros(len(table))
    chance = np.zeros(len(table))
    for home in np.unique(homes):
        test = homes == home
        predicted[test], seen = learn(test, seed)
        nearest = NearestNeighbors(n_neighbors=1).fit(seen[~test])
        places = np.asarray(nearest.kneighbors(seen[test], return_distance=False))[:, 0]
        same[test] = patients[~test][places] == patients[test]
        chance[test] = _shares(patients[~test], patients[test])
    return predicted, homes, (float(same.mean()), float(chance.mean()))


def _shares(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return for each test picture the share of training pictures of its own patient."""
    shares = pd.Series(train).value_counts(normalize=True)
    return shares.reindex(test).fillna(0.0).to_numpy()


def starting_words(features: str, encoder: str = DEFAULT) -> str:
    """Return how a sentence on what was measured begins: what the quick model looks at."""
    return STARTS[features] if encoder == DEFAULT else f"On frozen features of {title_of(encoder)}"


def words(result: dict[str, Any], features: str, encoder: str = DEFAULT) -> str:
    """Say the gap in one or two plain sentences, with splits, patients and intervals."""
    picture, patient = result["picture"], result["patient"]
    # As they are written, so that whoever subtracts finds the same.
    gap = round(100 * picture["mean"]) - round(100 * patient["mean"])
    measured = (
        f"{starting_words(features, encoder)}, {100 * picture['mean']:.0f} % of pictures are"
        " classified correctly when pictures are split at random,"
        f" {100 * patient['mean']:.0f} % when patients are kept apart"
        f" ({result['patients']} patients, {interval_words(patient['interval'])};"
        f" always naming the largest class: {100 * result['baseline']:.0f} %)."
    )
    if gap < 3:
        return f"{measured} Knowing the patients makes no difference that could be measured here."
    return f"{measured} {gap} points of the random split's score come from knowing the patient."
