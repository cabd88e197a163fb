"""What learns in each phase, and what moves its values."""

from collections.abc import Collection

import torch

from lymph.models.last_block import ProbedResNet50
from lymph.models.networks import BackboneHead
from lymph.training.older import FINETUNE, LINEAR_PROBE
from lymph.training.phases import Phase


def let_learn(model: BackboneHead, phase: Phase) -> None:
    """Let that part of a model learn which a phase trains, and freeze the rest."""
    if phase.name == "last_block":
        assert isinstance(model, ProbedResNet50)
        model.tune_last_block()
    else:
        model.freeze_backbone(phase.name == LINEAR_PROBE)


def new_optimiser(
    model: BackboneHead, phase: Phase, fresh: Collection[str], weight_decay: float
) -> torch.optim.Optimizer:
    """Return the optimiser of a phase: every phase begins with a new one.

    Parameters
    ----------
    fresh : collection of str
        Parts of the backbone that start from random values; they learn at the head's rate.
    """
    groups = [{"params": list(model.head.parameters()), "peak": phase.head_rate}]
    if phase.name == FINETUNE:
        for name, part in model.backbone.named_children():
            rate = phase.head_rate if name in fresh else phase.backbone_rate
            groups.append({"params": list(part.parameters()), "peak": rate})
        groups = [group for group in groups if group["params"]]
    elif isinstance(model, ProbedResNet50):
        block = list(model.staged.last_block.parameters())
        groups.append({"params": block, "peak": phase.backbone_rate})
    return torch.optim.AdamW(groups, lr=phase.head_rate, weight_decay=weight_decay, fused=True)
