"""The small CNN as the leak meter's quick model: trained anew for every fold, quickly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lymph.data.pixels import load_pixels
from lymph.leak.meter import Learn
from lymph.models.hidden_features import features_and_logits
from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import MODELS
from lymph.training.config import USUAL_AUGMENTATION
from lymph.training.dataset import Batches
from lymph.training.devices import device_here
from lymph.training.loop import autocast, set_rates, train_one_epoch
from lymph.training.losses import weighted_loss
from lymph.training.precision import precision_here

# Twelve epochs; more of a small set, so that there are enough steps to learn at all.
EPOCHS, MOST_EPOCHS, STEPS = 12, 60, 240
BATCH = 16
RATE = 2e-3
WARM_UP = 0.1


def small_cnn(root: Path | str, table: pd.DataFrame) -> Learn:
    """Return the small CNN, trained for a few epochs on pictures of a table.

    Raises
    ------
    PictureError
        When a picture cannot be read.
    """
    spec, precision, device = MODELS["cnn"], precision_here("cnn"), device_here()
    pixels = load_pixels(root, list(table["picture"]), spec.size, spec.grey)
    names, labels = np.unique(table["label"].to_numpy(str), return_inverse=True)

    def learn(test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        torch.manual_seed(seed)
        layout = torch.channels_last if precision.channels_last else torch.contiguous_format
        model = build_model("cnn", len(names)).to(device).to(memory_format=layout)
        groups = [{"params": list(model.parameters()), "peak": RATE}]
        optimiser = torch.optim.AdamW(groups, lr=RATE, weight_decay=1e-4, fused=True)
        loss = weighted_loss(dict.fromkeys(names, 1.0)).to(device)
        every = Batches(
            pixels, np.arange(len(pixels)), labels, spec, BATCH,
            channels_last=precision.channels_last, device=device, seed=seed,
        )  # fmt: skip
        rows = np.flatnonzero(~test)
        train = replace(every, rows=rows, training=True, augmentation=USUAL_AUGMENTATION)
        epochs = min(MOST_EPOCHS, max(EPOCHS, STEPS // len(train)))
        step, steps = 0, epochs * len(train)

        def before_step() -> None:
            nonlocal step
            set_rates(optimiser, step, steps, WARM_UP)
            step += 1

        for epoch in range(1, epochs + 1):
            batches = train.of_epoch(epoch)
            train_one_epoch(model, batches, loss, optimiser, before_step, precision.bfloat16)
        seen, logits = _seen(model.eval(), every, precision.bfloat16)
        return names[logits[test].argmax(axis=1)], seen

    return learn


@torch.inference_mode()
def _seen(model: BackboneHead, batches: Batches, bfloat16: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the last hidden features, N x 64, and the logits, N x K, of all pictures."""
    features, logits = [], []
    for pictures, _ in batches:
        with autocast(bfloat16, batches.device.type):
            seen, said = features_and_logits(model, pictures)
        features.append(seen.float().cpu())
        logits.append(said.float().cpu())
    return torch.cat(features).numpy(), torch.cat(logits).numpy()
