"""What the leak meter's linear model looks at."""

from pathlib import Path

import numpy as np
import pandas as pd

from lymph.data.measure import COLOUR_STATISTICS, measure_all
from lymph.data.parallel import Progress
from lymph.data.pixels import load_pixels
from lymph.errors import DataError

BATCH = 16


def colour_features(
    root: Path | str, table: pd.DataFrame, progress: Progress | None = None
) -> np.ndarray:
    """Return the 18 colour statistics of every picture, N x 18: no shapes, no texture."""
    measured = measure_all(root, list(table["picture"]), progress)
    if (measured["content"] == "").any():
        lost = measured.loc[measured["content"] == "", "picture"].iloc[0]
        raise DataError(f"{lost} can no longer be read; scan the folder again.")
    return measured[COLOUR_STATISTICS].to_numpy(np.float64)


def imagenet_features(
    root: Path | str, table: pd.DataFrame, weights: str, progress: Progress | None = None
) -> np.ndarray:
    """Return ResNet-50's features after layer3, averaged over the picture, N x 1024.

    The earlier layers answer to colours and textures, which suits histology; and files that hold
    only these values serve.

    Raises
    ------
    WeightsError
        When the values cannot be had.
    """
    import torch

    from lymph.models.inputs import to_input
    from lymph.models.networks import build_model
    from lymph.models.specs import MODELS
    from lymph.models.weights import load_backbone

    spec = MODELS["resnet50"]
    model = build_model("resnet50", 2)
    load_backbone(model, weights)
    layers = list(model.backbone.children())[:7]
    backbone = torch.nn.Sequential(*layers).eval().to(memory_format=torch.channels_last)
    pixels = load_pixels(root, list(table["picture"]), spec.size, spec.grey, progress)
    found = []
    with torch.inference_mode():
        for start in range(0, len(pixels), BATCH):
            pictures = to_input(pixels[start : start + BATCH], spec)
            found.append(backbone(pictures).mean(dim=(2, 3)).numpy())
            if progress:
                progress(min(start + BATCH, len(pixels)), len(pixels))
    return np.concatenate(found).astype(np.float64)
