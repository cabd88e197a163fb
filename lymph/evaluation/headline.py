"""The sentence to read first: how many patients are classified correctly, and who is mistaken."""

import numpy as np
import pandas as pd

from lymph.evaluation.metrics import confusion
from lymph.evaluation.patients import by_patient
from lymph.evaluation.report import leaked_pictures
from lymph.predictions import OUT_OF_FOLD, choose_set, classes_of_predictions
from lymph.text import counted


def headline(p: pd.DataFrame, set_name: str = "test") -> str:
    """Say of a set how many patients are classified correctly and whose the mistakes are.

    A mistake that comes from a single patient is told as that patient's, unless the set has no
    other patient of the class: then it says nothing of the patient. Where nobody knows the
    patients, pictures are counted.

    Parameters
    ----------
    p
        Prediction table, all sets: the others tell whether the model has met the patients.
    set_name
        See `choose_set`.

    Returns
    -------
    str
        One to three sentences, with names as they stand in the table.

    Raises
    ------
    EvaluationError
        When the set is empty.
    """
    chosen = choose_set(p, set_name)
    unknown = bool((chosen["patient"] == chosen["picture"]).all())
    right = _pictures_right(chosen) if unknown else _patients_right(chosen)
    start = "Out of fold, " if set_name == OUT_OF_FOLD else ""
    words = f"{start}{right}{_mistakes(chosen, unknown)}."
    told = [words[:1].upper() + words[1:], _met(p, chosen, set_name, unknown)]
    return " ".join(filter(None, told))


def _pictures_right(chosen: pd.DataFrame) -> str:
    right, all_of = int((chosen["label"] == chosen["predicted"]).sum()), len(chosen)
    return f"{_of(right, all_of, 'picture')} classified correctly, of patients nobody knows"


def _patients_right(chosen: pd.DataFrame) -> str:
    table = by_patient(chosen)
    right = int((table["label"] == table["predicted"]).sum())
    twice = " (counted once per class)" if not table["patient"].is_unique else ""
    return f"{_of(right, len(table), 'patient')} classified correctly{twice}"


def _of(right: int, all_of: int, noun: str) -> str:
    if all_of == 1:
        return f"the only {noun} is" if right else f"the only {noun} is not"
    if right == 0:
        return f"none of the {all_of} {noun}s is"
    if right == all_of:
        return f"{_share_of(right, all_of)} {noun}s are"
    return f"{right} of {all_of} {noun}s {'is' if right == 1 else 'are'}"


def _mistakes(chosen: pd.DataFrame, unknown: bool) -> str:
    """Return the second half of the sentence: the largest mistake, and whose it is."""
    wrong = chosen[chosen["label"] != chosen["predicted"]]
    if wrong.empty:
        return "" if unknown else f", in {_every(len(chosen))}"
    if chosen["predicted"].nunique() == 1 and len(classes_of_predictions(chosen)) > 1:
        return f"; the model calls every picture {chosen['predicted'].iloc[0]}"
    true, predicted, alone = _largest(chosen)
    rows = wrong[(wrong["label"] == true) & (wrong["predicted"] == predicted)]
    people = [""] if unknown else sorted(rows["patient"].unique())
    of_class = int(chosen.loc[chosen["label"] == true, "patient"].nunique())
    if len(wrong) == 1:
        whose = "" if unknown else f", from patient {people[0]}"
        return f"; the only mistake is a picture of {true} called {predicted}{whose}"
    if len(rows) == 1:
        return "; no class is taken for another more than once"
    if len(people) == 1 and not unknown:
        whose = f"{people[0]}, the only patient with {true} here"
        whose = whose if of_class == 1 else f"one patient, {people[0]}"
        return f"; all {len(rows)} pictures of {true} called {predicted} come from {whose}"
    of = "" if unknown else f" of {_share_of(len(people), of_class)} patients with {true}"
    which = "the most frequent mistake is" if alone else "no mistake is more frequent than"
    return f"; {which} {true} called {predicted}, in {counted(len(rows), 'picture')}{of}"


def _share_of(some: int, whole: int) -> str:
    if some == whole:
        return "both" if whole == 2 else f"all {whole}"
    return f"{some} of {whole}"


def _every(pictures: int) -> str:
    return "the only picture" if pictures == 1 else f"{_share_of(pictures, pictures)} pictures"


def _largest(chosen: pd.DataFrame) -> tuple[str, str, bool]:
    """Return true and predicted class of the most frequent mistake, and whether it is alone."""
    classes = classes_of_predictions(chosen)
    matrix = confusion(chosen, classes)
    np.fill_diagonal(matrix, 0)
    i, j = np.unravel_index(int(matrix.argmax()), matrix.shape)
    return classes[i], classes[j], int((matrix == matrix.max()).sum()) == 1


def _met(p: pd.DataFrame, chosen: pd.DataFrame, set_name: str, unknown: bool) -> str:
    """Say whether the model has met the patients before; nothing where it has not."""
    if set_name == "train":
        return "It has learned from these very pictures."
    known = None if unknown else leaked_pictures(p, set_name)
    if known is None or not known.any():
        return ""
    met, people = chosen["patient"][known].nunique(), chosen["patient"].nunique()
    of = f"{_share_of(met, people)} patients" if people > 1 else "the only patient"
    return (
        f"But the model had trained on other pictures of {of}, so this says nothing about new"
        " patients."
    )
