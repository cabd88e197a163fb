"""Classifying new pictures with a run's best model, one by one; a broken file stops nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch

from lymph import workspace
from lymph.data.pixels import shrink
from lymph.data.read import Source, read_picture
from lymph.errors import PictureError, RunError
from lymph.models.familiarity import Familiarity
from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead
from lymph.models.specs import MODELS, ModelSpec
from lymph.runs import Run
from lymph.training import folder as files
from lymph.training.checkpoint import load_model
from lymph.training.loop import autocast


class Answer(TypedDict):
    """What is said of one file; with a ``problem`` there is no prediction.

    ``familiar`` is False for a picture whose colours and grain are unlike the training pictures':
    its answer is not to be trusted.
    """

    picture: str
    predicted: str
    probabilities: dict[str, float]
    familiar: bool
    problem: str


@dataclass(frozen=True)
class Classifier:
    """A run's best model with its classes and its check for strange pictures."""

    model: BackboneHead
    classes: list[str]
    spec: ModelSpec
    bfloat16: bool
    familiarity: Familiarity

    @torch.no_grad()
    def classify(self, pictures: list[np.ndarray]) -> np.ndarray:
        """Return class probabilities, float64, N x K, of RGB pictures, uint8, any size each."""
        if not pictures:
            return np.empty((0, len(self.classes)))
        small = np.stack([shrink(p, self.spec.size, self.spec.grey) for p in pictures])
        with autocast(self.bfloat16):
            logits = self.model(to_input(small, self.spec))
        return torch.softmax(logits.double(), dim=1).numpy()


def load_classifier(run: Run) -> Classifier:
    """Load a run's best model.

    Raises
    ------
    RunError
        When the run has not finished or its files are damaged.
    """
    model, config = load_model(run.path)
    try:
        document = workspace.read_json(run.path / files.FAMILIARITY)
        precision = run.environment()["precision"]
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"The run {run.id} is not finished; wait for it or resume it.") from error
    return Classifier(
        model,
        config.classes,
        MODELS[config.model],
        bool(precision["bfloat16"]),
        Familiarity.from_json(document),
    )


def _answer(classifier: Classifier, name: str, source: Source) -> Answer:
    try:
        pixels = read_picture(source)
    except PictureError as error:
        return Answer(
            picture=name, predicted="", probabilities={}, familiar=False, problem=str(error)
        )
    values = classifier.classify([pixels])[0]
    return Answer(
        picture=name,
        predicted=classifier.classes[int(values.argmax())],
        probabilities=dict(zip(classifier.classes, map(float, values), strict=True)),
        familiar=classifier.familiarity.is_familiar(pixels),
        problem="",
    )


def classify_files(classifier: Classifier, named: Iterable[tuple[str, Source]]) -> Iterator[Answer]:
    """Yield one answer a file, in order, as each is ready.

    Parameters
    ----------
    classifier : Classifier
    named : iterable of (name, source)
        The name is only repeated in the answer, never used as a path.
    """
    for name, source in named:
        yield _answer(classifier, name, source)
