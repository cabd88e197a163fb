"""What each model is called and what it sees."""

from typing import NamedTuple


class ModelSpec(NamedTuple):
    """A model's name, its title for people, and its input: (height, width) in pixels, grey or RGB.

    ``epochs`` and ``learning_rate`` are what a run uses when nothing else is asked for.
    """

    name: str
    title: str
    size: tuple[int, int]
    grey: bool
    epochs: int
    learning_rate: float


MODELS: dict[str, ModelSpec] = {
    "cnn": ModelSpec("cnn", "Small CNN from scratch", (128, 128), True, 20, 1e-3),
    "resnet50": ModelSpec("resnet50", "ResNet-50, fine-tuned", (224, 224), False, 10, 1e-3),
}
