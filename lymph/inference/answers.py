"""What is said of a picture, in numbers and in words, and of all pictures of one patient."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd

from lymph.inference.provenance import LearnedFrom, provenance_words
from lymph.text import counted


class Answer(TypedDict):
    """What is said of one file; with a ``problem`` there is no prediction.

    ``familiar`` is False for a picture unlike the training pictures: its answer is not to be
    trusted, and ``reason`` says why. ``notes`` tell what was done to the file to read it,
    ``patient`` is the key in its name, ``seen`` says whether the run learned from this picture or
    this patient, and ``learned_from`` what its model learned from; None where there is no answer.
    ``confidence`` is the probability of the predicted class, and None where the model's confidence
    may not be stated: ``confidence_note`` says what its validation pictures showed of it.
    ``false_alarm_rate`` is the share of new patients' pictures that the check behind ``familiar``
    flags in error, None where that is unknown.
    """

    picture: str
    predicted: str
    probabilities: dict[str, float]
    familiar: bool
    problem: str
    reason: str
    notes: list[str]
    patient: str
    seen: str
    learned_from: LearnedFrom | None
    confidence: float | None
    confidence_note: str
    false_alarm_rate: float | None


class PatientAnswer(TypedDict):
    """The answer for one patient: the mean of the probabilities of the patient's pictures."""

    patient: str
    pictures: int
    predicted: str
    probabilities: dict[str, float]


# From this probability of the first class on, in words. A toss-up ends where the second is near.
WORDS = ((0.95, "very sure"), (0.8, "fairly sure"), (0.6, "not quite sure"), (0.0, "unsure"))
NEAR = 0.1


def how_sure(probabilities: Mapping[str, float]) -> str:
    """Say in plain words how sure an answer is."""
    ranked = sorted(probabilities.items(), key=lambda pair: -pair[1])
    (first, top), (second, next_) = ranked[0], ranked[1]
    if top - next_ < NEAR:
        return f"undecided between {first} and {second}"
    return next(words for bound, words in WORDS if top >= bound)


def check_words(answer: Answer) -> str:
    """Say how often the check "does not look like what it learned" errs on new patients."""
    rate, learned = answer["false_alarm_rate"], answer["learned_from"]
    if rate is None or learned is None or learned["patients"] is None:
        return "How often this check errs is not known: nobody knows the training patients."
    often = "fewer than 1" if rate < 0.01 else f"about {100 * rate:.0f}"
    return (
        f"This check is wrong too: of 100 pictures of new patients it flags {often} in error, after"
        f" training on {counted(learned['patients'], 'patient')}."
    )


def refused(name: str, problem: str) -> Answer:
    """Return the answer for a file that could not be read."""
    return Answer(
        picture=name,
        predicted="",
        probabilities={},
        familiar=False,
        problem=problem,
        reason="",
        notes=[],
        patient="",
        seen="",
        learned_from=None,
        confidence=None,
        confidence_note="",
        false_alarm_rate=None,
    )


def by_probability(values: np.ndarray, classes: Sequence[str]) -> tuple[str, dict[str, float]]:
    """Return the most probable class and the probability of each."""
    named = dict(zip(classes, map(float, values), strict=True))
    return classes[int(values.argmax())], named


def patient_answers(answers: Sequence[Answer], classes: Sequence[str]) -> list[PatientAnswer]:
    """Return one answer per patient of whom there are several pictures.

    A model that has only seen drawings gives none: drawings have no patients.
    """
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer["patient"] and not answer["problem"] and not only_drawn(answer):
            groups.setdefault(answer["patient"], []).append(answer)
    found = []
    for patient, own in groups.items():
        if len(own) > 1:
            rows = [[answer["probabilities"][name] for name in classes] for answer in own]
            predicted, named = by_probability(np.mean(rows, axis=0), classes)
            found.append(
                PatientAnswer(
                    patient=patient, pictures=len(own), predicted=predicted, probabilities=named
                )
            )
    return found


def only_drawn(answer: Answer) -> bool:
    """Tell whether an answer is by a model that has only seen computer-drawn pictures."""
    return answer["learned_from"] is not None and answer["learned_from"]["drawn"]


def answer_columns(classes: Sequence[str]) -> list[str]:
    """Return the columns of a table of answers."""
    shares = [f"p_{name}" for name in classes]
    return [
        "picture", "patient", "predicted", *shares, "familiar", "reason", "seen", "notes",
        "learned_from", "confidence", "confidence_note", "problem",
    ]  # fmt: skip


def answer_row(answer: Answer, classes: Sequence[str]) -> list[object]:
    """Return one row of a table of answers, in the order of :func:`answer_columns`."""
    shares = [answer["probabilities"].get(name, "") for name in classes]
    familiar = "" if answer["problem"] else answer["familiar"]
    learned = answer["learned_from"]
    stated = answer["confidence"]
    return [
        answer["picture"],
        answer["patient"],
        answer["predicted"],
        *shares,
        familiar,
        answer["reason"],
        answer["seen"],
        " ".join(answer["notes"]),
        provenance_words(learned) if learned else "",
        "" if stated is None else stated,
        answer["confidence_note"],
        answer["problem"],
    ]


def answer_table(answers: Sequence[Answer], classes: Sequence[str]) -> pd.DataFrame:
    """Return the table of answers, one row a file."""
    rows = [answer_row(answer, classes) for answer in answers]
    return pd.DataFrame(rows, columns=answer_columns(classes))
