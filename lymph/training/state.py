"""Where a run stands: its epochs so far, the best of them, and the checkpoint that keeps both."""

import logging
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lymph.errors import RunError
from lymph.models.networks import BackboneHead
from lymph.training import folder as files
from lymph.training.checkpoint import load_checkpoint, load_values, save_checkpoint
from lymph.training.config import TrainConfig
from lymph.training.loop import Evaluation
from lymph.training.older import phase_name
from lymph.training.phases import Phase

log = logging.getLogger("lymph")

# What a checkpoint must hold for its run to go on from it.
GONE_ON_FROM = [
    "model",
    "optimiser",
    "epoch",
    "history",
    "best",
    "best_epoch",
    "notes",
    "spent",
    "random",
]


@dataclass
class State:
    """The epochs of a run so far, and the values of the best of them.

    Attributes
    ----------
    history : list of dict
        The rows of ``metrics.csv``.
    best_values : dict of Tensor
        The best epoch's values that are not on the disk yet, or were last written.
    fresh : list of str
        Parts of the backbone that start from random values: nothing in them is worth keeping.
    spent : float
        Seconds in epochs.
    unkept : int
        Epochs since the last checkpoint.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    best: tuple[float, float] = (-math.inf, -math.inf)
    best_epoch: int = 0
    best_values: dict[str, Tensor] = field(default_factory=dict)
    best_unsaved: bool = False
    notes: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    spent: float = 0.0
    unkept: int = 0

    def judge(
        self,
        row: dict[str, Any],
        validated: Evaluation,
        model: BackboneHead,
        learning: torch.nn.Module,
        latest: bool = False,
    ) -> None:
        """Take an epoch in: is it sound, is it the best?

        ``latest`` tells that the last epoch is always the best, whatever validation says: its fit
        has an optimum of its own.

        Raises
        ------
        RunError
            When its loss is no finite number.
        """
        measured = [row["train_loss"], *([row["val_loss"]] if len(validated.labels) else [])]
        if not all(map(math.isfinite, measured)):
            raise RunError(
                f"The loss is no longer a finite number in epoch {row['epoch']}; the state before"
                " it is kept. Train again with a lower learning rate."
            )
        self.history.append(row)
        self.unkept += 1
        self.spent += row["seconds"]
        score = (0.0, 0.0) if latest else score_of(validated)
        if score >= self.best:
            self.best, self.best_epoch, self.best_unsaved = score, row["epoch"], True
            # It may change again before it is written.
            frozen = learning is model.head
            values = model.head.state_dict(prefix="head.") if frozen else model.state_dict()
            self.best_values = {name: value.clone() for name, value in values.items()}
        told = f"Epoch {row['epoch']} ({row['phase']}): loss {row['train_loss']:.3f}"
        if len(validated.labels):
            told += f", validation loss {row['val_loss']:.3f}"
            told += f", accuracy {100 * row['val_accuracy']:.1f} %"
        log.info("%s", told)

    def is_out_of_patience(self, patience: int, phase: Phase, epoch: int) -> bool:
        """Tell whether a phase ends after an epoch, because validation got no better; 0: never."""
        if not patience or epoch - max(self.best_epoch, phase.first_epoch) < patience:
            return False
        if epoch < phase.last_epoch:
            self.notes.append(
                f"Stopped early at epoch {epoch}: validation got no better for {patience} epochs."
            )
        return True

    def best_state(self, model: BackboneHead) -> dict[str, Tensor]:
        """Return all values of the best epoch."""
        return {**model.state_dict(), **self.best_values}

    def save(
        self,
        folder: Path,
        config: TrainConfig,
        model: BackboneHead,
        optimiser: torch.optim.Optimizer,
        epoch: int,
    ) -> None:
        """Write the best epoch, if it is new, and all that is needed to go on after an epoch."""
        if self.best_unsaved:
            content = {"model": self.best_state(model), "epoch": self.best_epoch}
            content |= {"name": config.model, "classes": list(config.classes)}
            save_checkpoint(folder / files.BEST, content)
            self.best_unsaved = False
        save_checkpoint(folder / files.LAST, self._content(model, optimiser, epoch))

    def _content(
        self, model: BackboneHead, optimiser: torch.optim.Optimizer, epoch: int
    ) -> dict[str, Any]:
        content = {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "epoch": epoch,
            "history": self.history,
            "best": list(self.best),
            "best_epoch": self.best_epoch,
            "notes": self.notes,
            "fresh": self.fresh,
            "spent": self.spent,
            "random": torch.get_rng_state(),
        }
        device = next(model.parameters()).device
        if device.type == "cuda":
            content["random_cuda"] = torch.cuda.get_rng_state(device)
        return content

    @classmethod
    def of(cls, checkpoint: dict[str, Any]) -> "State":
        """Return the state that a checkpoint keeps."""
        kept = ("best_epoch", "notes", "spent")
        return cls(
            history=[{**row, "phase": phase_name(row["phase"])} for row in checkpoint["history"]],
            best=tuple(checkpoint["best"]),
            fresh=checkpoint.get("fresh", []),
            **{name: checkpoint[name] for name in kept},
        )


def last_checkpoint(folder: Path, model: BackboneHead) -> dict[str, Any] | None:
    """Load a run's last checkpoint and give its values to the model; None where there is none.

    Raises
    ------
    RunError
        When it is damaged or of another network.
    """
    path = folder / files.LAST
    if not path.exists():
        return None
    checkpoint = load_checkpoint(path, GONE_ON_FROM)
    load_values(model, checkpoint, files.LAST)
    return checkpoint


def restore_random(checkpoint: dict[str, Any], device: torch.device) -> None:
    """Draw on from where a checkpoint stopped drawing."""
    torch.set_rng_state(checkpoint["random"])
    if device.type == "cuda" and "random_cuda" in checkpoint:
        torch.cuda.set_rng_state(checkpoint["random_cuda"], device)


def score_of(validated: Evaluation) -> tuple[float, float]:
    """Rank an epoch by balanced accuracy, ties by loss; without validation the later one wins."""
    if not len(validated.labels):
        return (0.0, 0.0)
    truth = validated.labels.numpy()
    right = truth == validated.logits.argmax(dim=1).numpy()
    recalls = [right[truth == label].mean() for label in np.unique(truth)]
    return (float(np.mean(recalls)), -validated.loss)
