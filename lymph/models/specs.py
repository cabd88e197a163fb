"""What each model is called and what it sees."""

from typing import NamedTuple

# ResNet-50's stages, layer1 to layer4.
STAGES = 4
# Where only the last block learns there are no more: the fourth answers to everyday things.
LAST_BLOCK_STAGES = 3
# How many times pictures are enlarged of which tiles are cut.
TILE_SCALE = 2.0


class ModelSpec(NamedTuple):
    """A model's name, its title for people, and its input: (height, width) in pixels, grey or RGB.

    ``epochs`` and ``learning_rate`` are what a run uses when nothing else is asked for. ``scale``
    is 0 where a picture is squeezed to the input's size. Else a picture keeps its shape and is seen
    at ``scale`` times its size, or at as many pixels as the input has where those are fewer.
    ``tiles`` is the side in pixels of the tiles that it is cut into, at that scale; 0 where it is
    seen whole. ``tuned_size`` is the input where only the last block learns, which is quick enough
    for more. ``frozen`` tells that only a head learns, on features that a frozen encoder makes once
    of pictures of any shape.
    """

    name: str
    title: str
    size: tuple[int, int]
    grey: bool
    epochs: int
    learning_rate: float
    scale: float = 0.0
    tiles: int = 0
    tuned_size: tuple[int, int] = (0, 0)
    frozen: bool = False

    def in_tiles(self, side: int) -> "ModelSpec":
        """Return the same model on tiles of a side in pixels, cut from pictures at TILE_SCALE.

        An encoder takes any shape; a network that learns is given tiles of one size.
        """
        named = self._replace(title=f"{self.title}, tiles of {side} px", tiles=side)
        return named if self.frozen else named._replace(size=(side, side), scale=TILE_SCALE)


MODELS: dict[str, ModelSpec] = {
    "cnn": ModelSpec("cnn", "Small CNN from scratch", (128, 128), True, 20, 1e-3),
    "resnet50": ModelSpec(
        "resnet50", "ResNet-50, fine-tuned", (224, 224), False, 10, 1e-3, tuned_size=(312, 416)
    ),
    "linear-probe": ModelSpec(
        "linear-probe",
        "Frozen features, linear head",
        (624, 834),
        False,
        30,
        1.0,
        scale=TILE_SCALE,
        frozen=True,
    ),
}
