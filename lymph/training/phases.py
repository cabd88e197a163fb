"""The phases of a run: what learns, for how long, and how fast."""

import math
from typing import NamedTuple

from lymph.text import PHASE_TITLES
from lymph.training.config import PHASES, TrainConfig
from lymph.training.older import FINETUNE, LINEAR_PROBE


class Phase(NamedTuple):
    """``finetune`` trains everything, ``linear_probe`` the head on a frozen backbone.

    Frozen are its values and its batch statistics.

    ``first_epoch`` is counted from 1 over the run; rates are the peaks of the schedule.
    """

    name: str
    first_epoch: int
    epochs: int
    head_rate: float
    backbone_rate: float

    @property
    def last_epoch(self) -> int:
        """Return the last epoch, counted from 1."""
        return self.first_epoch + self.epochs - 1


def plan_phases(config: TrainConfig) -> list[Phase]:
    """Plan a run's phases: those it names, or those of its schedule.

    The two-phase schedules spend half the epochs on each, an odd one on fine-tuning.
    ``finetune_then_linear_probe`` is the notebook's order, ``linear_probe_then_finetune`` the one
    that keeps pretrained features better (Kumar et al. 2022, arXiv 2202.10054).
    """
    rate = config.learning_rate
    backbone_rate = rate if config.weights == "none" else rate * config.backbone_factor
    phases: list[Phase] = []
    first = 1
    for name, epochs in config.named_phases() or _scheduled(config):
        own_rate = backbone_rate if name == FINETUNE else 0.0
        phases.append(Phase(name, first, epochs, rate, own_rate))
        first += epochs
    return phases


def _scheduled(config: TrainConfig) -> list[tuple[str, int]]:
    if config.schedule in PHASES:
        return [(config.schedule, config.epochs)]
    tuned = math.ceil(config.epochs / 2)
    parts = [(FINETUNE, tuned), (LINEAR_PROBE, config.epochs - tuned)]
    if config.schedule == "linear_probe_then_finetune":
        parts.reverse()
    return [(name, epochs) for name, epochs in parts if epochs]


def phase_words(config: TrainConfig) -> str:
    """Write the phases of a run for people: fine-tuning 5, then linear probe 5."""
    planned = plan_phases(config)
    if len(planned) == 1:
        return PHASE_TITLES[planned[0].name]
    return ", then ".join(f"{PHASE_TITLES[phase.name]} {phase.epochs}" for phase in planned)


def phase_of(phases: list[Phase], epoch: int) -> Phase:
    """Return the phase of an epoch, counted from 1."""
    return next(phase for phase in phases if epoch <= phase.last_epoch)


def rate_factor(step: int, steps: int, warm_up: float = 0.1) -> float:
    """Return the share of the peak learning rate at a step: linear warm-up, then half a cosine.

    ``warm_up`` is the share of the steps in which the rate rises.
    """
    warm = max(1, round(warm_up * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
