"""The negative control of the leak meter: the same measurement on classes that do not exist.

Every patient is given a class at random, so that nothing in a picture can tell it. Whoever still
answers correctly has recognised the patient. Ojala and Garriga 2010 (JMLR 11:1833) test classifiers
on permuted classes.
"""

from typing import Any

import numpy as np
import pandas as pd

from lymph.errors import SplitError
from lymph.leak.meter import Learner, Tell, measure_rounds, starting_words
from lymph.models.encoder_table import DEFAULT
from lymph.splits.make import home_class

BELOW_CHANCE = (
    "Below chance is no fault: of a class that has more patients in the test fold, fewer are left"
    " to train on, so the model leans towards the other classes."
)


def shuffle_classes(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the table with the classes dealt anew over the patients.

    Each patient keeps one class for all its pictures, and each class its number of patients.

    Parameters
    ----------
    table : DataFrame
        Picture table.
    seed : int
        Other seeds deal otherwise.
    """
    homes = home_class(table).sort_index()
    dealt = np.random.default_rng(seed).permutation(homes.to_numpy(object))
    return table.assign(label=table["patient"].map(dict(zip(homes.index, dealt, strict=True))))


def check_control(table: pd.DataFrame) -> None:
    """Refuse pictures on which the control could show nothing.

    Raises
    ------
    SplitError
        When no patient has two pictures, as where the patients are unknown.
    """
    if table["patient"].nunique() == len(table):
        raise SplitError(
            "The negative control needs patients with several pictures, and here every picture"
            " counts as a patient of its own: say on the Data page what tells the patients"
            " (--patients or --pattern)."
        )


def measure_control(
    learner: Learner,
    table: pd.DataFrame,
    seeds: int,
    tell: Tell | None = None,
    first_seed: int = 0,
) -> dict[str, Any]:
    """Measure accuracy by picture and by patient on classes shuffled over the patients.

    Parameters
    ----------
    learner : callable
        Makes the quick model of a table with its classes.
    table, seeds, tell
        As of :func:`lymph.leak.meter.measure_leak`; every seed deals classes and folds anew.
    first_seed : int
        Of the draws of classes.

    Returns
    -------
    dict
        As of :func:`lymph.leak.meter.measure_leak`, with ``baseline`` the mean over the deals, and
        ``control`` (True), ``baselines`` (share of the largest class, one a deal) and ``chance``
        (one over the number of classes).

    Raises
    ------
    SplitError
        When the patients are unknown, or a class has a single patient.
    """
    check_control(table)
    dealt = [shuffle_classes(table, seed) for seed in range(first_seed, first_seed + seeds)]
    shares = [t["label"].value_counts(normalize=True) for t in dealt]
    return {
        **measure_rounds(learner, dealt, tell),
        "control": True,
        "baselines": [float(share.max()) for share in shares],
        "chance": 1 / len(shares[0]),
    }


def draws_that_leak(result: dict[str, Any]) -> int:
    """Count the deals in which the random split beats the largest class and patients apart."""
    pairs = zip(
        result["picture"]["accuracies"],
        result["patient"]["accuracies"],
        result["baselines"],
        strict=True,
    )
    return sum(picture > max(patient, baseline) for picture, patient, baseline in pairs)


def control_words(result: dict[str, Any], features: str, encoder: str = DEFAULT) -> str:
    """Say what the control found and what that proves, after the figures."""
    picture, patient, seeds = result["picture"], result["patient"], result["seeds"]
    low, high = min(picture["accuracies"]), max(picture["accuracies"])
    ranging = f" ({100 * low:.0f} to {100 * high:.0f} % over {seeds} draws)" if seeds > 1 else ""
    measured = (
        f"Each of the {result['patients']} patients has a class drawn at random, so there is"
        f" nothing to learn. {starting_words(features, encoder)}, {100 * picture['mean']:.0f} % of"
        f" pictures are still classified correctly when pictures are split at random{ranging},"
        f" {100 * patient['mean']:.0f} % when patients are kept apart (always naming the largest"
        f" class: {100 * result['baseline']:.0f} %)."
    )
    below = f" {BELOW_CHANCE}" if patient["mean"] < result["chance"] else ""
    return f"{measured} {_verdict(draws_that_leak(result), seeds)}{below}"


def _verdict(leaking: int, draws: int) -> str:
    if leaking == draws:
        return (
            "Classes that do not exist can be found in one way only: the random split recognises"
            " the patients. It leaks."
        )
    if 2 * leaking > draws:
        return (
            f"In {leaking} of {draws} draws the random split finds classes that do not exist: it"
            " recognises patients, though not reliably."
        )
    return (
        f"The random split beats chance in only {leaking} of {draws} draws: with this model the"
        " control shows no leak."
    )
