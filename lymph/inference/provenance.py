"""Where an answer comes from: what its model learned from, and how good it was on new patients."""

from typing import Any, TypedDict

from lymph import workspace
from lymph.data.sources import is_synthetic
from lymph.errors import LymphError
from lymph.evaluation import interval_words, report
from lymph.runs import Run
from lymph.text import counted
from lymph.training.folder import OOD

ONLY_DRAWN = (
    "This model has only ever seen computer-drawn pictures. What it calls a real slide means"
    " nothing: it names the drawing that looks most like it."
)


class LearnedFrom(TypedDict):
    """What a model learned from.

    ``drawn``: whether it only ever saw computer-drawn pictures. ``images`` and ``patients`` of its
    training set; the latter None where nobody knows them. ``split``: ``patient`` or ``picture``.
    ``accuracy`` (0 to 1) and ``interval`` (95 %) per picture of its test set, of ``test_patients``;
    None where it has none. ``leaks``: whether it trained on patients of that test set.
    """

    drawn: bool
    images: int
    patients: int | None
    split: str
    accuracy: float | None
    interval: list[float] | None
    test_patients: int | None
    leaks: bool


def provenance_words(learned: LearnedFrom) -> str:
    """Say in a sentence or two what a model learned from and how good it was on its test."""
    kind = "computer-drawn picture" if learned["drawn"] else "picture"
    patients = learned["patients"]
    people = "unknown patients" if patients is None else counted(patients, "patient")
    words = (
        f"Learned from {counted(learned['images'], kind)} of {people}, split by {learned['split']}."
    )
    if learned["accuracy"] is None:
        return f"{words} It was never tested."
    tested = learned["test_patients"]
    people = "unknown test patients" if tested is None else counted(tested, "test patient")
    words += (
        f" It classifies {100 * learned['accuracy']:.0f} % of the pictures from {people} correctly"
        f" ({interval_words(learned['interval'])})"
    )
    if learned["leaks"]:
        return f"{words}: too optimistic, since it has trained on patients of the test."
    return f"{words}."


def caution_words(learned: LearnedFrom) -> list[str]:
    """Say in sentences what goes with every answer of a model."""
    return [*([ONLY_DRAWN] if learned["drawn"] else []), provenance_words(learned)]


def learned_from(run: Run) -> LearnedFrom:
    """Say what the model of a finished run of one split learned from."""
    predictions = run.predictions()
    trained = predictions[predictions["set"] == "train"]
    unknown = bool((trained["patient"] == trained["picture"]).all())
    return LearnedFrom(
        drawn=_drawn(run),
        images=len(trained),
        patients=None if unknown else int(trained["patient"].nunique()),
        split=run.split().by,
        **_tested(run),
    )


def _drawn(run: Run) -> bool:
    """Tell whether a run's pictures were computer drawn: its check has that too."""
    try:
        known = workspace.read_json(run.path / OOD)["drawn"]
    except (OSError, ValueError, KeyError, TypeError):
        known = is_synthetic(run.config.data)  # A run of an earlier version.
    return bool(known)


def _tested(run: Run) -> dict[str, Any]:
    try:
        figures = report(run.predictions(), "test")
    except LymphError:
        return {"accuracy": None, "interval": None, "test_patients": None, "leaks": False}
    unknown = figures.get("patients_unknown")
    return {
        "accuracy": figures["pictures"]["accuracy"],
        "interval": figures["pictures"]["interval"],
        "test_patients": None if unknown else figures["patients"]["n"],
        "leaks": bool(figures.get("leaked_test_share")),
    }
