"""BROKEN ON PURPOSE: a model is shown colours that tell patients apart."""

import numpy as np

model, seen = "any", []
# Two patients whose slides differ a little in colour, a batch of each.
train_loader = [(np.full((16, 8, 8, 3), red, np.uint8), np.zeros(16, int)) for red in (165, 180)]


def step(model: str, pictures: np.ndarray, y: np.ndarray) -> None:
    """Keep the mean colour of every picture that a model is shown."""
    seen.append(pictures.mean(axis=(1, 2, 3)) / 255)


# ---- what the lesson shows ----
for pictures, y in train_loader:
    # the colours as the slide gave them
    step(model, pictures, y)
