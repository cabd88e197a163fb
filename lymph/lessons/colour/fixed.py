"""A model is shown colours that differ within a patient as much as between two."""

import numpy as np
import torch
from torch import Tensor

from lymph.models.inputs import augment, draw

model, seen = "any", []
# Two patients whose slides differ a little in colour, a batch of each.
train_loader = [(np.full((16, 8, 8, 3), red, np.uint8), np.zeros(16, int)) for red in (165, 180)]
draws = draw(16, torch.Generator().manual_seed(0))


def step(model: str, pictures: Tensor, y: np.ndarray) -> None:
    """Keep the mean colour of every picture that a model is shown."""
    seen.append(pictures.mean(dim=(1, 2, 3)).numpy())


# ---- what the lesson shows ----
for pictures, y in train_loader:
    # each stain a little stronger or weaker
    pictures = augment(pictures, ["stain"], draws)
    step(model, pictures, y)
